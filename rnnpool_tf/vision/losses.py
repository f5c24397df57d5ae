"""The multibox loss as two Keras losses, one for each output of a detector."""

from __future__ import annotations

import tensorflow as tf

from rnnpool_tf._keras import keras

# Negatives per positive that take part in training.
NEGATIVES = 3


@keras.utils.register_keras_serializable("rnnpool_tf")
class BoxLoss(keras.losses.Loss):
    """Smooth L1 loss of the offsets of anchors that have a face.

    `y_true` is (batch, anchors, 5): four offsets and 1 where the anchor has a face, else 0;
    `y_pred` (batch, anchors, 4). The sum over all offsets is divided by the number of anchors with
    a face in the batch, or by the number of images if there is none.

    Source: Saha et al., 2020, appendix F; Liu et al., "SSD", ECCV 2016, §2.2.

    >>> truth = tf.constant([[[0.5, 0.0, 0.0, 2.0, 1.0], [9.0, 9.0, 9.0, 9.0, 0.0]]])
    >>> float(BoxLoss()(truth, tf.zeros((1, 2, 4))))
    1.625
    """

    def __init__(self, name="box_loss", **kwargs):
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        positive = y_true[..., 4]
        distance = tf.abs(y_pred - y_true[..., :4])
        smooth = tf.where(distance < 1, 0.5 * distance**2, distance - 0.5)
        # Not a product: offsets of anchors without a face may be large.
        smooth = tf.where(positive[..., tf.newaxis] > 0, smooth, 0.0)
        return tf.reduce_sum(smooth) / divisor(positive)


@keras.utils.register_keras_serializable("rnnpool_tf")
class ConfidenceLoss(keras.losses.Loss):
    """Cross-entropy of anchors with a face and of the hardest others, three for each of them.

    `y_true` is (batch, anchors, 1): 1 where the anchor has a face, else 0; `y_pred` logits
    (batch, anchors, 2) of background and face. Negatives are chosen in each image: those with
    the largest loss, three times as many as positives, at most all anchors but one. Divided
    as in `BoxLoss`.

    >>> logits = tf.constant([[[0.0, 0.0]] * 9])
    >>> loss = ConfidenceLoss()(tf.constant([[[1.0]] + [[0.0]] * 8]), logits)
    >>> round(float(loss) / 0.6931472, 4)
    4.0
    """

    def __init__(self, name="confidence_loss", **kwargs):
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        positive = y_true[..., 0]
        anchors = tf.shape(positive)[1]
        # ln(1 + e^-x) with the margin x of the right class: cross-entropy of two classes.
        margin = y_pred[..., 1] - y_pred[..., 0]
        loss = tf.nn.softplus(tf.where(positive > 0, -margin, margin))
        negatives = tf.sort(tf.where(positive > 0, 0.0, loss), axis=1, direction="DESCENDING")
        mined = tf.minimum(NEGATIVES * tf.reduce_sum(positive, 1), tf.cast(anchors - 1, tf.float32))
        rank = tf.range(anchors, dtype=tf.float32)
        chosen = tf.where(rank < mined[:, tf.newaxis], negatives, 0.0)
        found = tf.where(positive > 0, loss, 0.0)
        return (tf.reduce_sum(found) + tf.reduce_sum(chosen)) / divisor(positive)


def divisor(positive: tf.Tensor) -> tf.Tensor:
    """Anchors with a face in the batch; the number of images if there are none."""
    count = tf.reduce_sum(positive)
    return tf.where(count > 0, count, tf.cast(tf.shape(positive)[0], tf.float32))

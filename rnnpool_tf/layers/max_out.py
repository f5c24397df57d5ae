"""`MaxOutBackground`: several background scores become one, the largest."""

from __future__ import annotations

import tensorflow as tf

from rnnpool_tf._keras import keras


@keras.utils.register_keras_serializable(package="rnnpool_tf")
class MaxOutBackground(keras.layers.Layer):
    """Keeps the largest of the leading channels, beside the last one.

    Small anchors meet mostly background; letting a detector score it several times and keeping the
    best lowers false alarms. Source: Zhang et al., "S3FD", ICCV 2017, §3.3.

    Input shape:
        (..., n ≥ 2): n − 1 background scores, then the score of the object.

    Output shape:
        (..., 2): the largest background score, the score of the object.

    Raises:
        ValueError: Fewer than two channels, or an unknown number.

    Example:

    >>> import tensorflow as tf
    >>> from rnnpool_tf.layers import MaxOutBackground
    >>> MaxOutBackground()(tf.constant([[0.1, 0.7, 0.3, 0.5]])).numpy()
    array([[0.7, 0.5]], dtype=float32)
    """

    def call(self, inputs):
        self._check(inputs.shape)
        background = tf.reduce_max(inputs[..., :-1], axis=-1, keepdims=True)
        return tf.concat([background, inputs[..., -1:]], axis=-1)

    def compute_output_shape(self, input_shape):
        self._check(input_shape)
        return (*input_shape[:-1], 2)

    def _check(self, input_shape):
        if input_shape[-1] is None or input_shape[-1] < 2:
            raise ValueError(
                "`MaxOutBackground` takes at least two scores per pixel. "
                f"Received: input_shape={tuple(input_shape)}"
            )

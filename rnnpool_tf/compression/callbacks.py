"""Freezing BatchNormalization late in quantisation-aware training."""

from __future__ import annotations

from rnnpool_tf._keras import keras, require_legacy_keras
from rnnpool_tf.compression.checks import require_model, unwrap


def freeze_batch_norm(model) -> int:
    """Makes every BatchNormalization use (and keep) its moving statistics during training.

    In training, BatchNormalization scales by the statistics of the batch, while the converted
    model has the moving ones folded into the convolution. With frozen statistics QAT trains the
    network that will run. Compile the model after calling this, or use `FreezeBatchNorm`.

    Args:
        model: A functional or sequential tf_keras model, float or QAT.

    Returns:
        The number of layers frozen.

    Raises:
        RuntimeError: `tf.keras` is Keras 3. ValueError: not such a model.
    """
    require_model(model, "freeze_batch_norm()")
    frozen = 0
    for layer in model.layers:
        if isinstance(unwrap(layer), keras.layers.BatchNormalization):
            layer.trainable = False
            frozen += 1
    return frozen


class FreezeBatchNorm(keras.callbacks.Callback):
    """Calls `freeze_batch_norm` at the start of an epoch, inside `fit`.

    Args:
        epoch: Index of the first epoch with frozen statistics, from 0.

    Example:

    >>> qat.fit(images, labels, epochs=10, callbacks=[FreezeBatchNorm(epoch=6)])
    """

    def __init__(self, epoch: int):
        super().__init__()
        require_legacy_keras("FreezeBatchNorm")
        if epoch < 0:
            raise ValueError(f"`epoch` must be 0 or more. Received: epoch={epoch}")
        self._epoch = epoch
        self._frozen = False

    def on_train_begin(self, logs=None):
        self._frozen = False

    def on_epoch_begin(self, epoch, logs=None):
        if epoch < self._epoch or self._frozen:
            return
        freeze_batch_norm(self.model)
        # `trainable` is read when the step is traced.
        self.model.make_train_function(force=True)
        self._frozen = True

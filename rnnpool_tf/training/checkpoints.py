"""Checkpoints after every epoch, from which an interrupted training continues.

Data order, weights, optimiser and learning rate go on exactly; only the masks of dropout, which
tf_keras keeps nowhere, are drawn anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import tensorflow as tf

from rnnpool_tf._keras import keras


class EpochCheckpoints(keras.callbacks.Callback):
    """Writes model, optimiser and epoch number after each epoch; keeps the last two.

    All workers of a multi-worker training must write (reading their mirrored variables takes all
    of them), each to a folder of its own; only `folder` of the chief is read again.
    """

    def __init__(self, folder: str | os.PathLike, chief: bool = True, worker: int = 0):
        super().__init__()
        folder = Path(folder)
        self.folder = folder if chief else folder / f"worker{worker}"
        self.restore_from = folder
        self.epoch = tf.Variable(0, trainable=False, dtype=tf.int64)
        self._manager: tf.train.CheckpointManager | None = None

    def set_model(self, model) -> None:
        super().set_model(model)
        if self._manager is None:
            self._prepare(model)

    def restore(self, model) -> int:
        """Load the newest checkpoint into `model`; returns the epochs it has done (0 if none)."""
        self._prepare(model)
        newest = tf.train.latest_checkpoint(self.restore_from)
        if newest is None:
            return 0
        try:
            self._checkpoint.restore(newest).assert_existing_objects_matched()
        except (AssertionError, ValueError) as error:
            raise ValueError(
                "the checkpoint to resume from must belong to the same network and optimiser. "
                f"Received: {newest} ({str(error).splitlines()[0]})"
            ) from error
        return int(self.epoch.numpy())

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        self.epoch.assign(epoch + 1)
        self._manager.save(checkpoint_number=epoch + 1)

    def _prepare(self, model) -> None:
        model.optimizer.build(model.trainable_variables)
        self._checkpoint = tf.train.Checkpoint(
            model=model, optimizer=model.optimizer, epoch=self.epoch
        )
        self._manager = tf.train.CheckpointManager(self._checkpoint, str(self.folder), 2)

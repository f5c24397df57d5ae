"""What a detector finds while it learns, as pictures in TensorBoard."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from rnnpool_tf._keras import keras
from rnnpool_tf.datasets.boxes import BoxExample
from rnnpool_tf.vision.detector import Detector
from rnnpool_tf.vision.drawing import TRUTH, draw_boxes


class BoxPictures(keras.callbacks.Callback):
    """Draws the boxes that are there (orange) and those that are found (green) after each epoch.

    Does nothing where the package tensorboard is not installed.

    Args:
        folder: TensorBoard's folder of the run.
        examples: Pictures to show; a few.
        score: Lowest score of a box that is drawn.
    """

    def __init__(
        self, folder: str | os.PathLike, examples: Sequence[BoxExample], score: float = 0.3
    ):
        super().__init__()
        self.folder, self.examples, self.score = folder, examples, score

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        if importlib.util.find_spec("tensorboard") is None:
            return
        detector = Detector(self.model, score_threshold=self.score)
        writer = tf.summary.create_file_writer(os.path.join(self.folder, "pictures"))
        with writer.as_default():
            for example in self.examples:
                image = example.image()
                rows = detector(image)
                picture = draw_boxes(image, example.boxes, TRUTH)
                picture = draw_boxes(np.asarray(picture), rows[:, 1:], scores=rows[:, 0])
                tf.summary.image(example.name, np.asarray(picture)[np.newaxis], epoch)
        writer.close()

"""A network and data small enough to train in a second."""

from __future__ import annotations

import numpy as np

from rnnpool_tf._keras import keras
from rnnpool_tf.datasets import Examples, ImageDataset

SIZE, COUNT = 12, 24


def dataset(seed: int = 0) -> ImageDataset:
    """Noise, with a bright spot in the middle where the label is 1."""

    def examples(count: int, side: int) -> Examples:
        rng = np.random.default_rng((seed, count))
        labels = np.arange(count) % 2
        images = rng.integers(0, 120, (count, side, side, 1), np.uint8)
        quarter = side // 4
        images[labels == 1, quarter:-quarter, quarter:-quarter] += 120
        return Examples(images, labels, np.ones(count, np.float32), ())

    # Whole pictures only: a crop could leave the spot out.
    return ImageDataset("spots", examples(COUNT, SIZE), examples(8, SIZE), crop_area=(0.9, 1.0))


def model() -> keras.Model:
    """Variables of every kind that a network has, but no dropout, whose masks start anew."""
    inputs = keras.Input((SIZE, SIZE, 1))
    x = keras.layers.Conv2D(4, 3, strides=2, use_bias=False)(inputs)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.8)(x))
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(2)(x))

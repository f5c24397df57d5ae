"""Small models for the conversion tests, with weights that use the whole range of the operator."""

from __future__ import annotations

import numpy as np

from rnnpool_tf import RNNPoolLayer
from rnnpool_tf._keras import keras
from rnnpool_tf.conversion import Graph

SEED = 20240715
SIZE = (13, 14)  # odd and even, so that no grid fits by chance

layers = keras.layers


def pool(name: str = "pool", padding: str = "valid", **arguments):
    return RNNPoolLayer(5, 6, (4, 3), (3, 2), padding, name=name, **arguments)


def conv(x, filters: int = 4, size: int = 3):
    return layers.Conv2D(filters, size, padding="same", activation="relu")(x)


def classify(x):
    return layers.Dense(2)(layers.GlobalAveragePooling2D()(x))


def image():
    return keras.Input((*SIZE, 3), name="image")


def one_pool(**arguments):
    """Convolution, RNNPool, classifier."""
    x = image()
    return randomized(keras.Model(x, classify(pool(**arguments)(conv(x)))))


def randomized(model):
    """Gives every weight a random value; returns the model."""
    rng = np.random.default_rng(SEED)
    for weight in model.weights:
        if weight.shape != (2, 2):  # ζ and ν keep their logits
            weight.assign(rng.normal(0, 0.4, weight.shape).astype(np.float32))
    return model


def images(count: int = 6) -> np.ndarray:
    return np.random.default_rng(SEED).normal(size=(count, *SIZE, 3)).astype(np.float32)


def names(data: bytes) -> list[str]:
    """Types of the operators of a .tflite file, in order."""
    graph = Graph.from_bytes(data)
    return [graph.name_of(operator) for operator in graph.operators]

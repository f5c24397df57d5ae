"""A small network with every kind of layer of the Visual Wake Words network, and its data."""

from __future__ import annotations

import numpy as np

from rnnpool_tf._keras import keras
from rnnpool_tf.layers import RNNPoolLayer

SEED = 20240601
SIZE = 24


def small_model(pool: str = "rnnpool", sequential: bool = False):
    """Stem, pooling, inverted residual with Add, average, Dropout, Dense; 2 logits."""
    layers = keras.layers
    keras.utils.set_random_seed(SEED)
    stem = [
        layers.ZeroPadding2D(((0, 1), (0, 1)), name="pad"),
        layers.Conv2D(8, 3, 2, use_bias=False, name="stem"),
        layers.BatchNormalization(name="stem_bn"),
        layers.ReLU(6.0, name="stem_relu"),
        {
            "rnnpool": lambda: RNNPoolLayer(8, 8, 6, 4, padding="replicate", name="pool"),
            "max": lambda: layers.MaxPooling2D(6, 4, padding="same", name="pool"),
            "average": lambda: layers.AveragePooling2D(6, 4, padding="same", name="pool"),
        }[pool](),
    ]
    head = [
        layers.GlobalAveragePooling2D(name="average"),
        layers.Dropout(0.2, name="dropout"),
        layers.Dense(2, name="logits"),
    ]
    if sequential:
        return keras.Sequential([layers.Input((SIZE, SIZE, 3), name="image"), *stem, *head])
    image = x = layers.Input((SIZE, SIZE, 3), name="image")
    for layer in stem:
        x = layer(x)
    y = layers.Conv2D(32, 1, use_bias=False, name="expand")(x)
    y = layers.BatchNormalization(name="expand_bn")(y)
    y = layers.ReLU(6.0, name="expand_relu")(y)
    y = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise")(y)
    y = layers.BatchNormalization(name="depthwise_bn")(y)
    y = layers.ReLU(6.0, name="depthwise_relu")(y)
    y = layers.Conv2D(x.shape[-1], 1, use_bias=False, name="project")(y)
    y = layers.BatchNormalization(name="project_bn")(y)
    x = layers.Add(name="add")([x, y])
    for layer in head:
        x = layer(x)
    return keras.Model(image, x, name="small")


def data(count: int = 32):
    """Seeded noise images and a label that depends on them."""
    images = np.random.default_rng(SEED).normal(size=(count, SIZE, SIZE, 3)).astype(np.float32)
    return images, (images.mean((1, 2, 3)) > 0).astype(np.int32)


def compiled(model, rate: float = 0.05):
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    return model


def train(model, epochs: int = 1, callbacks=()):
    """Two steps of 16 images per epoch, in a fixed order."""
    images, labels = data()
    model.fit(
        images, labels, 16, epochs=epochs, shuffle=False, verbose=0, callbacks=list(callbacks)
    )
    return model

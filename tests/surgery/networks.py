"""Small networks of every shape that a user may bring, seeded."""

from __future__ import annotations

import numpy as np

from rnnpool_tf._keras import keras

SEED = 20240817
SIZE = 24


def _convolution(x, filters: int, name: str, strides: int = 1, kernel: int = 3):
    x = keras.layers.Conv2D(
        filters, kernel, strides, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    x = keras.layers.BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x)


def _finish(image, x):
    x = keras.layers.GlobalAveragePooling2D(name="average")(x)
    return keras.Model(image, keras.layers.Dense(2, name="logits")(x), name="network")


def _start():
    keras.utils.set_random_seed(SEED)
    image = keras.layers.Input((SIZE, SIZE, 3), name="image")
    return image, _convolution(image, 8, "stem")


def nested_and_frozen():
    """stem 24x24x8, pool 6x6x8, then a model whose first layer is frozen."""
    image, x = _start()
    inner_image = keras.Input((6, 6, 8))
    frozen = keras.layers.Conv2D(8, 3, padding="same", name="frozen")
    frozen.trainable = False
    free = keras.layers.Conv2D(8, 3, padding="same", name="free")
    inner = keras.Model(inner_image, free(frozen(inner_image)), name="inner")
    return _finish(image, inner(keras.layers.MaxPooling2D(4, name="pool")(x)))


def residual():
    """stem 24x24x8, down 12x12x8, a residual block, small 6x6x16."""
    image, x = _start()
    x = y = _convolution(x, 8, "down", strides=2)
    y = _convolution(y, 8, "inner")
    y = _convolution(y, 8, "inner2")
    x = keras.layers.Add(name="add")([x, y])
    return _finish(image, _convolution(x, 16, "small", strides=2))


def concatenation():
    """stem 24x24x8, two branches to 12x12x8 each, joined, small 6x6x16."""
    image, x = _start()
    left = _convolution(x, 8, "left", strides=2)
    right = keras.layers.MaxPooling2D(2, name="right_pool")(x)
    x = keras.layers.Concatenate(name="join")([left, right])
    return _finish(image, _convolution(x, 16, "small", strides=2))


def sequential(filters: int = 8, size: int = SIZE):
    """stem, a 4x4 max pooling, a convolution, global pooling, logits."""
    layers = keras.layers
    keras.utils.set_random_seed(SEED)
    return keras.Sequential(
        [
            layers.Input((size, size, 3), name="image"),
            layers.Conv2D(filters, 3, padding="same", use_bias=False, name="stem"),
            layers.BatchNormalization(name="stem_bn"),
            layers.ReLU(6.0, name="stem_relu"),
            layers.MaxPooling2D(4, padding="same", name="pool"),
            layers.Conv2D(16, 3, padding="same", name="conv"),
            layers.GlobalAveragePooling2D(name="average"),
            layers.Dense(2, name="logits"),
        ],
        name="chain",
    )


def shared_and_two_ended():
    """Two inputs through the same stem, pooled apart, joined; two outputs."""
    keras.utils.set_random_seed(SEED)
    images = [keras.layers.Input((SIZE, SIZE, 3), name=name) for name in ("left", "right")]
    stem = keras.layers.Conv2D(8, 3, padding="same", name="stem")
    maps = [stem(image) for image in images]
    pooled = [
        keras.layers.MaxPooling2D(4, name=f"{name}_pool")(x)
        for name, x in zip(("left", "right"), maps, strict=True)
    ]
    x = keras.layers.Concatenate(name="join")(pooled)
    x = keras.layers.GlobalAveragePooling2D(name="average")(x)
    outputs = {name: keras.layers.Dense(2, name=name)(x) for name in ("class", "age")}
    return keras.Model(images, outputs, name="twins")


def images(count: int = 4, size: int = SIZE) -> np.ndarray:
    """Seeded noise."""
    return np.random.default_rng(SEED).normal(size=(count, size, size, 3)).astype(np.float32)


def with_random_statistics(model):
    """Gives every weight a value of its own, so that copying the wrong one shows."""
    rng = np.random.default_rng(SEED)
    model.set_weights([rng.uniform(0.1, 1, w.shape).astype(w.dtype) for w in model.get_weights()])
    return model

"""One pooling operator that sees the whole picture, and a Dense layer: what the operator can do."""

from __future__ import annotations

from rnnpool_tf._keras import keras
from rnnpool_tf.arguments import positive_integer
from rnnpool_tf.layers import RNNPoolLayer
from rnnpool_tf.models import blocks
from rnnpool_tf.models.pooling import check_pooling

POOLINGS = ("rnnpool", "strided_conv", "max", "average")


def operator_probe(
    input_shape=(32, 32, 3),
    num_classes=10,
    *,
    pooling="rnnpool",
    hidden1=32,
    hidden2=32,
    stem_filters=0,
    batch_norm_momentum=0.99,
):
    """A picture to one vector of 4 · hidden2 channels in one step, and a Dense layer that gives
    logits.

    Source: Saha et al., 2020, appendix C. There RNNPool takes up CIFAR-10 with the other operators
    (C.2), and learns lines and shapes with and without a convolution before it (C.1). The
    convolution in RNNPool's place, and the 1×1 convolution behind the maximum or the average, are
    followed by BatchNorm and ReLU6 as everywhere in the paper's networks; without that, picture and
    logits would be connected by a linear map.

    Args:
        input_shape: (height, width, channels).
        num_classes: Number of logits.
        pooling: "rnnpool"; "strided_conv", a convolution of the picture's size; "max" or
            "average" over the picture, followed by a 1×1 convolution.
        hidden1: Units of RNN1; without meaning to other poolings.
        hidden2: Units of RNN2; every pooling gives 4 · hidden2 channels.
        stem_filters: Filters of a convolution (3×3, stride 2) before the operator; 0 leaves it out.
        batch_norm_momentum: Of the moving averages.

    Returns:
        A `keras.Model` from (batch, height, width, channels) to (batch, num_classes) logits.

    Raises:
        ValueError: An argument is malformed.

    Example:

    >>> from rnnpool_tf.models import operator_probe
    >>> tuple(operator_probe().get_layer("pool").output.shape[1:])
    (1, 1, 128)
    """
    check_pooling(pooling, POOLINGS)
    for name, value in (("num_classes", num_classes), ("hidden1", hidden1), ("hidden2", hidden2)):
        positive_integer(value, name)
    if stem_filters != 0:
        positive_integer(stem_filters, "stem_filters")
    style = blocks.Style("same", batch_norm_momentum)
    inputs = blocks.image_input(input_shape)
    x = blocks.conv(inputs, stem_filters, 3, 2, "stem", style) if stem_filters else inputs
    x = _whole_picture(x, pooling, hidden1, hidden2, style)
    x = keras.layers.Flatten(name="flatten")(x)
    logits = keras.layers.Dense(num_classes, name="logits")(x)
    return keras.Model(inputs, logits, name=f"operator_probe_{pooling}")


def _whole_picture(x, pooling, hidden1, hidden2, style):
    size = tuple(x.shape[1:3])
    if pooling == "rnnpool":
        return RNNPoolLayer(hidden1, hidden2, size, name="pool")(x)
    filters = 4 * hidden2
    if pooling == "strided_conv":
        return blocks.conv(x, filters, size, size, "pool", style)
    layer = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[pooling]
    x = layer(size, size, name="pool")(x)
    return blocks.conv(x, filters, 1, 1, "pool_expand", style)

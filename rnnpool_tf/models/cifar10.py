"""A small network with RNNPool for 32×32 pictures, such as CIFAR-10."""

from __future__ import annotations

from rnnpool_tf._keras import keras
from rnnpool_tf.arguments import positive_integer
from rnnpool_tf.layers import RNNPoolLayer
from rnnpool_tf.models import blocks, head

STAGES = (blocks.Stage(6, 32, 2, 1), blocks.Stage(6, 64, 2, 2))


def cifar10(
    input_shape=(32, 32, 3),
    num_classes=10,
    *,
    stem_filters=16,
    hidden=8,
    last_filters=256,
    dropout=0.2,
    batch_norm_momentum=0.99,
    gates="smooth",
):
    """The shape of the paper's classifiers at the size of CIFAR-10.

    A stem convolution (stride 2), one RNNPoolLayer (patch 4, stride 2), four inverted residuals, a
    1×1 convolution, global average and a Dense layer: 3.8 million multiply-accumulates. The network
    is ours, for experiments that train in minutes; the paper has none for such small pictures but
    the probes of appendix C.

    Args:
        input_shape: (height, width, channels).
        num_classes: Number of logits.
        stem_filters: Channels of the stem.
        hidden: Units of both RNNs; the pooled map has 4 · hidden channels.
        last_filters: Channels of the last 1×1 convolution.
        dropout: Rate before the Dense layer.
        batch_norm_momentum: Of the moving averages.
        gates: See `RNNPoolLayer`.

    Returns:
        A `keras.Model` from (batch, height, width, channels) to (batch, num_classes) logits.

    Raises:
        ValueError: An argument is malformed, or the picture is too small for the patches.

    Example:

    >>> from rnnpool_tf.models import cifar10
    >>> tuple(cifar10().get_layer("pool").output.shape[1:])
    (8, 8, 32)
    """
    positive_integer(stem_filters, "stem_filters")
    positive_integer(last_filters, "last_filters")
    style = blocks.Style("same", batch_norm_momentum)
    inputs = blocks.image_input(input_shape)
    x = blocks.conv(inputs, stem_filters, 3, 2, "stem", style)
    x = RNNPoolLayer(hidden, hidden, 4, 2, "replicate", gates=gates, name="pool")(x)
    x = blocks.inverted_residuals(x, STAGES, style)[-1]
    x = blocks.conv(x, last_filters, 1, 1, "last", style)
    logits = head.classifier(x, num_classes, dropout=dropout)
    return keras.Model(inputs, logits, name="cifar10")

"""Visual Wake Words (is there a person in the image?): MobileNetV2-0.35 with RNNPool."""

from __future__ import annotations

from rnnpool_tf._keras import keras
from rnnpool_tf.models import blocks
from rnnpool_tf.models.mobilenet_v2 import STAGES as FULL_STAGES
from rnnpool_tf.models.pooling import check_pooling, pool

POOLINGS = ("rnnpool", "strided_conv", "max", "average")

# MobileNetV2 from its 64-channel stage on.
STAGES = FULL_STAGES[3:]


def visual_wake_words(
    input_shape=(224, 224, 3),
    num_classes=2,
    *,
    pooling="rnnpool",
    width=0.35,
    stem_filters=8,
    hidden=8,
    last_filters=320,
    dropout=0.2,
    padding="same",
    batch_norm_momentum=0.99,
    trainable_zeta_nu=False,
    gates="smooth",
):
    """The paper's Visual Wake Words network, or its twin with another pooling operator.

    A stem convolution (stride 2), one RNNPoolLayer (patch 6, stride 4) in place of MobileNetV2's
    first stages, eleven inverted residuals, a 1×1 convolution, global average and a Dense layer.
    Source: Saha et al., 2020, §5.1 and appendix G; EdgeML's `model_mobilenet_rnnpool`.

    Args:
        input_shape: (height, width, channels); the paper uses 96, 128, 160, 192 and 224 pixels,
            RGB. Grey images have 1 channel.
        num_classes: Number of logits.
        pooling: What reduces the stem's output 4×: "rnnpool"; or, as in the paper's Table 2,
            "strided_conv" (6×6, stride 4), "max" or "average" (each followed by a 1×1 convolution
            to the same number of channels).
        width: Width multiplier of the inverted residuals.
        stem_filters: Channels of the stem.
        hidden: Units of both RNNs; the pooled map has 4 · hidden channels.
        last_filters: Channels of the last 1×1 convolution.
        dropout: Rate before the Dense layer.
        padding: "same" (meant for TFLite Micro) or "pytorch" (what EdgeML's weights expect).
        batch_norm_momentum: Of the moving averages.
        trainable_zeta_nu: See `RNNPoolLayer`.
        gates: See `RNNPoolLayer`; without meaning to other poolings.

    Returns:
        A `keras.Model` from (batch, height, width, channels) to (batch, num_classes) logits.

    Raises:
        ValueError: An argument is malformed, or the image is too small for the patches.

    Example:

    >>> from rnnpool_tf.models import visual_wake_words
    >>> tuple(visual_wake_words((96, 96, 3)).get_layer("pool").output.shape[1:])
    (12, 12, 32)
    """
    check_pooling(pooling, POOLINGS)
    style = blocks.Style(padding, batch_norm_momentum)
    inputs = blocks.image_input(input_shape)
    x = blocks.conv(inputs, stem_filters, 3, 2, "stem", style)
    x = pool(x, pooling, hidden, 6, style, trainable_zeta_nu=trainable_zeta_nu, gates=gates)
    x = blocks.inverted_residuals(x, STAGES, style, width)[-1]
    logits = blocks.classifier(x, last_filters, dropout, num_classes, style)
    return keras.Model(inputs, logits, name=f"visual_wake_words_{pooling}")

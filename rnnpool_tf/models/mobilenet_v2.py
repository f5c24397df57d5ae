"""MobileNetV2 as the paper's Visual Wake Words baseline: no RNNPool, all stages."""

from __future__ import annotations

from rnnpool_tf._keras import keras
from rnnpool_tf.models import blocks

# Sandler et al., "MobileNetV2", CVPR 2018, Table 2.
STAGES = (
    blocks.Stage(1, 16, 1, 1),
    blocks.Stage(6, 24, 2, 2),
    blocks.Stage(6, 32, 3, 2),
    blocks.Stage(6, 64, 4, 2),
    blocks.Stage(6, 96, 3, 1),
    blocks.Stage(6, 160, 3, 2),
    blocks.Stage(6, 320, 1, 1),
)


def mobilenet_v2(
    input_shape=(224, 224, 3),
    num_classes=2,
    *,
    width=0.35,
    stem_filters=8,
    last_filters=320,
    dropout=0.2,
    padding="same",
    batch_norm_momentum=0.99,
):
    """MobileNetV2, by default the network that `visual_wake_words` makes smaller with RNNPool.

    A stem convolution (stride 2), seventeen inverted residuals, a 1×1 convolution, global average
    and a Dense layer. Source: Sandler et al., 2018; the sizes are those of the baseline in
    Saha et al., 2020, §5.1 and appendix G, which leaves the stem's filters open.

    Args:
        input_shape: (height, width, channels).
        num_classes: Number of logits.
        width: Width multiplier of the inverted residuals.
        stem_filters: Channels of the stem.
        last_filters: Channels of the last 1×1 convolution.
        dropout: Rate before the Dense layer.
        padding: "same" (meant for TFLite Micro) or "pytorch" (symmetric).
        batch_norm_momentum: Of the moving averages.

    Returns:
        A `keras.Model` from (batch, height, width, channels) to (batch, num_classes) logits.

    Raises:
        ValueError: An argument is malformed.

    Example:

    >>> from rnnpool_tf.models import mobilenet_v2
    >>> mobilenet_v2((96, 96, 3)).count_params() > 286_946  # BatchNorm's averages included
    True
    """
    style = blocks.Style(padding, batch_norm_momentum)
    inputs = blocks.image_input(input_shape)
    x = blocks.conv(inputs, stem_filters, 3, 2, "stem", style)
    x = blocks.inverted_residuals(x, STAGES, style, width)[-1]
    logits = blocks.classifier(x, last_filters, dropout, num_classes, style)
    return keras.Model(inputs, logits, name="mobilenet_v2")

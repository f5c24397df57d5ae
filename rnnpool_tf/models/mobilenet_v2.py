"""MobileNetV2, whole or with RNNPool in the place of its first stages."""

from __future__ import annotations

import numbers

from rnnpool_tf._keras import keras
from rnnpool_tf.arguments import positive_integer
from rnnpool_tf.models import blocks, head
from rnnpool_tf.models.pooling import Choice, model_name

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
# What RNNPool replaces, to the names in `REPLACEMENTS`.
REPLACE = {
    "standard": "mobilenet_v2",
    "deeper": "mobilenet_v2_deeper",
    "deeper_twice": "mobilenet_v2_deeper_twice",
}


def mobilenet_v2(
    input_shape=(224, 224, 3),
    num_classes=1000,
    *,
    pooling="none",
    final_pooling="average",
    hidden=None,
    pool_size=None,
    replace="standard",
    width=1.0,
    stem_filters=32,
    last_filters=1280,
    dropout=0.2,
    padding="same",
    batch_norm_momentum=0.99,
    trainable_zeta_nu=False,
    gates="smooth",
):
    """MobileNetV2 for ImageNet, and MobileNetV2-RNNPool.

    A stem convolution (stride 2), seventeen inverted residuals, a 1×1 convolution, global average
    and a Dense layer; with `pooling`, eleven inverted residuals behind one pooling operator.
    Source: Sandler et al., 2018; Saha et al., 2020, Table 10. The paper counts its network with
    the first 64-channel block as it is in MobileNetV2, whose input has 32 channels instead of
    RNNPool's 64: so its 226 million multiply-accumulates are 242 million here.

    Args:
        input_shape: (height, width, channels).
        num_classes: Number of logits.
        pooling: What reduces the stem's output in place of the first stages: "none" leaves them;
            "rnnpool", as in the paper; "rnnpool_gru", "rnnpool_lstm", "renet", "strided_conv",
            "max", "average": see `rnnpool_tf.models.pooling.pool`.
        final_pooling: What makes a vector of the last map: "average" or "rnnpool".
        hidden: Units of both RNNs of the pooling operator, which has 4 · hidden channels; None for
            the paper's.
        pool_size: Side of its patches, likewise.
        replace: Which stages go: "standard"; "deeper" for one RNNPool of stride 8 and patch 12 in
            the place of the 64-channel stage, too; "deeper_twice" for two of strides 4 and 2
            (Table 16 (f), (g); `hidden` and `pool_size` are those of the first).
        width: Width multiplier of the inverted residuals.
        stem_filters: Channels of the stem.
        last_filters: Channels of the last 1×1 convolution.
        dropout: Rate before the Dense layer; none behind a final RNNPool.
        padding: "same" (meant for TFLite Micro) or "pytorch" (symmetric).
        batch_norm_momentum: Of the moving averages.
        trainable_zeta_nu: See `RNNPoolLayer`; without meaning to other poolings.
        gates: Likewise.

    Returns:
        A `keras.Model` from (batch, height, width, channels) to (batch, num_classes) logits.

    Raises:
        ValueError: An argument is malformed, or the image is too small for the patches.

    Example:

    >>> from rnnpool_tf.models import mobilenet_v2
    >>> model = mobilenet_v2((96, 96, 3), pooling="rnnpool")
    >>> tuple(model.get_layer("pool").output.shape[1:])
    (12, 12, 64)
    """
    if replace not in REPLACE:
        raise ValueError(
            f"`replace` must be one of {', '.join(map(repr, REPLACE))}. "
            f"Received: replace={replace!r}"
        )
    choice = Choice(
        pooling,
        hidden,
        pool_size,
        blocks.Style(padding, batch_norm_momentum),
        trainable_zeta_nu,
        gates,
        REPLACE[replace],
    )
    return assemble(
        input_shape,
        num_classes,
        choice,
        final_pooling,
        width=width,
        stem_filters=stem_filters,
        last_filters=last_filters,
        dropout=dropout,
        name="mobilenet_v2",
    )


def assemble(
    input_shape,
    num_classes,
    choice,
    final_pooling,
    *,
    width,
    stem_filters,
    last_filters,
    dropout,
    name,
):
    """MobileNetV2 of any sizes; for the arguments see `mobilenet_v2`."""
    positive_integer(stem_filters, "stem_filters")
    positive_integer(last_filters, "last_filters")
    if isinstance(width, bool) or not isinstance(width, numbers.Real) or not width > 0:
        raise ValueError(f"`width` must be a number above 0. Received: width={width!r}")
    style = choice.style
    inputs = blocks.image_input(input_shape)
    x = blocks.conv(inputs, stem_filters, 3, 2, "stem", style)
    if choice.replaces:
        x = choice.apply(x)
    x = blocks.inverted_residuals(x, STAGES[choice.kept_from :], style, width)[-1]
    x = blocks.conv(x, last_filters, 1, 1, "last", style)
    logits = head.classifier(
        x,
        num_classes,
        final_pooling=final_pooling,
        dropout=dropout,
        trainable_zeta_nu=choice.trainable_zeta_nu,
        gates=choice.gates,
    )
    return keras.Model(inputs, logits, name=model_name(name, choice, final_pooling))

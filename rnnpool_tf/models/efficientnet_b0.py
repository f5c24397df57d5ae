"""EfficientNet-B0, whole or with RNNPool in the place of its first stages."""

from __future__ import annotations

from rnnpool_tf._keras import keras
from rnnpool_tf.models import blocks, head
from rnnpool_tf.models.pooling import Choice, model_name

# Tan and Le, "EfficientNet", ICML 2019, Table 1; beside each stage the side of its depthwise
# convolutions.
STAGES = (
    (blocks.Stage(1, 16, 1, 1), 3),
    (blocks.Stage(6, 24, 2, 2), 3),
    (blocks.Stage(6, 40, 2, 2), 5),
    (blocks.Stage(6, 80, 3, 2), 3),
    (blocks.Stage(6, 112, 3, 1), 5),
    (blocks.Stage(6, 192, 4, 2), 5),
    (blocks.Stage(6, 320, 1, 1), 3),
)


def efficientnet_b0(
    input_shape=(224, 224, 3),
    num_classes=1000,
    *,
    pooling="none",
    final_pooling="average",
    hidden=None,
    pool_size=None,
    dropout=0.2,
    padding="same",
    batch_norm_momentum=0.99,
    trainable_zeta_nu=False,
    gates="smooth",
):
    """EfficientNet-B0 for ImageNet, and EfficientNet-B0-RNNPool.

    A stem convolution (stride 2), sixteen inverted residuals with squeeze-and-excitation, a 1×1
    convolution, global average and a Dense layer; swish throughout. Source: Tan and Le, 2019;
    Saha et al., 2020, Tables 1 and 9, §E.2.2: RNNPool goes through the 40-channel stage, and the
    next block leads from 28×28×64 to 14×14×80.

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

    >>> from rnnpool_tf.models import efficientnet_b0
    >>> model = efficientnet_b0((96, 96, 3), pooling="rnnpool")
    >>> tuple(model.get_layer("pool").output.shape[1:])
    (12, 12, 64)
    """
    choice = Choice(
        pooling,
        hidden,
        pool_size,
        blocks.Style(padding, batch_norm_momentum, "swish"),
        trainable_zeta_nu,
        gates,
        "efficientnet_b0",
    )
    style = choice.style
    inputs = blocks.image_input(input_shape)
    x = blocks.conv(inputs, 32, 3, 2, "stem", style)
    if choice.replaces:
        x = choice.apply(x)
    block = 0
    for stage, kernel_size in STAGES[choice.kept_from :]:
        for repetition in range(stage.repetitions):
            block += 1
            strides = stage.stride if repetition == 0 else 1
            x = _block(x, stage, strides, kernel_size, f"block{block}", style)
    x = blocks.conv(x, 1280, 1, 1, "last", style)
    logits = head.classifier(
        x,
        num_classes,
        final_pooling=final_pooling,
        dropout=dropout,
        trainable_zeta_nu=trainable_zeta_nu,
        gates=gates,
    )
    return keras.Model(inputs, logits, name=model_name("efficientnet_b0", choice, final_pooling))


def _block(x, stage, strides, kernel_size, name, style):
    """An inverted residual whose depthwise convolution is followed by squeeze-and-excitation."""
    channels = x.shape[-1]
    y = x
    if stage.expansion != 1:
        y = blocks.conv(y, channels * stage.expansion, 1, 1, f"{name}_expand", style)
    y = blocks.depthwise(y, strides, f"{name}_depthwise", style, kernel_size)
    y = _squeeze_and_excite(y, channels // 4, name, style)
    y = blocks.conv(y, stage.channels, 1, 1, f"{name}_project", style, activate=False)
    if strides == 1 and channels == stage.channels:
        y = keras.layers.Add(name=f"{name}_add")([x, y])
    return y


def _squeeze_and_excite(x, squeezed, name, style):
    """Weighs the channels by what they are on average (Hu et al., CVPR 2018)."""
    weight = keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(x)
    weight = keras.layers.Conv2D(squeezed, 1, name=f"{name}_reduce")(weight)
    weight = blocks.activation(weight, f"{name}_reduce", style)
    weight = keras.layers.Conv2D(x.shape[-1], 1, activation="sigmoid", name=f"{name}_excite")(
        weight
    )
    return keras.layers.Multiply(name=f"{name}_scale")([x, weight])

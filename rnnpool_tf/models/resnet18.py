"""ResNet18, whole or with RNNPool in the place of its first stages."""

from __future__ import annotations

from rnnpool_tf._keras import keras
from rnnpool_tf.models import blocks, head
from rnnpool_tf.models.pooling import Choice, model_name

# He et al., "Deep Residual Learning", CVPR 2016, Table 1: channels and stride of conv2_x, conv3_x,
# conv4_x and conv5_x, of two residual blocks each.
STAGES = ((64, 1), (128, 2), (256, 2), (512, 2))


def resnet18(
    input_shape=(224, 224, 3),
    num_classes=1000,
    *,
    pooling="none",
    final_pooling="average",
    hidden=None,
    pool_size=None,
    dropout=0.0,
    padding="same",
    batch_norm_momentum=0.99,
    trainable_zeta_nu=False,
    gates="smooth",
):
    """ResNet18 for ImageNet, and ResNet18-RNNPool.

    A 7×7 stem convolution (stride 2), max-pooling, eight residual blocks, global average and a
    Dense layer. Source: He et al., 2016; Saha et al., 2020, Tables 1 and 9, §E.2.2: RNNPool takes
    the place of max-pooling, conv2_x and conv3_x. The paper's 0.95 billion multiply-accumulates
    are what is left without those of RNNPool's 157 million.

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

    >>> from rnnpool_tf.models import resnet18
    >>> model = resnet18((96, 96, 3), pooling="rnnpool")
    >>> tuple(model.get_layer("pool").output.shape[1:])
    (12, 12, 128)
    """
    choice = Choice(
        pooling,
        hidden,
        pool_size,
        blocks.Style(padding, batch_norm_momentum, "relu"),
        trainable_zeta_nu,
        gates,
        "resnet18",
    )
    style = choice.style
    inputs = blocks.image_input(input_shape)
    x = blocks.conv(inputs, 64, 7, 2, "stem", style)
    x = choice.apply(x) if choice.replaces else blocks.max_pool(x, 2, "max_pool", style)
    block = 0
    for filters, strides in STAGES[choice.kept_from :]:
        for stride in (strides, 1):
            block += 1
            x = _residual(x, filters, stride, f"block{block}", style)
    logits = head.classifier(
        x,
        num_classes,
        final_pooling=final_pooling,
        dropout=dropout,
        trainable_zeta_nu=trainable_zeta_nu,
        gates=gates,
    )
    return keras.Model(inputs, logits, name=model_name("resnet18", choice, final_pooling))


def _residual(x, filters, strides, name, style):
    """Two 3×3 convolutions and a shortcut; a 1×1 convolution in it where shapes differ."""
    y = blocks.conv(x, filters, 3, strides, f"{name}_conv1", style)
    y = blocks.conv(y, filters, 3, 1, f"{name}_conv2", style, activate=False)
    if strides != 1 or x.shape[-1] != filters:
        x = blocks.conv(x, filters, 1, strides, f"{name}_shortcut", style, activate=False)
    return blocks.activation(keras.layers.Add(name=f"{name}_add")([x, y]), name, style)

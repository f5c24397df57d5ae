"""MobileNetV1, whole or with RNNPool in the place of its first layers."""

from __future__ import annotations

from rnnpool_tf._keras import keras
from rnnpool_tf.models import blocks, head
from rnnpool_tf.models.pooling import Choice, model_name

# Howard et al., "MobileNets", 2017, Table 1: filters and stride of the separable convolutions.
LAYERS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    *((512, 1),) * 5,
    (1024, 2),
    (1024, 1),
)


def mobilenet_v1(
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
    """MobileNetV1 for ImageNet, and MobileNetV1-RNNPool.

    A stem convolution (stride 2), thirteen depthwise-separable convolutions, global average and a
    Dense layer. Source: Howard et al., 2017; Saha et al., 2020, §5.1 and Table 3. That paper says
    "constructed similarly with h1 = h2 = 16" and no more; what is kept here, from the second layer
    with 256 channels on, has its parameters, its multiply-accumulates and its largest map.

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

    >>> from rnnpool_tf.models import mobilenet_v1
    >>> model = mobilenet_v1((96, 96, 3), pooling="rnnpool")
    >>> tuple(model.get_layer("pool").output.shape[1:])
    (12, 12, 64)
    """
    choice = Choice(
        pooling,
        hidden,
        pool_size,
        blocks.Style(padding, batch_norm_momentum, "relu"),
        trainable_zeta_nu,
        gates,
        "mobilenet_v1",
    )
    style = choice.style
    inputs = blocks.image_input(input_shape)
    x = blocks.conv(inputs, 32, 3, 2, "stem", style)
    if choice.replaces:
        x = choice.apply(x)
    for index, (filters, strides) in enumerate(LAYERS[choice.kept_from :], 1):
        x = blocks.depthwise(x, strides, f"pair{index}_depthwise", style)
        x = blocks.conv(x, filters, 1, 1, f"pair{index}_pointwise", style)
    logits = head.classifier(
        x,
        num_classes,
        final_pooling=final_pooling,
        dropout=dropout,
        trainable_zeta_nu=trainable_zeta_nu,
        gates=gates,
    )
    return keras.Model(inputs, logits, name=model_name("mobilenet_v1", choice, final_pooling))

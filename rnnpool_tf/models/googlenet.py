"""GoogLeNet, whole or with RNNPool in the place of its first stages."""

from __future__ import annotations

from rnnpool_tf._keras import keras
from rnnpool_tf.arguments import check_flag, positive_integer
from rnnpool_tf.models import blocks, head
from rnnpool_tf.models.pooling import Choice, model_name

# Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, Table 1: filters of 1×1; 3×3 behind
# a 1×1 reduction; 5×5 behind a reduction; the 1×1 behind max-pooling.
INCEPTIONS_3 = ((64, (96, 128), (16, 32), 32), (128, (128, 192), (32, 96), 64))
INCEPTIONS_4 = (
    (192, (96, 208), (16, 48), 64),
    (160, (112, 224), (24, 64), 64),
    (128, (128, 256), (24, 64), 64),
    (112, (144, 288), (32, 64), 64),
    (256, (160, 320), (32, 128), 128),
)
INCEPTIONS_5 = ((256, (160, 320), (32, 128), 128), (384, (192, 384), (48, 128), 128))


def googlenet(
    input_shape=(224, 224, 3),
    num_classes=1000,
    *,
    pooling="none",
    final_pooling="average",
    hidden=None,
    pool_size=None,
    auxiliary=False,
    large_kernel=3,
    dropout=0.2,
    padding="same",
    batch_norm_momentum=0.99,
    trainable_zeta_nu=False,
    gates="smooth",
):
    """GoogLeNet for ImageNet, and GoogLeNet-RNNPool.

    A 7×7 stem convolution (stride 2), two further convolutions, nine inception modules, global
    average and a Dense layer; BatchNorm behind every convolution. Source: Szegedy et al., 2015;
    Saha et al., 2020, Tables 1 and 9. That paper does not say what RNNPool replaces. Its 9.96 and
    9.35 million parameters are those with `auxiliary=True` and 3×3 convolutions where Szegedy et
    al. have 5×5, and of replacing everything up to inception (3b) (9.35 with (4a) left at its 480
    inputs, which are 128 here); its 1.57 billion multiply-accumulates are those of `large_kernel=5`
    without RNNPool, and its 0.81 billion with RNNPool leave out RNNPool's own 157 million.

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
        auxiliary: Adds the two auxiliary classifiers that the training of Szegedy et al. has,
            behind inception (4a) and (4d): then there are three outputs of logits.
        large_kernel: Side of the convolutions that are 5×5 in Szegedy et al.
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

    >>> from rnnpool_tf.models import googlenet
    >>> model = googlenet((96, 96, 3), pooling="rnnpool")
    >>> tuple(model.get_layer("pool").output.shape[1:])
    (12, 12, 128)
    """
    check_flag(auxiliary, "auxiliary")
    positive_integer(large_kernel, "large_kernel")
    choice = Choice(
        pooling,
        hidden,
        pool_size,
        blocks.Style(padding, batch_norm_momentum, "relu"),
        trainable_zeta_nu,
        gates,
        "googlenet",
    )
    style = choice.style
    inputs = blocks.image_input(input_shape)
    x = blocks.conv(inputs, 64, 7, 2, "stem", style)
    if choice.replaces:
        x = choice.apply(x)
    else:
        x = blocks.max_pool(x, 2, "max_pool1", style)
        x = blocks.conv(x, 64, 1, 1, "conv2", style)
        x = blocks.conv(x, 192, 3, 1, "conv3", style)
        x = blocks.max_pool(x, 2, "max_pool2", style)
        x = _inceptions(x, INCEPTIONS_3, "inception3", large_kernel, style)[-1]
    x = blocks.max_pool(x, 2, "max_pool3", style)
    maps = _inceptions(x, INCEPTIONS_4, "inception4", large_kernel, style)
    x = blocks.max_pool(maps[-1], 2, "max_pool4", style)
    x = _inceptions(x, INCEPTIONS_5, "inception5", large_kernel, style)[-1]
    outputs = head.classifier(
        x,
        num_classes,
        final_pooling=final_pooling,
        dropout=dropout,
        trainable_zeta_nu=trainable_zeta_nu,
        gates=gates,
    )
    if auxiliary:
        early, late = maps[0], maps[3]
        outputs = [
            outputs,
            _auxiliary(early, num_classes, "auxiliary1", style),
            _auxiliary(late, num_classes, "auxiliary2", style),
        ]
    return keras.Model(inputs, outputs, name=model_name("googlenet", choice, final_pooling))


def _auxiliary(x, num_classes, name, style):
    """Logits from the middle of the network, for its training only."""
    if min(x.shape[1:3]) < 5:
        raise ValueError(
            "`auxiliary` classifiers need maps of at least 5×5, hence images of at least 65×65. "
            f"Received: a map of shape {tuple(x.shape[1:])}"
        )
    x = keras.layers.AveragePooling2D(5, 3, name=f"{name}_average")(x)
    x = blocks.conv(x, 128, 1, 1, f"{name}_reduce", style)
    x = keras.layers.Flatten(name=f"{name}_features")(x)
    x = keras.layers.Dense(1024, activation="relu", name=f"{name}_hidden")(x)
    x = keras.layers.Dropout(0.7, name=f"{name}_dropout")(x)
    return keras.layers.Dense(num_classes, name=f"{name}_logits")(x)


def _inceptions(x, modules, name, large_kernel, style):
    """Inception modules in a row, named a, b, …; returns the output of each."""
    outputs = []
    for letter, module in zip("abcde", modules, strict=False):
        x = _inception(x, module, f"{name}{letter}", large_kernel, style)
        outputs.append(x)
    return outputs


def _inception(x, module, name, large_kernel, style):
    """Four branches side by side."""
    single, (reduce3, filters3), (reduce5, filters5), pooled = module
    branch3 = blocks.conv(x, reduce3, 1, 1, f"{name}_reduce3", style)
    branch5 = blocks.conv(x, reduce5, 1, 1, f"{name}_reduce5", style)
    branches = [
        blocks.conv(x, single, 1, 1, f"{name}_1x1", style),
        blocks.conv(branch3, filters3, 3, 1, f"{name}_3x3", style),
        blocks.conv(branch5, filters5, large_kernel, 1, f"{name}_5x5", style),
        blocks.conv(
            blocks.max_pool(x, 1, f"{name}_pool", style), pooled, 1, 1, f"{name}_pooled", style
        ),
    ]
    return keras.layers.Concatenate(name=name)(branches)

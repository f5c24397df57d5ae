"""DenseNet121, whole or with RNNPool in the place of its pooling layers."""

from __future__ import annotations

from rnnpool_tf._keras import keras
from rnnpool_tf.layers import RNNPoolLayer
from rnnpool_tf.models import blocks, head
from rnnpool_tf.models.pooling import Choice, model_name

# Huang et al., "Densely Connected Convolutional Networks", CVPR 2017, Table 1: dense layers of
# D1 … D4. RNNPool leaves the last two blocks, and the transition T2 in front of them.
DENSE_LAYERS = (6, 12, 24, 16)
GROWTH = 32
TRANSITION_POOLINGS = ("average", "rnnpool")


def densenet121(
    input_shape=(224, 224, 3),
    num_classes=1000,
    *,
    pooling="none",
    final_pooling="average",
    hidden=None,
    pool_size=None,
    transition_pooling="average",
    dropped_layers=(0, 0),
    dropout=0.0,
    padding="same",
    batch_norm_momentum=0.99,
    trainable_zeta_nu=False,
    gates="smooth",
):
    """DenseNet121 for ImageNet, and DenseNet121-RNNPool.

    A 7×7 stem convolution (stride 2), max-pooling P1, dense blocks D1 to D4 with transitions T1 to
    T3 between them, global average and a Dense layer. Source: Huang et al., 2017; Saha et al.,
    2020, Tables 1 and 9, Figure 2: RNNPool takes the place of P1, D1, T1 and D2. Figure 2 gives
    its output 128 channels, Table 9 gives it 48 units, which are 192: these reproduce the paper's
    parameters and multiply-accumulates, 128 do not.

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
        transition_pooling: What halves the map in the transitions: "average" or "rnnpool" (units a
            quarter of the channels, patch 4, stride 2; appendix F.1.3).
        dropped_layers: How many dense layers D3 and D4 are short of; (14, 10) in §4.
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

    >>> from rnnpool_tf.models import densenet121
    >>> model = densenet121((96, 96, 3), pooling="rnnpool")
    >>> tuple(model.get_layer("pool").output.shape[1:])
    (12, 12, 192)
    """
    if transition_pooling not in TRANSITION_POOLINGS:
        raise ValueError(
            f"`transition_pooling` must be one of {', '.join(map(repr, TRANSITION_POOLINGS))}. "
            f"Received: transition_pooling={transition_pooling!r}"
        )
    choice = Choice(
        pooling,
        hidden,
        pool_size,
        blocks.Style(padding, batch_norm_momentum, "relu"),
        trainable_zeta_nu,
        gates,
        "densenet121",
    )
    style = choice.style
    inputs = blocks.image_input(input_shape)
    x = blocks.conv(inputs, 64, 7, 2, "stem", style)
    layers = [*DENSE_LAYERS[:2], *_shortened(dropped_layers)]
    if choice.replaces:
        x = choice.apply(x)
    else:
        x = blocks.max_pool(x, 2, "max_pool", style)
        x = _dense_block(x, layers[0], "dense1", style)
        x = _transition(x, 128, transition_pooling, "transition1", choice)
        x = _dense_block(x, layers[1], "dense2", style)
    x = _transition(x, 256, transition_pooling, "transition2", choice)
    x = _dense_block(x, layers[2], "dense3", style)
    x = _transition(x, x.shape[-1] // 2, transition_pooling, "transition3", choice)
    x = _dense_block(x, layers[3], "dense4", style)
    x = _bn_relu(x, "last", style)
    logits = head.classifier(
        x,
        num_classes,
        final_pooling=final_pooling,
        dropout=dropout,
        trainable_zeta_nu=trainable_zeta_nu,
        gates=gates,
    )
    return keras.Model(inputs, logits, name=model_name("densenet121", choice, final_pooling))


def _shortened(dropped_layers):
    """Dense layers of D3 and D4."""
    whole = DENSE_LAYERS[2:]
    if (
        not isinstance(dropped_layers, tuple | list)
        or len(dropped_layers) != 2
        or not all(
            isinstance(dropped, int) and 0 <= dropped < layers
            for dropped, layers in zip(dropped_layers, whole, strict=True)
        )
    ):
        raise ValueError(
            f"`dropped_layers` must be two counts, below {whole[0]} and {whole[1]}. "
            f"Received: dropped_layers={dropped_layers!r}"
        )
    return [layers - dropped for layers, dropped in zip(whole, dropped_layers, strict=True)]


def _dense_block(x, layers, name, style):
    """Layers that each add `GROWTH` channels to all that came before."""
    for layer in range(1, layers + 1):
        y = _bn_relu(x, f"{name}_{layer}_in", style)
        y = blocks.conv(y, 4 * GROWTH, 1, 1, f"{name}_{layer}_reduce", style)
        y = blocks.bare_conv(y, GROWTH, 3, 1, f"{name}_{layer}_grow", style)
        x = keras.layers.Concatenate(name=f"{name}_{layer}")([x, y])
    return x


def _transition(x, filters, pooling, name, choice):
    """BatchNorm, ReLU, 1×1 convolution, and half of the map's height and width."""
    x = _bn_relu(x, f"{name}_in", choice.style)
    x = blocks.bare_conv(x, filters, 1, 1, f"{name}_reduce", choice.style)
    if pooling == "average":
        return keras.layers.AveragePooling2D(2, name=name)(x)
    return RNNPoolLayer(
        filters // 4,
        filters // 4,
        4,
        2,
        "replicate",
        trainable_zeta_nu=choice.trainable_zeta_nu,
        gates=choice.gates,
        name=name,
    )(x)


def _bn_relu(x, name, style):
    return blocks.activation(blocks.normalise(x, name, style), name, style)

"""What makes a large map small in one step: RNNPool, or an operator it is compared with."""

from __future__ import annotations

from collections.abc import Sequence

from rnnpool_tf._keras import keras
from rnnpool_tf.gates import SMOOTH
from rnnpool_tf.layers import RNNPoolLayer
from rnnpool_tf.models import blocks

STRIDE = 4  # of every network of the paper


def check_pooling(pooling: str, choices: Sequence[str]) -> None:
    """Raises ValueError unless `pooling` is among the choices."""
    if pooling not in choices:
        raise ValueError(
            f"`pooling` must be one of {', '.join(map(repr, choices))}. "
            f"Received: pooling={pooling!r}"
        )


def pool(x, pooling, hidden, pool_size, style, *, trainable_zeta_nu=False, gates=SMOOTH):
    """Reduces `x` 4× to a map of 4 · hidden channels.

    Args:
        x: Input map.
        pooling: "rnnpool"; or in its place "strided_conv" (of the patch's size, + BatchNorm +
            ReLU6), "max" or "average" (each followed by a 1×1 convolution to the same channels).
            Where 4 divides the map, all give the same size.
        hidden: Units of both RNNs.
        pool_size: Side of a patch.
        style: Of the network.
        trainable_zeta_nu: See `RNNPoolLayer`; without meaning to other poolings.
        gates: Likewise.
    """
    if pooling == "rnnpool":
        return RNNPoolLayer(
            hidden,
            hidden,
            pool_size,
            STRIDE,
            "replicate",
            trainable_zeta_nu=trainable_zeta_nu,
            gates=gates,
            name="pool",
        )(x)
    filters = 4 * hidden
    if pooling == "strided_conv":
        same = blocks.Style("same", style.batch_norm_momentum)
        return blocks.conv(x, filters, pool_size, STRIDE, "pool", same)
    layer = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[pooling]
    x = layer(pool_size, STRIDE, padding="same", name="pool")(x)
    return blocks.conv(x, filters, 1, 1, "pool_expand", style)

"""What makes a large map small in one step: RNNPool, or an operator it is compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rnnpool_tf._keras import keras
from rnnpool_tf.arguments import check_flag, positive_integer
from rnnpool_tf.gates import SMOOTH
from rnnpool_tf.layers import RecurrentPoolLayer, ReNetLayer, RNNPoolLayer
from rnnpool_tf.models import blocks
from rnnpool_tf.models.replacements import REPLACEMENTS, Replacement

STRIDE = 4  # of every network of the paper but the deeper ones of its Table 16
NONE = "none"
# What stands for nothing replaced, for RNNPool, for RNNPool with the cells of the paper's Table 18,
# and for the operators of its Table 2.
POOLINGS = (
    NONE,
    "rnnpool",
    "rnnpool_gru",
    "rnnpool_lstm",
    "renet",
    "strided_conv",
    "max",
    "average",
)


@dataclass(frozen=True)
class Choice:
    """What a builder was asked to do about its first stages.

    Attributes:
        pooling: One of `POOLINGS`.
        hidden: Units of the RNNs of the first pooling operator, or None for the paper's.
        pool_size: Side of its patches, likewise.
        style: Of the network.
        trainable_zeta_nu: See `RNNPoolLayer`; without meaning to other poolings.
        gates: Likewise.
        replacement: A name in `REPLACEMENTS`.
    """

    pooling: str
    hidden: int | None
    pool_size: int | None
    style: blocks.Style
    trainable_zeta_nu: bool
    gates: str
    replacement: str

    def __post_init__(self):
        check_pooling(self.pooling, POOLINGS)
        for name in ("hidden", "pool_size"):
            if getattr(self, name) is not None:
                positive_integer(getattr(self, name), name)
        check_flag(self.trainable_zeta_nu, "trainable_zeta_nu")
        if self.pooling == NONE and (self.hidden, self.pool_size) != (None, None):
            raise ValueError(
                "`hidden` and `pool_size` must be None where `pooling` is 'none'. "
                f"Received: hidden={self.hidden!r}, pool_size={self.pool_size!r}"
            )

    @property
    def replaces(self) -> bool:
        """Whether anything is replaced."""
        return self.pooling != NONE

    @property
    def row(self) -> Replacement:
        """What RNNPool replaces in this network."""
        return REPLACEMENTS[self.replacement]

    @property
    def kept_from(self) -> int:
        """Index of the first stage that the network has."""
        return self.row.kept_from if self.replaces else 0

    def apply(self, x):
        """The stem's map, small."""
        for index, default in enumerate(self.row.pools):
            first = index == 0
            hidden = self.hidden if first and self.hidden is not None else default.hidden
            size = self.pool_size if first and self.pool_size is not None else default.pool_size
            x = pool(
                x,
                self.pooling,
                hidden,
                size,
                self.style,
                strides=default.strides,
                trainable_zeta_nu=self.trainable_zeta_nu,
                gates=self.gates,
                name="pool" if first else f"pool{index + 1}",
            )
        return x


def model_name(family: str, choice: Choice, final_pooling: str) -> str:
    """The name of a network: its family, what replaces its first stages, how it ends."""
    start = f"_{choice.pooling}" if choice.replaces else ""
    end = "" if final_pooling == "average" else f"_final_{final_pooling}"
    return f"{family}{start}{end}"


def check_pooling(pooling: str, choices: Sequence[str]) -> None:
    """Raises ValueError unless `pooling` is among the choices."""
    if pooling not in choices:
        raise ValueError(
            f"`pooling` must be one of {', '.join(map(repr, choices))}. "
            f"Received: pooling={pooling!r}"
        )


def pool(
    x,
    pooling,
    hidden,
    pool_size,
    style,
    *,
    strides=STRIDE,
    trainable_zeta_nu=False,
    gates=SMOOTH,
    name="pool",
):
    """Reduces `x` by its strides to a map of 4 · hidden channels.

    Args:
        x: Input map.
        pooling: "rnnpool"; or in its place "rnnpool_gru" or "rnnpool_lstm" (the same with other
            cells), "renet" (windows as large as the stride, one cell for each direction),
            "strided_conv" (of the patch's size, + BatchNorm + activation), "max" or "average" (each
            followed by a 1×1 convolution to the same channels). Where the stride divides the map,
            all give the same size.
        hidden: Units of both RNNs.
        pool_size: Side of a patch.
        style: Of the network.
        strides: Distance between patches.
        trainable_zeta_nu: See `RNNPoolLayer`; without meaning to other poolings.
        gates: Likewise.
        name: Of the layer, and the beginning of the names of those behind it.
    """
    if pooling == "rnnpool":
        return RNNPoolLayer(
            hidden,
            hidden,
            pool_size,
            strides,
            "replicate",
            trainable_zeta_nu=trainable_zeta_nu,
            gates=gates,
            name=name,
        )(x)
    if pooling.startswith("rnnpool_"):
        cell = pooling.removeprefix("rnnpool_")
        layer = RecurrentPoolLayer(hidden, hidden, pool_size, strides, "replicate", cell, name=name)
        return layer(x)
    filters = 4 * hidden
    if pooling == "renet":
        return ReNetLayer(filters // 2, strides, name=name)(x)
    if pooling == "strided_conv":
        same = blocks.Style("same", style.batch_norm_momentum, style.activation)
        return blocks.conv(x, filters, pool_size, strides, name, same)
    layer = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}[pooling]
    x = layer(pool_size, strides, padding="same", name=name)(x)
    return blocks.conv(x, filters, 1, 1, f"{name}_expand", style)

"""The RNNPool layer that fits a span, and what comes behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnnpool_tf.arguments import positive_integer
from rnnpool_tf.geometry import Geometry, pair
from rnnpool_tf.surgery.graph import Graph, size, size_text
from rnnpool_tf.surgery.span import Span


@dataclass(frozen=True)
class Plan:
    """What replaces a span.

    Attributes:
        hidden1: Units of RNN1.
        hidden2: Units of RNN2.
        geometry: Patch size, strides and padding.
        expanded_to: Channels of the 1x1 convolution behind it; None: there is none.
        is_flat: Whether a Flatten comes last.
    """

    hidden1: int
    hidden2: int
    geometry: Geometry
    expanded_to: int | None
    is_flat: bool

    def __str__(self) -> str:
        (rows, columns), (down, right) = self.geometry.pool_size, self.geometry.strides
        text = (
            f"RNNPool {self.hidden1}/{self.hidden2}, patch {rows}x{columns}, "
            f"stride {down}x{right}, padding '{self.geometry.padding}'"
        )
        if self.expanded_to is not None:
            text += f", 1x1 convolution to {self.expanded_to} channels"
        return text + (", Flatten" if self.is_flat else "")


def plan_pooling(
    span: Span, graph: Graph, hidden1, hidden2, pool_size, strides, padding, match_channels
) -> Plan:
    """Completes the arguments of `replace_with_rnnpool` by what the span does.

    Raises:
        ValueError: RNNPool cannot replace the span, or not with these arguments.
    """
    before, after = _sizes(span, graph)
    if strides is None:
        strides = _strides(span, before, after)
    strides = pair(strides, "strides")
    if pool_size is None:
        pool_size = tuple(
            whole if out == 1 else min(2 * math.ceil(0.75 * stride), whole)
            for whole, out, stride in zip(before[:2], after[:2], strides, strict=True)
        )
    geometry = Geometry(pool_size, strides, padding)
    made = geometry.output_size(*before[:2])
    if made != after[:2]:
        raise ValueError(
            f"`pool_size`, `strides` and `padding` must give the {size_text(after[:2])} pixels of "
            f"the layers replaced. Received: pool_size={geometry.pool_size}, "
            f"strides={geometry.strides}, padding={geometry.padding!r}, which make "
            f"{size_text(made)} of {size_text(before[:2])}"
        )
    channels = after[2]
    if hidden2 is None:
        hidden2 = math.ceil(channels / 4)
    hidden2 = positive_integer(hidden2, "hidden2")
    hidden1 = hidden2 if hidden1 is None else positive_integer(hidden1, "hidden1")
    fits = 4 * hidden2 == channels
    if not fits and not match_channels:
        raise ValueError(
            f"RNNPool has 4 · hidden2 channels, and the layers replaced have {channels}: choose "
            "another `hidden2` or another span, or add a 1x1 convolution by match_channels=True. "
            f"Received: hidden2={hidden2}, {span}"
        )
    return Plan(hidden1, hidden2, geometry, None if fits else channels, len(size(span.target)) == 1)


def _sizes(span: Span, graph: Graph) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """(height, width, channels) of what enters and of what leaves; a vector is a map of one
    pixel."""
    before, after = size(span.source), size(span.target)
    if len(before) != 3 or len(after) not in (1, 3) or None in (*before, *after):
        raise ValueError(
            "the layers replaced must take a map of known (height, width, channels) and make a map "
            f"or a vector. Received: {span}"
        )
    for index in sorted(span.indices):
        layer = graph.steps[index].layer
        if getattr(layer, "data_format", None) == "channels_first":
            raise ValueError(
                "RNNPool takes maps with their channels last. Received: "
                f"'{layer.name}' with data_format='channels_first'"
            )
    return before, after if len(after) == 3 else (1, 1, *after)


def _strides(span: Span, before, after) -> tuple[int, int]:
    for whole, out in zip(before[:2], after[:2], strict=True):
        if whole % out:
            raise ValueError(
                "the size of the map must be a multiple of the size after it, as the quotient is "
                f"RNNPool's stride. Received: {span}"
            )
    strides = before[0] // after[0], before[1] // after[1]
    if strides == (1, 1) and before[:2] != (1, 1):
        raise ValueError(
            "the layers replaced must make the map smaller, as RNNPool is a pooling layer. "
            f"Received: {span}"
        )
    return strides

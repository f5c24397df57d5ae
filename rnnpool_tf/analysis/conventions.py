"""What a model would need by the paper's convention, and at least, beside what it really needs.

* `paper_convention`: Saha et al., 2020, appendix E.2: input and output of the worst block, where
  inverted residuals never store their expanded map, RNNPool computes one patch at a time, and
  neither the image nor what lies between it and RNNPool is stored.
* `lower_bounds`: `rnnpool_tf.analysis.bounds` on the model's main path, for the best of all ways to
  cut it into chains: within a chain nothing but the rows in flight is kept, between chains one
  whole map. Side branches, residual sums, working memory of layers and alignment come on top.

Both count bytes of maps along the model's main path alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from rnnpool_tf.analysis.bounds import Chain
from rnnpool_tf.analysis.main_path import CONVOLUTION, DEPTHWISE, RNNPOOL, Layer, MainPath


@dataclass(frozen=True)
class Requirement:
    """Bytes, and what causes them.

    Attributes:
        bytes: Of maps.
        where: Size of the first and the last map of the block or chain that needs the most.
    """

    bytes: int
    where: str


@dataclass(frozen=True)
class LowerBounds:
    """The least memory by Proposition 2 and Claim 4 of the paper.

    Attributes:
        resident: With the whole image in memory before the first layer.
        streamed: With an image that arrives row by row.
    """

    resident: Requirement
    streamed: Requirement


def paper_convention(path: MainPath) -> Requirement:
    """Peak of the main path by the paper's convention."""
    layers = path.layers
    worst = Requirement(0, "")
    start = _streamed_layers(layers)
    while start < len(layers):
        end = start + _block_length(layers[start:])
        before, after = _map_before(path, start), layers[end - 1].output
        elements = after.elements
        if layers[start].kind != RNNPOOL:
            elements += before.elements
        if elements * path.element_bytes > worst.bytes:
            worst = Requirement(elements * path.element_bytes, f"{before} → {after}")
        start = end
    return worst


def lower_bounds(path: MainPath) -> LowerBounds:
    """Lower bounds for the main path."""
    return LowerBounds(_least(path, streamed=False), _least(path, streamed=True))


def _streamed_layers(layers: tuple[Layer, ...]) -> int:
    """How many layers at the start the convention leaves out: the convolutions, not part of a
    block, that feed an RNNPool; without RNNPool the first of them."""
    before = 0
    while (
        before < len(layers)
        and layers[before].kind in (CONVOLUTION, DEPTHWISE)
        and _block_length(layers[before:]) == 1
    ):
        before += 1
    feeds_pool = before < len(layers) and layers[before].kind == RNNPOOL
    return before if feeds_pool else min(before, 1)


def _block_length(layers: tuple[Layer, ...]) -> int:
    for start in (1, 0):  # with and without expansion
        depthwise = layers[start : start + 2]
        if (
            len(depthwise) == 2
            and depthwise[0].kind == DEPTHWISE
            and depthwise[1].is_pointwise
            and all(layer.is_pointwise for layer in layers[:start])
        ):
            return start + 2
    return 1


def _map_before(path: MainPath, index: int):
    return path.layers[index - 1].output if index else path.input


def _least(path: MainPath, streamed: bool) -> Requirement:
    """The smallest possible maximum over the chains that the path is cut into."""
    maps = (path.input, *(layer.output for layer in path.layers))
    windows = tuple(layer.window for layer in path.layers)
    last = len(path.layers)
    best = [Requirement(0, "")]  # for the layers before each position
    for end in range(1, last + 1):
        candidates = []
        for start in range(end):
            chain = Chain(maps[start : end + 1], windows[start:end])
            elements = chain.streamed() if streamed and start == 0 else chain.resident()
            own = Requirement(elements * path.element_bytes, f"{maps[start]} → {maps[end]}")
            candidates.append(max(best[start], own, key=lambda need: need.bytes))
        best.append(min(candidates, key=lambda need: need.bytes))
    return best[last]

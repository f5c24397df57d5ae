"""The blocks of a network, and the memory of each by the paper's convention.

A network is cut where a single map holds everything that is still needed. Between two cuts stands a
layer or, where branches join, a block. Memory in elements of maps, Saha et al., 2020, appendix E.2:

* inverted residual, that is (1×1 expansion,) depthwise and linear 1×1 projection, with or without
  gates and sum: input and output, for the expanded map is computed channel by channel;
* residual, that is one sum and no depthwise convolution: its largest map, because the sum takes the
  place of an input (in the paper's networks that is its input or its output);
* inception, that is one concatenation of branches: the input and all branches but the largest,
  because the input goes when the last one is computed;
* dense, that is concatenations that keep their input: the output;
* a convolution with global pooling behind it: input and output, for a channel is pooled as soon as
  it is computed (the paper does not say so, but Table 16 counts no map of 7×7×1280);
* RNNPool: the output, because it computes patch by patch;
* any other layer: the larger of input and output.

The image is not counted, nor what the stem's convolutions make of it in front of an RNNPool. Blocks
of other kinds are "branches": the largest sum of maps that are needed at once, layer by layer.
"""

from __future__ import annotations

from dataclasses import dataclass

from rnnpool_tf.analysis.bounds import Map
from rnnpool_tf.analysis.network import (
    CONCATENATION,
    CONVOLUTION,
    DEPTHWISE,
    INPUT,
    POOL,
    RNNPOOL,
    SUM,
    Network,
)

STEM, LAYER, POOLING = "stem", "layer", "RNNPool"
INVERTED, POOLED, RESIDUAL, INCEPTION, DENSE, BRANCHES = (
    "inverted residual", "pooled convolution", "residual", "inception", "dense", "branches"
)  # fmt: skip


@dataclass(frozen=True)
class Block:
    """A block.

    Attributes:
        kind: What it is, see above; `STEM` counts nothing.
        start: Position of the node that it starts from.
        end: Position of the node whose map is its output.
        before: Its input.
        after: Its output.
        elements: Elements of maps that it counts.
        layers: Names of its layers.
    """

    kind: str
    start: int
    end: int
    before: Map
    after: Map
    elements: int
    layers: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"


def blocks_of(network: Network) -> list[Block]:
    """The blocks from the input to the main output."""
    spans = _join_chains(network, _spans(network))
    blocks = []
    for start, end in spans:
        kind = _kind(network, start, end)
        if kind == DENSE and blocks and blocks[-1].kind == DENSE:
            start = blocks.pop().start
        blocks.append(_block(network, kind, start, end))
    stem = 0
    while stem < len(blocks) and _is_convolution(network, blocks[stem]):
        stem += 1
    if stem < len(blocks) and blocks[stem].kind == POOLING:
        for position in range(stem):
            block = blocks[position]
            blocks[position] = _block(network, STEM, block.start, block.end)
    return blocks


def _spans(network: Network) -> list[tuple[int, int]]:
    """(input, output) of everything between two cuts."""
    cuts = network.cuts()
    first = cuts[0] if network.nodes[cuts[0]].kind == INPUT else 0
    ends = [cut for cut in cuts if cut > first]
    return list(zip([first, *ends], ends, strict=False))


def _join_chains(network: Network, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined, position = [], 0
    while position < len(spans):
        length = 1
        for count in (3, 2):  # with and without expansion
            some = spans[position : position + count]
            if len(some) == count and all(end == start + 1 for start, end in some):
                start, end = some[0][0], some[-1][1]
                inside = list(range(start + 1, end + 1))
                if _is_inverted(network, start, inside) or _is_pooled(network, inside):
                    length = count
                    break
        joined.append((spans[position][0], spans[position + length - 1][1]))
        position += length
    return joined


def _is_inverted(network: Network, start: int, inside: list[int]) -> bool:
    """Whether a chain of layers is an inverted residual, without its sum."""
    layers = [network.nodes[index] for index in inside]
    if len(layers) == 3:
        expand, *layers = layers
        wider = expand.output.channels > network.nodes[start].output.channels
        if not (expand.is_pointwise and wider):
            return False
    if len(layers) != 2:
        return False
    depthwise, project = layers
    return depthwise.kind == DEPTHWISE and project.is_pointwise and project.linear


def _is_pooled(network: Network, inside: list[int]) -> bool:
    """Whether a chain is a convolution and the global pooling of its map."""
    if len(inside) != 2:
        return False
    convolution, pool = (network.nodes[index] for index in inside)
    size = convolution.output.height, convolution.output.width
    whole = pool.kind == POOL and pool.window.kernel == size != (1, 1)
    return whole and convolution.kind == CONVOLUTION


def _kind(network: Network, start: int, end: int) -> str:
    inside = list(range(start + 1, end + 1))
    nodes = [network.nodes[index] for index in inside]
    last, joins = nodes[-1], [node for node in nodes if node.joins]
    if not joins:
        if len(nodes) > 1:
            return POOLED if last.kind == POOL else INVERTED
        return POOLING if last.kind == RNNPOOL else LAYER
    if any(node.kind == INPUT for node in nodes):
        return BRANCHES
    if all(node.kind == CONCATENATION for node in joins) and start in last.inputs:
        return DENSE
    if len(joins) > 1 or not last.joins:
        return BRANCHES
    if last.kind == SUM:
        if set(last.inputs) == {start, inside[-2]} and _is_inverted(network, start, inside[:-1]):
            return INVERTED
        if all(node.kind != DEPTHWISE for node in nodes):
            return RESIDUAL
    return INCEPTION if last.kind == CONCATENATION else BRANCHES


def _block(network: Network, kind: str, start: int, end: int) -> Block:
    nodes = network.nodes
    before, after = nodes[start].output, nodes[end].output
    inside, image = range(start + 1, end + 1), nodes[start].kind == INPUT
    if kind == STEM:
        elements = 0
    elif kind in (POOLING, DENSE):
        elements = after.elements
    elif kind == INVERTED:
        elements = before.elements + after.elements
    elif kind == POOLED:
        elements = after.elements + (0 if image else before.elements)
    elif kind == INCEPTION:
        branches = [nodes[index].output.elements for index in nodes[end].inputs]
        elements = before.elements + sum(branches) - max(branches)
    elif kind == BRANCHES:
        elements = _live(network, start, end)
    else:
        counted = [nodes[index].output.elements for index in inside]
        elements = max(counted if image else [before.elements, *counted])
    names = tuple(dict.fromkeys(nodes[index].name for index in inside))
    return Block(kind, start, end, before, after, elements, names)


def _live(network: Network, start: int, end: int) -> int:
    """The largest sum of maps needed at once; what joins branches takes their place."""
    consumers = network.consumers()
    worst = 0
    for position in range(start + 1, end + 1):
        node = network.nodes[position]
        live = {position} | {
            index
            for index in range(start, position)
            if any(use > position if node.joins else use >= position for use in consumers[index])
        }
        worst = max(worst, sum(network.nodes[index].output.elements for index in live))
    return worst


def _is_convolution(network: Network, block: Block) -> bool:
    node = network.nodes[block.end]
    return block.kind == LAYER and node.kind in (CONVOLUTION, DEPTHWISE)

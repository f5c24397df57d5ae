"""What a model would need by the paper's convention, and at least, beside what it really needs.

* `paper_convention`: Saha et al., 2020, appendix E.2: the worst of the model's blocks
  (`rnnpool_tf.analysis.blocks`).
* `lower_bounds`: Proposition 2 and Claim 4 of the paper, for the best of all ways to cut the model
  into parts where a single map holds everything that is still needed: within a part nothing but the
  rows in flight is kept, between parts one whole map. Gates, working memory of layers and alignment
  come on top.

Both count bytes of maps on the way to the model's main output (`rnnpool_tf.analysis.network`).
"""

from __future__ import annotations

from dataclasses import dataclass

from rnnpool_tf.analysis.blocks import blocks_of
from rnnpool_tf.analysis.bounds import kept, resident, streamed
from rnnpool_tf.analysis.network import CONCATENATION, INPUT, POOL, SUM, Network


@dataclass(frozen=True)
class Requirement:
    """Bytes, and what causes them.

    Attributes:
        bytes: Of maps.
        where: Size of the first and the last map of the block or part that needs the most.
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


def paper_convention(network: Network) -> Requirement:
    """Peak of a network by the paper's convention."""
    worst = max(blocks_of(network), key=lambda block: block.elements)
    return Requirement(worst.elements * network.element_bytes, str(worst))


def lower_bounds(network: Network) -> LowerBounds:
    """Lower bounds for a network."""
    parts = Parts(network)
    return LowerBounds(parts.least(is_streamed=False), parts.least(is_streamed=True))


class Parts:
    """What every part of a network between two cuts needs.

    Attributes:
        needs: By the positions of its first and its last node: elements with the first map in
            memory, and with it arriving row by row.
    """

    def __init__(self, network: Network):
        self._network = network
        self._consumers = network.consumers()
        inputs = [node.kind == INPUT for node in network.nodes]
        self._cuts = [cut for cut in network.cuts() if not (inputs[cut] and cut > 0)]
        if not inputs[self._cuts[0]]:
            self._cuts.insert(0, 0)
        self.needs: dict[tuple[int, int], tuple[int, int]] = {}
        for end in self._cuts[1:]:
            self._measure(end)

    def least(self, is_streamed: bool) -> Requirement:
        """The smallest possible maximum over the parts that the network is cut into."""
        network, cuts = self._network, self._cuts
        best = {cuts[0]: Requirement(0, "")}  # for the layers up to each cut
        for position, end in enumerate(cuts[1:], start=1):
            candidates = []
            for start in cuts[:position]:
                whole, rows = self.needs[start, end]
                elements = rows if is_streamed and start == cuts[0] else whole
                where = f"{network.nodes[start].output} → {network.nodes[end].output}"
                own = Requirement(elements * network.element_bytes, where)
                candidates.append(max(best[start], own, key=lambda need: need.bytes))
            best[end] = min(candidates, key=lambda need: need.bytes)
        return best[cuts[-1]]

    def _measure(self, end: int) -> None:
        """Fills in the parts that end with a node."""
        nodes = self._network.nodes
        last = nodes[end].output
        reaches = {end: ((1, 1), (1, 1))}  # rows and columns that one of the end's depends on
        between = 0
        for index in range(end - 1, self._cuts[0] - 1, -1):
            uses = [use for use in self._consumers[index] if use in reaches]
            reaches[index] = _reach([(nodes[use].window, *reaches[use]) for use in uses])
            shared = _shared(*reaches[index])
            if index in self._cuts:
                first = nodes[index].output
                needs = (
                    resident(first, last, shared, between),
                    streamed(first, last, shared, between),
                )
                if self._contains(end, index):
                    needs = tuple(min(need, last.elements) for need in needs)
                self.needs[index, end] = needs
            if self._is_kept(index, uses):
                between += kept(self._size_kept(index, uses), shared)

    def _contains(self, index: int, part: int) -> bool:
        """Whether a map is a concatenation that another one is a part of, as in dense blocks, which
        need no more than their output (appendix E.1.1)."""
        node = self._network.nodes[index]
        return index == part or (
            node.kind == CONCATENATION and any(self._contains(one, part) for one in node.inputs)
        )

    def _is_kept(self, index: int, uses: list[int]) -> bool:
        """Whether a map between the first and the last takes memory of its own: concatenations
        consist of what they join, and a sum takes the place of what goes into nothing else."""
        nodes = self._network.nodes
        summed = len(uses) == 1 and nodes[uses[0]].kind == SUM
        return nodes[index].kind != CONCATENATION and not summed

    def _size_kept(self, index: int, uses: list[int]):
        """The map; in place of one that pooling makes for a 1×1 convolution alone, as in inception
        blocks, that of the convolution if it has fewer channels, as in the paper's appendix E.1."""
        nodes = self._network.nodes
        own = nodes[index].output
        if nodes[index].kind == POOL and len(uses) == 1 and nodes[uses[0]].is_pointwise:
            return min(own, nodes[uses[0]].output, key=lambda size: size.elements)
        return own


def _reach(uses) -> tuple[tuple[int, int], tuple[int, int]]:
    """Rows and columns that one element of the last map depends on, and the distance between those
    of neighbours; `uses`: window, reach and stride of what depends on a map."""
    reaches = [
        tuple((reach[axis] - 1) * window.strides[axis] + window.kernel[axis] for axis in (0, 1))
        for window, reach, _ in uses
    ]
    strides = [
        tuple(stride[axis] * window.strides[axis] for axis in (0, 1)) for window, _, stride in uses
    ]
    largest = [
        tuple(max(one[axis] for one in some) for axis in (0, 1)) for some in (reaches, strides)
    ]
    return largest[0], largest[1]


def _shared(reach: tuple[int, int], stride: tuple[int, int]) -> tuple[int, int]:
    return tuple(max(reach[axis] - stride[axis], 0) for axis in (0, 1))

"""What the memory of a model depends on: maps, windows, and where branches join.

A network holds the layers that lead to the model's main output, the one that the most layers lead
to. Layers that only pass values on (activations, normalisation, padding, changes of shape or scale)
are no nodes of it, nor are gates that scale the channels of a map (squeeze and excite), nor other
outputs with what leads to them alone, as the heads of detectors.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace

from rnnpool_tf.analysis.bounds import Map, Window

INPUT, CONVOLUTION, DEPTHWISE, FULL, RNNPOOL, POOL = (
    "input",
    "convolution",
    "depthwise",
    "fully connected",
    "RNNPool",
    "pool",
)
SUM, CONCATENATION, MERGE = "sum", "concatenation", "merge"

POINT = Window((1, 1))
_JOINING = (SUM, CONCATENATION, MERGE)


@dataclass(frozen=True)
class Node:
    """A map and the layer that computes it.

    Attributes:
        kind: `INPUT`; `CONVOLUTION`, `DEPTHWISE`, `FULL` (Dense on a vector), `RNNPOOL` or `POOL`,
            which stands for every other layer with a window; `SUM` of maps, `CONCATENATION` of
            their channels, or `MERGE` in any other way.
        inputs: Positions of the nodes that it depends on.
        window: What an element of its map depends on in each of them.
        output: Its map.
        linear: Whether the map can have negative values, as it is passed on: no activation function
            follows.
        name: Of the layer.
    """

    kind: str
    inputs: tuple[int, ...]
    window: Window
    output: Map
    linear: bool = True
    name: str = field(default="", compare=False)

    @property
    def is_pointwise(self) -> bool:
        """Whether it is a 1×1 convolution."""
        return self.kind == CONVOLUTION and self.window == POINT

    @property
    def joins(self) -> bool:
        """Whether it joins branches."""
        return self.kind in _JOINING


@dataclass(frozen=True)
class Network:
    """A network.

    Attributes:
        nodes: In an order of execution; the last one is the main output, to which all others lead.
        element_bytes: Bytes of an element of the maps.
    """

    nodes: tuple[Node, ...]
    element_bytes: int

    def consumers(self) -> list[list[int]]:
        """Positions of the nodes that depend on each node."""
        found = [[] for _ in self.nodes]
        for position, node in enumerate(self.nodes):
            for index in node.inputs:
                found[index].append(position)
        return found

    def cuts(self) -> list[int]:
        """Nodes through whose map alone everything behind them depends on what is before them."""
        last_use = [max(uses, default=index) for index, uses in enumerate(self.consumers())]
        found = []
        for position in range(len(self.nodes)):
            live = [index for index in range(position + 1) if last_use[index] > position]
            if live == [position] or position == len(self.nodes) - 1:
                found.append(position)
        return found


class NetworkBuilder:
    """Puts a network together, layer by layer in an order of execution.

    Tensors are anything hashable. Those that were not announced are constants.
    """

    def __init__(self):
        self._nodes: list[Node] = []
        self._depths: list[int] = []
        self._node_of: dict[Hashable, int] = {}

    def add_input(self, tensor: Hashable, name: str, size: Map) -> None:
        """An input of the model."""
        self._append(tensor, Node(INPUT, (), POINT, size, name=name), 0)

    def add_layer(self, sources: Iterable[Hashable], tensor: Hashable, node: Node) -> None:
        """A layer with a window; it depends on the deepest of its sources."""
        deepest = self._deepest(sources)
        if deepest is not None:
            self._append(tensor, replace(node, inputs=(deepest,)), self._depths[deepest] + 1)

    def join(self, kind: str, sources: Iterable[Hashable], tensor: Hashable, node_name: str,
             size: Map) -> None:  # fmt: skip
        """Something that joins branches; nothing where all sources come from one."""
        nodes = self._sources(sources)
        if len(set(nodes)) < 2:
            self.pass_on(sources, tensor)
            return
        unique = tuple(sorted(set(nodes)))
        depth = max(self._depths[index] for index in unique)
        self._append(tensor, Node(kind, unique, POINT, size, name=node_name), depth)

    def pass_on(self, sources: Iterable[Hashable], tensor: Hashable, activates: bool = False):
        """Something that leaves the map of its deepest source as it is, or nearly so."""
        deepest = self._deepest(sources)
        if deepest is None:
            return
        self._node_of[tensor] = deepest
        if activates:
            self._nodes[deepest] = replace(self._nodes[deepest], linear=False)

    def scale(self, sources: Iterable[Hashable], tensor: Hashable, name: str, size: Map) -> None:
        """A product: of a map with its own activation or with one factor for each channel, which
        pass it on; or of two maps."""
        nodes = set(self._sources(sources))
        maps = [index for index in nodes if not self._is_vector(index)]
        if len(nodes) > 1 and len(maps) == 1:
            self._node_of[tensor] = maps[0]
        elif len(nodes) > 1 and not maps:  # factors for a map of one pixel
            self._node_of[tensor] = min(nodes, key=lambda index: self._depths[index])
        else:
            self.join(MERGE, sources, tensor, name, size)

    def map_of(self, tensor: Hashable) -> Map | None:
        """The map that a tensor stands for; None of constants."""
        return self._nodes[self._node_of[tensor]].output if tensor in self._node_of else None

    def finish(self, outputs: Iterable[Hashable], element_bytes: int) -> Network:
        """The network that leads to the deepest output.

        Raises:
            ValueError: No layer computes an output from an input.
        """
        reached = [self._node_of[tensor] for tensor in outputs if tensor in self._node_of]
        main = max(reached, key=lambda index: self._depths[index], default=None)
        if main is None or self._nodes[main].kind == INPUT:
            raise ValueError("the model must compute an output from an input. Received: no layers")
        kept, waiting = set(), [main]
        while waiting:
            index = waiting.pop()
            if index not in kept:
                kept.add(index)
                waiting += self._nodes[index].inputs
        order = sorted(kept, key=lambda index: (self._nodes[index].kind != INPUT, index))
        position = {index: place for place, index in enumerate(order)}
        return Network(
            tuple(
                replace(node, inputs=tuple(position[index] for index in node.inputs))
                for node in (self._nodes[index] for index in order)
            ),
            element_bytes,
        )

    def _append(self, tensor: Hashable, node: Node, depth: int) -> None:
        self._node_of[tensor] = len(self._nodes)
        self._nodes.append(node)
        self._depths.append(depth)

    def _sources(self, tensors: Iterable[Hashable]) -> list[int]:
        return [self._node_of[tensor] for tensor in tensors if tensor in self._node_of]

    def _deepest(self, tensors: Iterable[Hashable]) -> int | None:
        # max takes the first of equals
        return max(self._sources(tensors), key=lambda index: self._depths[index], default=None)

    def _is_vector(self, index: int) -> bool:
        size = self._nodes[index].output
        return size.height == size.width == 1

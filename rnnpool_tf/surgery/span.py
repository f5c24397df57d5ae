"""The part of a model that one tensor enters and one tensor leaves."""

from __future__ import annotations

from dataclasses import dataclass

from rnnpool_tf.surgery.cuts import cut_indices
from rnnpool_tf.surgery.graph import Graph, size, size_text

# What a classifier consists of; RNNPool is no replacement for it.
_BEHIND_VECTORS = ("Dense", "Activation", "Softmax", "Dropout", "BatchNormalization")


@dataclass(frozen=True)
class Span:
    """What is between two tensors of a model.

    Attributes:
        indices: Its steps.
        names: Of its layers, in the order of computation.
        source: The tensor that enters.
        target: The tensor that leaves.
    """

    indices: frozenset[int]
    names: tuple[str, ...]
    source: object
    target: object

    def __str__(self) -> str:
        if len(self.names) == 1:
            layers = f"'{self.names[0]}'"
        else:
            layers = f"'{self.names[0]}' to '{self.names[-1]}' ({len(self.names)} layers)"
        return f"{layers}, {size_text(size(self.source))} to {size_text(size(self.target))}"


def find_span(graph: Graph, start: str, end: str) -> Span:
    """Everything that computes the output of `end` from the input of `start`, branches included.

    Raises:
        ValueError: An unknown layer, `end` is not computed from `start`, or more than one tensor
            enters or leaves, or the span ends within a classifier; the message names the layers.
    """
    first, last = graph.index(start, "start"), graph.index(end, "end")
    upstream = graph.ancestors(last)
    if first not in upstream:
        raise ValueError(
            "`end` must be computed from the output of `start`. "
            f"Received: start={start!r}, end={end!r}"
        )
    sources = _distinct(graph.steps[first].inputs)
    if len(sources) != 1 or len(graph.steps[last].outputs) != 1:
        raise ValueError(
            "`start` must take one tensor and `end` make one. Received: "
            f"{start!r}, which takes {len(sources)}, and {end!r}, which makes "
            f"{len(graph.steps[last].outputs)}"
        )
    source, target = sources[0], graph.steps[last].outputs[0]
    inside = frozenset(
        index
        for index in upstream - graph.ancestors(graph.maker(source))
        if not graph.steps[index].node.is_input
    )
    crossing = [*_entering(graph, inside, source), *_leaving(graph, inside, target)]
    if crossing:
        raise ValueError(
            "between `start` and `end` nothing else may enter or leave. "
            f"Received: start={start!r}, end={end!r}, but {'; '.join(crossing)}"
            f"{_wider(graph, graph.maker(source), last, (start, end))}"
        )
    kind = type(graph.steps[last].layer).__name__
    if len(size(source)) == 3 and len(size(target)) == 1 and kind in _BEHIND_VECTORS:
        raise ValueError(
            "a span that ends with a vector must end with what makes it of the map, as global "
            f"pooling or Flatten. Received: end={end!r} of type {kind}"
        )
    names = dict.fromkeys(graph.steps[index].name for index in sorted(inside))
    return Span(inside, tuple(names), source, target)


def _entering(graph: Graph, inside: frozenset[int], source) -> list[str]:
    return [
        f"'{graph.steps[index].name}' also takes the output of "
        f"'{graph.steps[graph.maker(tensor)].name}'"
        for index in sorted(inside)
        for tensor in graph.steps[index].inputs
        if tensor is not source and graph.maker(tensor) not in inside
    ]


def _leaving(graph: Graph, inside: frozenset[int], target) -> list[str]:
    found = []
    for index in sorted(inside):
        step = graph.steps[index]
        for tensor in step.outputs:
            if tensor is target:
                continue
            found += [
                f"the output of '{step.name}' also goes to '{graph.steps[reader].name}'"
                for reader in graph.readers(tensor)
                if reader not in inside
            ]
            if any(tensor is output for output in graph.outputs):
                found.append(f"the output of '{step.name}' is an output of the model")
    return found


def _wider(graph: Graph, before: int, last: int, asked: tuple[str, str]) -> str:
    """The smallest span between cuts that holds the one asked for, unless it is that one."""
    cuts = cut_indices(graph)
    starts = [index for index in cuts if index <= before]
    ends = [index for index in cuts if index >= last]
    if not starts or not ends:
        return ""
    first = graph.readers(graph.steps[starts[-1]].outputs[0])[0]
    start, end = graph.steps[first].name, graph.steps[ends[0]].name
    if (start, end) == asked:
        return ""
    return f". The smallest span around it: start={start!r}, end={end!r}"


def _distinct(tensors) -> list:
    return list({id(tensor): tensor for tensor in tensors}.values())

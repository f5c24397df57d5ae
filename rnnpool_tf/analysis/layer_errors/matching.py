"""Which tensor of a float model is the counterpart of each tensor of the int8 model.

Both files come from one network, but TensorFlow's converter names tensors after whatever it fused:
"net/stem_relu/Relu6;net/stem/Conv2D" in a float file is "net/quant_stem/Conv2D1" in that of the
quantisation-aware model. So operators are matched by the layers in the names of their outputs and
weights, each with the first one left that shares a layer; those without any such name, by what they
read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rnnpool_tf.conversion.flatbuffer import Graph, input_indices, schema
from rnnpool_tf.conversion.fusion.report import short_name
from rnnpool_tf.conversion.rnnpool_op import OP_NAME, layer_name

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_KEEPING_VALUES = ("DEQUANTIZE", "QUANTIZE")
INPUT = "input"
OUTPUT = "output"


@dataclass(frozen=True)
class Match:
    """A tensor of the int8 model and its counterpart.

    Attributes:
        layer: Of the network, the last of those that are fused in it.
        operator: Type of the operator that writes it; "input" for the model's input.
        tensor: Its index.
        counterpart: Index of the float model's tensor with the same meaning.
        sources: Matched tensors that it is computed from, itself or through unmatched ones.
    """

    layer: str
    operator: str
    tensor: int
    counterpart: int
    sources: tuple[int, ...]


def match(float_graph: Graph, int8_graph: Graph) -> list[Match]:
    """Matches the int8 tensors of a model with those of a float model, in execution order.

    Tensors without counterpart are left out.
    """
    return list(_Matching(float_graph, int8_graph).run())


class _Matching:
    def __init__(self, float_graph: Graph, int8_graph: Graph):
        self.float = float_graph
        self.int8 = int8_graph
        self.left = list(float_graph.operators)  # not matched yet
        self.counterparts = dict(zip(int8_graph.inputs, float_graph.inputs, strict=False))
        self.layers: dict[int, str] = {}  # of the int8 model's matched tensors
        self.sources: dict[int, tuple[int, ...]] = {}  # for every tensor: matched ones it is from

    def run(self) -> Iterator[Match]:
        for index, counterpart in self.counterparts.items():
            self.layers[index] = _input_name(self.float.tensor_name(counterpart))
            if self.int8.dtype(index) == np.int8:
                yield self._matched(index, counterpart, INPUT, ())
        for operator in self.int8.operators:
            output = int(operator.outputs[0])
            sources = self._sources(operator)
            found = self._counterpart(operator)
            if found is None:
                self.sources[output] = sources
                continue
            self.counterparts[output], self.layers[output] = found
            if self.int8.dtype(output) == np.int8:
                yield self._matched(output, found[0], self.int8.name_of(operator), sources)
            else:
                self.sources[output] = sources

    def _matched(self, tensor: int, counterpart: int, operator: str, sources) -> Match:
        self.sources[tensor] = (tensor,)
        return Match(self.layers[tensor], operator, tensor, counterpart, sources)

    def _sources(self, operator: schema.OperatorT) -> tuple[int, ...]:
        found = [self.sources.get(index, ()) for index in input_indices(operator)]
        return tuple(dict.fromkeys(tensor for tensors in found for tensor in tensors))

    def _counterpart(self, operator: schema.OperatorT) -> tuple[int, str] | None:
        """The float tensor of an operator's output, and the layer it is of."""
        if self.int8.name_of(operator) in _KEEPING_VALUES:
            source = int(operator.inputs[0])
            if source not in self.counterparts:
                return None
            return self.counterparts[source], self.layers[source]
        paths = _paths(self.int8, operator)
        size = math.prod(self.int8.shape(int(operator.outputs[0])))
        candidates = [
            other
            for other in self.left
            if math.prod(self.float.shape(int(other.outputs[0]))) == size
        ]
        if paths:
            common = {id(o): _common(paths, _paths(self.float, o)) for o in candidates}
            candidates = [other for other in candidates if common[id(other)]]
        else:
            common = {}
            candidates = [other for other in candidates if self._reads_the_same(operator, other)]
        if not candidates:
            return None
        kind = self.int8.name_of(operator)
        # `max` takes the first of equals: a layer that is applied twice is met in order.
        best = max(candidates, key=lambda o: (self.float.name_of(o) == kind, common.get(id(o), 0)))
        self.left = [other for other in self.left if other is not best]
        return int(best.outputs[0]), _layer(self.float, best)

    def _reads_the_same(self, operator: schema.OperatorT, other: schema.OperatorT) -> bool:
        wanted = [self.counterparts.get(i) for i in _computed(self.int8, operator)]
        return (
            self.int8.name_of(operator) == self.float.name_of(other)
            and bool(wanted)
            and wanted == _computed(self.float, other)
        )


def _computed(graph: Graph, operator: schema.OperatorT) -> list[int]:
    return [index for index in input_indices(operator) if not graph.has_data(index)]


def _names(graph: Graph, operator: schema.OperatorT) -> list[str]:
    """Names that tell an operator's layers: of its output and of its weights.

    Not of other constants: equal ones of several layers are stored once, under one name.
    """
    names = graph.tensor_name(int(operator.outputs[0])).split(";")
    if graph.name_of(operator) in _WEIGHTED:
        names += graph.tensor_name(int(operator.inputs[1])).split(";")
    if graph.name_of(operator) == OP_NAME:
        names.append(f"{layer_name(graph, operator)}/{OP_NAME}")
    return names


def _paths(graph: Graph, operator: schema.OperatorT) -> set[tuple[str, ...]]:
    """The layers of an operator, each as its path in the model, without the model's own name."""
    paths = set()
    for name in _names(graph, operator):
        parts = tuple(part.removeprefix("quant_") for part in name.split("/"))
        paths.add(parts[1:-1] or parts[:-1])
    return paths - {()}


def _common(paths: set[tuple[str, ...]], others: set[tuple[str, ...]]) -> int:
    """How many of the paths are part of one of the others, or the reverse."""
    return sum(any(_inside(a, b) or _inside(b, a) for b in others) for a in paths)


def _inside(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    starts = range(len(long) - len(short) + 1)
    return any(long[start : start + len(short)] == short for start in starts)


def _layer(graph: Graph, operator: schema.OperatorT) -> str:
    """The last of the layers that are fused in an operator: the first that a name has.

    The converter calls a model's output by a number, so it has no layer's name but its weights'.
    """
    for name in _names(graph, operator):
        if "/" in name:
            return short_name(name)
    output = int(operator.outputs[0])
    return OUTPUT if output in graph.outputs else graph.tensor_name(output)


def _input_name(name: str) -> str:
    """The "image" in "serving_default_image:0"."""
    return name.split(":")[0].removeprefix("serving_default_")

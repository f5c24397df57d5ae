"""After calibration: lets readers of RNNPool take its own grid, k/128, instead of a calibrated one.

The converter gives the output of an RNNPool layer the range that it saw, and leaves a QUANTIZE to
it from the grid that the operator writes. That operator and its map are superfluous where every
reader takes any scale. A convolution or fully connected layer does, but its int32 bias counts steps
of (scale of the input · scale of the weights), so the bias is rounded to the new steps: an error of
half such a step, thousands of which are a step of the output.
"""

from __future__ import annotations

import numpy as np

from rnnpool_tf.conversion.flatbuffer import NO_TENSOR, Graph, Quantization, schema
from rnnpool_tf.conversion.int8 import MOVING
from rnnpool_tf.conversion.rnnpool_op import OP_NAME, OUTPUT_QUANTIZATION

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
# Operators that take any scale on every input.
_FREE = ("ADD", "DEQUANTIZE", "MEAN", "MUL", "QUANTIZE", "SUB", OP_NAME)
_INT32 = np.iinfo(np.int32)


def use_pool_grid(graph: Graph) -> None:
    """Removes QUANTIZE operators behind RNNPool whose readers can take its grid, in place.

    Args:
        graph: An int8 model, folded (`rnnpool_tf.conversion.int8`).
    """
    for operator in list(graph.operators):
        if graph.name_of(operator) != "QUANTIZE":
            continue
        source, target = int(operator.inputs[0]), int(operator.outputs[0])
        if graph.quantization(source) != OUTPUT_QUANTIZATION or not _from_pool(graph, source):
            continue
        change = _Change(graph)
        if change.plan(target):
            change.apply()
            if target in graph.outputs:  # keep the name that users see
                graph.tensors[source].name = graph.tensors[target].name
            graph.replace_tensors({target: source})
            graph.subgraph.operators = [other for other in graph.operators if other is not operator]


def _from_pool(graph: Graph, tensor: int) -> bool:
    producer = graph.producers().get(tensor)
    while producer is not None and graph.name_of(producer) in MOVING:
        producer = graph.producers().get(int(producer.inputs[0]))
    return producer is not None and graph.name_of(producer) == OP_NAME


class _Change:
    """What must change so that a tensor, and what operators only move from it, has the new grid."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self.consumers = graph.consumers()
        self.tensors: list[int] = []
        self.biases: list[tuple[schema.OperatorT, np.ndarray, np.ndarray]] = []

    def plan(self, tensor: int) -> bool:
        """Collects the changes; False where a reader cannot take the grid."""
        old = self.graph.quantization(tensor)
        if old is None or self.graph.dtype(tensor) != np.int8:
            return False
        self.tensors.append(tensor)
        return all(self._plan_reader(r, tensor, old) for r in self.consumers.get(tensor, ()))

    def apply(self) -> None:
        for tensor in self.tensors:
            self.graph.set_quantization(tensor, OUTPUT_QUANTIZATION)
        for operator, bias, scales in self.biases:
            old = int(operator.inputs[2])
            index = self.graph.add_constant(self.graph.tensor_name(old), bias)
            self.graph.set_scales(index, scales)
            operator.inputs = np.array([*operator.inputs[:2], index], np.int32)

    def _plan_reader(self, reader: schema.OperatorT, tensor: int, old: Quantization) -> bool:
        name = self.graph.name_of(reader)
        if name in MOVING:
            output = int(reader.outputs[0])
            return self.graph.quantization(output) == old and self.plan(output)
        if name in _WEIGHTED:
            return self._plan_bias(reader, tensor, old)
        return name in _FREE

    def _plan_bias(self, reader: schema.OperatorT, tensor: int, old: Quantization) -> bool:
        weights, bias = (*(int(index) for index in reader.inputs[1:]), NO_TENSOR)[:2]
        if tensor in (weights, bias):
            return False
        if bias == NO_TENSOR:
            return True
        value, scales = self.graph.constant(bias), self.graph.scales(weights)
        if value is None or value.dtype != np.int32 or scales is None:
            return False
        ratio = np.float64(np.float32(old.scale)) / OUTPUT_QUANTIZATION.scale
        steps = np.rint(value.astype(np.float64) * ratio)
        if np.any((steps < _INT32.min) | (steps > _INT32.max)):
            return False
        scales = np.float32(OUTPUT_QUANTIZATION.scale) * scales
        self.biases.append((reader, steps.astype(np.int32), scales))
        return True

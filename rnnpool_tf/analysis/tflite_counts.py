"""Parameters and multiply-accumulates of a .tflite model, by the conventions of `counts`.

A fused operator counts what the layers count that it is made of. Batch normalisation is part of
weights and biases here.
"""

from __future__ import annotations

import math

from rnnpool_tf.analysis.counts import LayerCount, ModelCount, pool_counts, product_counts
from rnnpool_tf.conversion.flatbuffer import NO_TENSOR, Graph, schema
from rnnpool_tf.conversion.fusion.fused_layers import ConvRNNPool
from rnnpool_tf.conversion.fusion.fused_operators import read_fused
from rnnpool_tf.conversion.fusion.stage import Stage
from rnnpool_tf.conversion.rnnpool_op import OP_NAME, read_rnnpool

_WRAPPER = "quant_"
_TRANSPOSED = "TRANSPOSE_CONV"
_PRODUCTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def count_graph(graph: Graph) -> ModelCount:
    """Counts a model, operator by operator.

    Raises:
        ValueError: An operator of this package does not keep to its format.
    """
    return ModelCount(tuple(_count(graph, operator) for operator in graph.operators))


def _count(graph: Graph, operator: schema.OperatorT) -> LayerCount:
    kind = graph.name_of(operator)
    outputs = [] if operator.outputs is None else [int(index) for index in operator.outputs]
    name = operator_name(graph, operator)
    shape = graph.shape(outputs[0])[1:] if len(outputs) == 1 else ()
    return LayerCount(name, kind, shape, **_sum(_parts(graph, operator, kind)))


def operator_name(graph: Graph, operator: schema.OperatorT) -> str:
    """The layer that an operator came from."""
    if operator.outputs is None or not len(operator.outputs):
        return ""
    return layer_of(graph.tensor_name(int(operator.outputs[0])))


def layer_of(path: str) -> str:
    """The layer in the path of what it computes, as "model/quant_expand/Conv2D;…"."""
    parts = [part for part in path.split(";")[0].split("/") if part]
    layer = parts[-2] if len(parts) > 1 else "".join(parts)
    return layer.removeprefix(_WRAPPER)


def _parts(graph: Graph, operator: schema.OperatorT, kind: str) -> list[dict[str, int]]:
    inputs = [] if operator.inputs is None else [int(index) for index in operator.inputs]
    if kind == OP_NAME:
        shape = read_rnnpool(graph, operator).shape
        size = graph.shape(inputs[0])[1:]
        return [pool_counts(shape.geometry, size, shape.hidden1, shape.hidden2)]
    fused = read_fused(graph, operator)
    if isinstance(fused, ConvRNNPool):
        stages = [_stage(step.stage, step.window.output) for step in fused.convolutions]
        units = fused.cell1.units, fused.cell2.units
        return [*stages, pool_counts(fused.geometry, fused.pool_shape, *units)]
    if fused is not None:
        stages = [] if fused.expand is None else [_stage(fused.expand, fused.input_shape[1:3])]
        after = fused.output_shape[1:3]
        return [*stages, _stage(fused.depthwise, after), _stage(fused.project, after)]
    whole = len(inputs) > 2 and operator.outputs is not None and len(operator.outputs)
    if kind in _PRODUCTS or (kind == _TRANSPOSED and whole):
        return [_product(graph, operator, kind, inputs)]
    return []


def _product(
    graph: Graph, operator: schema.OperatorT, kind: str, inputs: list[int]
) -> dict[str, int]:
    weights = math.prod(graph.shape(inputs[1]))
    after = graph.shape(int(operator.outputs[0]))
    if kind == "FULLY_CONNECTED":
        times = math.prod(after[1:-1])
    elif kind == _TRANSPOSED:
        times = math.prod(graph.shape(inputs[2])[1:3])
    else:
        times = math.prod(after[1:3])
    position = 3 if kind == _TRANSPOSED else 2
    has_bias = len(inputs) > position and inputs[position] != NO_TENSOR
    bias = math.prod(graph.shape(inputs[position])) if has_bias else 0
    return product_counts(weights, weights * times, bias)


def _stage(stage: Stage, size: tuple[int, ...]) -> dict[str, int]:
    return product_counts(stage.weights.size, stage.weights.size * math.prod(size), stage.outputs)


def _sum(parts: list[dict[str, int]]) -> dict[str, int]:
    names = {name for part in parts for name in part}
    return {name: sum(part.get(name, 0) for part in parts) for name in names}

"""The network of a .tflite model.

Fused operators count as the layers that they are made of, so a model has the same network before
and after fusion.
"""

from __future__ import annotations

import math

import numpy as np

from rnnpool_tf.analysis.bounds import Map, Window
from rnnpool_tf.analysis.network import (
    CONCATENATION,
    CONVOLUTION,
    DEPTHWISE,
    FULL,
    POINT,
    POOL,
    RNNPOOL,
    SUM,
    Network,
    NetworkBuilder,
    Node,
)
from rnnpool_tf.analysis.tflite_counts import layer_of
from rnnpool_tf.conversion.flatbuffer import Graph, input_indices, schema
from rnnpool_tf.conversion.fusion.fused_layers import ConvRNNPool, InvertedResidual
from rnnpool_tf.conversion.fusion.fused_operators import read_fused
from rnnpool_tf.conversion.fusion.stage import OutputRange, Stage
from rnnpool_tf.conversion.rnnpool_op import OP_NAME, read_geometry
from rnnpool_tf.geometry import Geometry

_CONVOLUTIONS = {"CONV_2D": CONVOLUTION, "DEPTHWISE_CONV_2D": DEPTHWISE}
_KINDS = {**_CONVOLUTIONS, "FULLY_CONNECTED": FULL, OP_NAME: RNNPOOL}
_POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
_WHOLE_MAP = ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "FULLY_CONNECTED")
_SUMS = ("ADD", "SUB", "MAXIMUM", "MINIMUM")
_ACTIVATIONS = (
    "RELU", "RELU6", "RELU_0_TO_1", "LEAKY_RELU", "PRELU", "ELU", "GELU", "HARD_SWISH", "LOGISTIC",
    "TANH", "SOFTMAX",
)  # fmt: skip
_NOT_NEGATIVE = (
    schema.ActivationFunctionType.RELU,
    schema.ActivationFunctionType.RELU6,
)


def tflite_network(graph: Graph) -> Network:
    """Builds the network of a model.

    Raises:
        ValueError: No operator computes an output from an input.
    """
    builder = NetworkBuilder()
    for index in graph.inputs:
        builder.add_input(index, graph.tensor_name(index), _map(graph, index))
    for operator in graph.operators:
        _add(builder, graph, operator)
    element_bytes = graph.dtype(graph.inputs[0]).itemsize if graph.inputs else 1
    return builder.finish(graph.outputs, element_bytes)


def _add(builder: NetworkBuilder, graph: Graph, operator: schema.OperatorT) -> None:
    name, sources = graph.name_of(operator), input_indices(operator)
    outputs = [int(index) for index in operator.outputs]
    fused = read_fused(graph, operator)
    if isinstance(fused, InvertedResidual):
        _add_block(builder, fused, sources, outputs[0])
        return
    if isinstance(fused, ConvRNNPool):
        _add_stem(builder, fused, sources, outputs[0])
        return
    for y in outputs:
        size, label = _map(graph, y), layer_of(graph.tensor_name(y))
        window = _window(builder, graph, operator, name)
        if window is not None:
            kind = _KINDS.get(name, POOL)
            node = Node(kind, (), window, size, _is_linear(graph, operator, y), label)
            builder.add_layer(sources, y, node)
        elif name in _SUMS:
            builder.join(SUM, sources, y, label, size)
        elif name == "MUL":
            builder.scale(sources, y, label, size)
        elif name == "CONCATENATION" and _joins_channels(builder, sources, size):
            builder.join(CONCATENATION, sources, y, label, size)
        else:
            builder.pass_on(sources, y, activates=name in _ACTIVATIONS)


def _window(
    builder: NetworkBuilder, graph: Graph, operator: schema.OperatorT, name: str
) -> Window | None:
    options = operator.builtinOptions
    if name == OP_NAME:
        return _pool(read_geometry(operator))
    if name in _CONVOLUTIONS:
        kernel = graph.shape(int(operator.inputs[1]))[1:3]
        dilation = (options.dilationHFactor, options.dilationWFactor)
        reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
        return Window(reach, (options.strideH, options.strideW))
    if name in _POOLS:
        return Window(
            (options.filterHeight, options.filterWidth), (options.strideH, options.strideW)
        )
    if name in _WHOLE_MAP:
        before = builder.map_of(int(operator.inputs[0])) or Map(1, 1, 1)
        whole = (before.height, before.width)
        return Window(whole, whole)
    return None


def _add_block(builder: NetworkBuilder, block: InvertedResidual, sources, output: int) -> None:
    before, name = sources, layer_of(block.name)
    layers = [] if block.expand is None else [(block.expand, POINT, block.input_shape)]
    window = Window(block.window.kernel, block.window.strides)
    layers += [
        (block.depthwise, window, block.output_shape),
        (block.project, POINT, block.output_shape),
    ]
    for number, (stage, window, shape) in enumerate(layers):
        last = number == len(layers) - 1 and block.residual is None
        tensor = output if last else (output, number)
        builder.add_layer(before, tensor, _stage(stage, window, shape[1:3], name))
        before = [tensor]
    if block.residual is not None:
        size = Map(*block.output_shape[1:])
        builder.join(SUM, [*before, *sources], output, name, size)


def _add_stem(builder: NetworkBuilder, stem: ConvRNNPool, sources, output: int) -> None:
    before, name = sources, layer_of(stem.name)
    for number, step in enumerate(stem.convolutions):
        window = Window(step.window.kernel, step.window.strides)
        node = _stage(step.stage, window, step.window.output, f"{name} convolution {number}")
        builder.add_layer(before, (output, number), node)
        before = [(output, number)]
    size = Map(*stem.output_shape[1:])
    builder.add_layer(before, output, Node(RNNPOOL, (), _pool(stem.geometry), size, name=name))


def _stage(stage: Stage, window: Window, size: tuple[int, ...], name: str) -> Node:
    kind = DEPTHWISE if stage.depthwise else CONVOLUTION
    return Node(kind, (), window, Map(*size, stage.outputs), _reaches_below_zero(stage.range), name)


def _reaches_below_zero(values: OutputRange) -> bool:
    return values.minimum < values.zero_point


def _is_linear(graph: Graph, operator: schema.OperatorT, output: int) -> bool:
    """Whether the output can be negative, by the activation function and, in int8, by its zero
    point, which is all that fused operators know."""
    if getattr(operator.builtinOptions, "fusedActivationFunction", 0) in _NOT_NEGATIVE:
        return False
    quantization = graph.quantization(output)
    return graph.dtype(output) != np.int8 or quantization is None or quantization.zero_point > -128


def _joins_channels(builder: NetworkBuilder, sources, size: Map) -> bool:
    known = [one for one in map(builder.map_of, sources) if one is not None]
    return sum(one.channels for one in known) == size.channels and all(
        (one.height, one.width) == (size.height, size.width) for one in known
    )


def _pool(geometry: Geometry) -> Window:
    return Window(geometry.pool_size, geometry.strides)


def _map(graph: Graph, index: int) -> Map:
    """The shape without the batch; vectors are maps of one pixel."""
    shape = graph.shape(index)[1:]
    return Map(*shape) if len(shape) == 3 else Map(1, 1, math.prod(shape))

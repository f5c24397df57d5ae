"""The longest way through a .tflite model, as a chain of layers for `bounds` and `conventions`.

Fused operators count as the layers that they are made of, so a model has the same main path before
and after fusion. Operators that only pass values on (activations, residual sums, padding, changes
of scale or shape) are no layers of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from rnnpool_tf.analysis.bounds import Map, Window
from rnnpool_tf.conversion.flatbuffer import Graph, input_indices, schema
from rnnpool_tf.conversion.fusion import stage
from rnnpool_tf.conversion.fusion.fused_layers import ConvRNNPool
from rnnpool_tf.conversion.fusion.fused_operators import read_fused
from rnnpool_tf.conversion.rnnpool_op import OP_NAME, read_geometry
from rnnpool_tf.geometry import Geometry

CONVOLUTION, DEPTHWISE, RNNPOOL, OTHER = "convolution", "depthwise", "RNNPool", "other"

_CONVOLUTIONS = {"CONV_2D": (CONVOLUTION, 1), "DEPTHWISE_CONV_2D": (DEPTHWISE, 1)}
_POOLS = ("AVERAGE_POOL_2D", "MAX_POOL_2D")
_WHOLE_MAP = ("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "FULLY_CONNECTED")
_POINT = ((1, 1), (1, 1))


@dataclass(frozen=True)
class Layer:
    """A layer of the path.

    Attributes:
        kind: `CONVOLUTION`, `DEPTHWISE`, `RNNPOOL` or `OTHER`.
        window: What an element of its output depends on.
        output: Its output.
    """

    kind: str
    window: Window
    output: Map

    @property
    def is_pointwise(self) -> bool:
        """Whether it is a 1×1 convolution."""
        return self.kind == CONVOLUTION and (self.window.kernel, self.window.strides) == _POINT


@dataclass(frozen=True)
class MainPath:
    """The path.

    Attributes:
        input: The model's input.
        layers: From the input to the output that the most layers lead to.
        element_bytes: Bytes of an element of the maps.
    """

    input: Map
    layers: tuple[Layer, ...]
    element_bytes: int


def main_path(graph: Graph) -> MainPath:
    """Follows a model from an input to the output that is the most layers away.

    Raises:
        ValueError: No operator computes an output from an input.
    """
    path = _longest(graph)
    if not path:
        raise ValueError("the model must compute an output from an input. Received: no operators")
    layers = [layer for step in path for layer in _layers_of(graph, *step)]
    start = path[0][1]
    return MainPath(_map(graph, start), tuple(layers), graph.dtype(start).itemsize)


def _longest(graph: Graph) -> list[tuple[schema.OperatorT, int, int]]:
    """(operator, tensor it reads on the path, tensor it writes) from an input to an output."""
    depth = dict.fromkeys(graph.inputs, 0)
    step: dict[int, tuple[schema.OperatorT, int]] = {}
    for operator in graph.operators:
        known = [index for index in input_indices(operator) if index in depth]
        if not known:
            continue
        deepest = max(known, key=lambda index: depth[index])
        for output in map(int, operator.outputs):
            length = max(1, len(_layers_of(graph, operator, deepest, output)))
            depth[output], step[output] = depth[deepest] + length, (operator, deepest)
    reached = [index for index in graph.outputs if index in step]
    path = []
    y = max(reached, key=lambda index: depth[index]) if reached else None
    while y in step:
        operator, x = step[y]
        path.append((operator, x, y))
        y = x
    return path[::-1]


def _layers_of(graph: Graph, operator: schema.OperatorT, x: int, y: int) -> list[Layer]:
    name, output = graph.name_of(operator), _map(graph, y)
    fused = read_fused(graph, operator)
    if fused is not None:
        if isinstance(fused, ConvRNNPool):
            return [
                *(_stage(step.stage, step.window) for step in fused.convolutions),
                Layer(RNNPOOL, _pool(fused.geometry), output),
            ]
        full = [] if fused.expand is None else [_pointwise(fused.expand, fused.input_shape)]
        return [
            *full,
            _stage(fused.depthwise, fused.window),
            _pointwise(fused.project, fused.output_shape),
        ]
    if name == OP_NAME:
        return [Layer(RNNPOOL, _pool(read_geometry(operator)), output)]
    options = operator.builtinOptions
    if name in _CONVOLUTIONS:
        kind, axis = _CONVOLUTIONS[name]
        kernel = graph.shape(int(operator.inputs[1]))[axis : axis + 2]
        dilation = (options.dilationHFactor, options.dilationWFactor)
        reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
        return [Layer(kind, Window(reach, (options.strideH, options.strideW)), output)]
    if name in _POOLS:
        window = Window(
            (options.filterHeight, options.filterWidth), (options.strideH, options.strideW)
        )
        return [Layer(OTHER, window, output)]
    if name in _WHOLE_MAP:
        before = _map(graph, x)
        whole = (before.height, before.width)
        return [Layer(OTHER, Window(whole, whole), output)]
    return []


def _stage(constants: stage.Stage, window: stage.Window) -> Layer:
    kind = DEPTHWISE if constants.depthwise else CONVOLUTION
    output = Map(*window.output, constants.outputs)
    return Layer(kind, Window(window.kernel, window.strides), output)


def _pointwise(constants: stage.Stage, shape: tuple[int, ...]) -> Layer:
    return Layer(CONVOLUTION, Window((1, 1)), Map(*shape[1:3], constants.outputs))


def _pool(geometry: Geometry) -> Window:
    return Window(geometry.pool_size, geometry.strides)


def _map(graph: Graph, index: int) -> Map:
    """The shape without the batch; vectors are maps of one pixel."""
    shape = graph.shape(index)[1:]
    if len(shape) == 3:
        return Map(*shape)
    size = 1
    for extent in shape:
        size *= extent
    return Map(1, 1, size)

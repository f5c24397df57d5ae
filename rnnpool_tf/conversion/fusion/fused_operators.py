"""The two fused operators as they stand in a .tflite file: reading them.

Both are int8. A convolution is a "stage" with two constants, weights and parameters
(`rnnpool_tf.conversion.fusion.stage`), an output range and, where it has one, a window.

`InvertedResidual`, version 1. Inputs: 0 the map; 1, 2 weights and parameters of the expansion (both
absent: none); 3, 4 of the depthwise convolution; 5, 6 of the projection. Options, a flexbuffer map
of integers: `version`; `stride_height`, `stride_width`, `pad_top`, `pad_left` (rows and columns of
padding behind the map follow from the output's shape); `expanded_`, `filtered_` and `projected_` +
`zero_point`, `min`, `max`; `residual` 0 or 1, and with it `input_`, `projected_` and `sum_` +
`multiplier`, `shift`, and `sum_min`, `sum_max`.

`ConvRNNPool`, version 1, or 2 where it has `gates` or a matrix of RNNPool is packed. Inputs: 0 the
map; weights and parameters of every convolution, depthwise ones with three dimensions; then the
eight constants of an RNNPool operator (`rnnpool_tf.conversion.rnnpool_op`). Options: `version`;
`convolutions`, how many; for convolution i `conv{i}_` + `stride_height`, `stride_width`, `pad_top`,
`pad_left`, `out_height`, `out_width`, `zero_point`, `min`, `max`; `pool_scale`, the float scale of
what RNNPool is applied to; RNNPool's own `pool_height`, `pool_width`, `stride_height`,
`stride_width`, `padding` and, in version 2, perhaps `gates`.

Zero points of the map and of the output stand in the tensors' own quantisation. Taps outside a map
have its zero point as their value.
`rnnpool_tf.conversion.fusion.operator_writing` writes them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnpool_tf.conversion.flatbuffer import NO_TENSOR, Graph, Quantization, schema
from rnnpool_tf.conversion.fusion.fused_layers import (
    Convolution,
    ConvRNNPool,
    Factor,
    InvertedResidual,
    ResidualSum,
)
from rnnpool_tf.conversion.fusion.stage import OutputRange, Stage, Window
from rnnpool_tf.conversion.rnnpool_op import (
    EXTENDED_VERSION,
    RNNPoolOperator,
    RNNPoolShape,
    check_output,
    layer_name,
    read_cells,
    read_gates,
    read_geometry,
    read_options,
    require_packed_version,
    rnnpool_operators,
)

INVERTED_RESIDUAL = "InvertedResidual"
CONV_RNNPOOL = "ConvRNNPool"
VERSION = 1
MAX_CONVOLUTIONS = 4
MAX_CONVOLUTION_KERNEL = 11
MAX_DEPTHWISE_KERNEL = 7
_POOL_CONSTANTS = 8


def inverted_residuals(graph: Graph) -> list[InvertedResidual]:
    """Reads every InvertedResidual operator of a model, in execution order.

    Raises:
        ValueError: One of them does not keep to its format; the message names it.
    """
    return [_named(graph, op, _read_block) for op in _operators(graph, INVERTED_RESIDUAL)]


def conv_rnnpools(graph: Graph) -> list[ConvRNNPool]:
    """Reads every ConvRNNPool operator of a model, in execution order.

    Raises:
        ValueError: One of them does not keep to its format; the message names it.
    """
    return [_named(graph, op, _read_stem) for op in _operators(graph, CONV_RNNPOOL)]


def rnnpool_layers(graph: Graph) -> list[RNNPoolOperator]:
    """The RNNPool layers of a model, fused or not, in execution order.

    Raises:
        ValueError: An operator does not keep to its format; the message names it.
    """
    found = {id(pool.operator): pool for pool in rnnpool_operators(graph)}
    for stem in conv_rnnpools(graph):
        cells = (stem.cell1.units, stem.cell2.units)
        shape = RNNPoolShape(stem.geometry, stem.pool_shape[2], *cells, gates=stem.cell1.gates)
        found[id(stem.operator)] = RNNPoolOperator(stem.name, shape, True, stem.operator)
    return [found[id(op)] for op in graph.operators if id(op) in found]


def read_fused(graph: Graph, operator: schema.OperatorT) -> InvertedResidual | ConvRNNPool | None:
    """One operator of a model as a fused operator; None if it is none.

    Raises:
        ValueError: It does not keep to its format.
    """
    readers = {INVERTED_RESIDUAL: _read_block, CONV_RNNPOOL: _read_stem}
    reader = readers.get(graph.name_of(operator))
    return None if reader is None else _named(graph, operator, reader)


def in_place_offset(graph: Graph, operator: schema.OperatorT) -> int | None:
    """How far its output may start behind its input and overlap it, in bytes.

    Args:
        graph: A model.
        operator: Any of its operators.

    Returns:
        The largest allowed (address of output 0 − address of input 0); smaller ones, negative ones
        included, are allowed too. None: the two must not overlap (not a fused operator, or a batch
        of several maps).
    """
    fused = read_fused(graph, operator)
    return None if fused is None else fused.in_place_offset()


def _operators(graph: Graph, name: str) -> list[schema.OperatorT]:
    return [operator for operator in graph.operators if graph.name_of(operator) == name]


def _named(graph: Graph, operator: schema.OperatorT, reader):
    try:
        return reader(graph, operator)
    except ValueError as error:
        raise ValueError(
            f"{graph.name_of(operator)} operator '{graph.tensor_name(int(operator.outputs[0]))}': "
            f"{error}"
        ) from error


def _read_block(graph: Graph, operator: schema.OperatorT) -> InvertedResidual:
    inputs = [int(index) for index in operator.inputs]
    output = int(operator.outputs[0])
    if len(inputs) != 7:
        raise ValueError(f"it must have 7 inputs. Received: {len(inputs)}")
    options = _Options(read_options(operator))
    expand = None
    if inputs[1] != NO_TENSOR:
        expand = _read_stage(graph, inputs[1:3], 2, options.range("expanded_"))
    depthwise = _read_stage(graph, inputs[3:5], 3, options.range("filtered_"))
    project = _read_stage(graph, inputs[5:7], 2, options.range("projected_"))
    x, y = _map_shape(graph, inputs[0]), _map_shape(graph, output)
    expansion = [] if expand is None else [expand]
    _require_chain(x[-1], [*expansion, depthwise, project], y[-1])
    input_zero_point = _zero_point(graph, inputs[0])
    residual = None
    if options.integer("residual"):
        range_ = OutputRange(
            _zero_point(graph, output), options.integer("sum_min"), options.integer("sum_max")
        )
        factors = (
            Factor(options.integer(f"{name}_multiplier"), options.integer(f"{name}_shift"))
            for name in ("input", "projected", "sum")
        )
        residual = ResidualSum(*factors, range_)
    return InvertedResidual(
        graph.tensor_name(output),
        x,
        y,
        input_zero_point,
        expand,
        depthwise,
        project,
        options.window("", depthwise.kernel, y[1:3]),
        residual,
        operator,
    )


def _read_stem(graph: Graph, operator: schema.OperatorT) -> ConvRNNPool:
    inputs = [int(index) for index in operator.inputs]
    output = int(operator.outputs[0])
    options = _Options(read_options(operator), EXTENDED_VERSION)
    count = options.integer("convolutions")
    first = 1 + 2 * count  # of RNNPool's constants
    if not 1 <= count <= MAX_CONVOLUTIONS or len(inputs) != first + _POOL_CONSTANTS:
        raise ValueError(
            f"it must have 1 to {MAX_CONVOLUTIONS} convolutions, two inputs for each of them, and "
            f"{_POOL_CONSTANTS} for RNNPool. Received: {count} convolutions, {len(inputs)} inputs"
        )
    convolutions = []
    for index in range(count):
        prefix = f"conv{index}_"
        weights = inputs[1 + 2 * index : 3 + 2 * index]
        rank = len(graph.shape(weights[0]))
        stage = _read_stage(graph, weights, 3 if rank == 3 else 4, options.range(prefix))
        size = options.integer(f"{prefix}out_height"), options.integer(f"{prefix}out_width")
        convolutions.append(Convolution(stage, options.window(prefix, stage.kernel, size)))
    x, y = _map_shape(graph, inputs[0]), _map_shape(graph, output)
    stages = [step.stage for step in convolutions]
    _require_chain(x[-1], stages, stages[-1].outputs)
    pixels = Quantization(options.number("pool_scale"), stages[-1].range.zero_point)
    check_output(graph, output)
    packed = require_packed_version(graph, operator, inputs[first:])
    gates = read_gates(operator)
    cell1, cell2 = read_cells(graph, inputs[first:], pixels, stages[-1].outputs, gates)
    return ConvRNNPool(
        layer_name(graph, operator, first),
        x,
        y,
        _zero_point(graph, inputs[0]),
        tuple(convolutions),
        read_geometry(operator),
        pixels,
        cell1,
        cell2,
        operator,
        packed,
    )


class _Options:
    """Options of a fused operator, checked as they are read."""

    def __init__(self, options: dict, newest: int = VERSION):
        self.options = options
        if not VERSION <= self.integer("version") <= newest:
            known = f"version {VERSION}" if newest == VERSION else f"versions {VERSION} to {newest}"
            raise ValueError(
                f"version {options['version']} is not supported; this package knows {known}"
            )

    def number(self, name: str) -> int | float:
        if not isinstance(self.options.get(name), int | float):
            raise ValueError(
                f"the option `{name}` must be a number. Received: {self.options.get(name)!r}"
            )
        return self.options[name]

    def integer(self, name: str) -> int:
        value = self.number(name)
        if not isinstance(value, int):
            raise ValueError(f"the option `{name}` must be an integer. Received: {value!r}")
        return value

    def range(self, prefix: str) -> OutputRange:
        return OutputRange(*(self.integer(prefix + name) for name in ("zero_point", "min", "max")))

    def window(self, prefix: str, kernel: tuple[int, int], output: tuple[int, int]) -> Window:
        names = ("stride_height", "stride_width", "pad_top", "pad_left")
        values = [self.integer(prefix + name) for name in names]
        return Window(kernel, tuple(values[:2]), tuple(values[2:]), output)


def _read_stage(graph: Graph, indices: list[int], rank: int, range_: OutputRange) -> Stage:
    weights, parameters = (graph.constant(index) for index in indices)
    if weights is None or parameters is None:
        raise ValueError("weights and parameters of its convolutions must be constant")
    if weights.ndim != rank:
        raise ValueError(
            f"weights must have {rank} dimensions. Received: '{graph.tensor_name(indices[0])}' "
            f"with shape {weights.shape}"
        )
    return Stage(weights, parameters, range_)


def _require_chain(channels: int, stages: Sequence[Stage], outputs: int) -> None:
    for stage in stages:
        if stage.inputs != channels:
            raise ValueError(
                f"a convolution must take the {channels} channels of what is in front of it. "
                f"Received: {stage.inputs}"
            )
        channels = stage.outputs
    if channels != outputs:
        raise ValueError(f"the output must have {channels} channels. Received: {outputs}")


def _map_shape(graph: Graph, index: int) -> tuple[int, ...]:
    shape = graph.shape(index)
    if len(shape) != 4 or min(shape) < 1:
        raise ValueError(
            "its input and output must be maps, [batch, height, width, channels]. Received: "
            f"'{graph.tensor_name(index)}' with shape {shape}"
        )
    return shape


def _zero_point(graph: Graph, index: int) -> int:
    quantization = graph.quantization(index)
    if graph.dtype(index) != np.int8 or quantization is None:
        raise ValueError(
            "its input and output must be int8 with one scale and zero point. Received: "
            f"'{graph.tensor_name(index)}', {graph.dtype(index)}, {quantization}"
        )
    return quantization.zero_point

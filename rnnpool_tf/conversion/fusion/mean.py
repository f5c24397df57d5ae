"""Turns MEAN over a whole map into AVERAGE_POOL_2D, where not a byte changes.

TFLite Micro's MEAN is generic, slow, and takes scratch memory for every sum; AVERAGE_POOL_2D is an
optimised kernel that takes none. But the two round differently: MEAN multiplies the sum, less its
zero point, by a fixed-point factor; AVERAGE_POOL_2D divides the sum itself and rounds halves away
from zero. Whether they agree depends on the number of pixels, the zero point and the scales, so
both are computed for every sum there can be.
"""

from __future__ import annotations

import numpy as np

from rnnpool_tf.conversion.flatbuffer import Graph, Quantization, schema
from rnnpool_tf.conversion.fusion.patterns import Neighbours
from rnnpool_tf.conversion.fusion.report import FusionNote, Unfit, short_name
from rnnpool_tf.conversion.fusion.requantization import multiply, quantize_multiplier

_AVERAGE_POOL_VERSION = 2  # the first with int8
# 64x64, more than a network averages on a microcontroller; bounds the table of sums.
_MOST_PIXELS = 1 << 12


def run(graph: Graph) -> list[FusionNote]:
    """Replaces MEAN operators over height and width of int8 maps, in place.

    Returns:
        A note for every MEAN over height and width that the model had.
    """
    notes = []
    for operator in list(graph.operators):
        if graph.name_of(operator) == "MEAN":
            name = short_name(graph.tensor_name(int(operator.outputs[0])))
            try:
                notes.append(FusionNote("mean", name, True, _replace(graph, operator)))
            except Unfit as reason:
                notes.append(FusionNote("mean", name, False, str(reason)))
    return notes


def mean(sums: np.ndarray, count: int, x: Quantization, y: Quantization) -> np.ndarray:
    """What TFLite's reference MEAN makes of sums of `count` int8 values.

    Raises:
        ValueError: TFLite's MEAN is not defined for these scales.
    """
    factor = quantize_multiplier(x.scale / y.scale)
    # The factor's 1 / count, with as many bits as fit.
    bits = min(count.bit_length() - 1, 32, 31 + factor.shift)
    multiplier = (factor.multiplier << bits) // count
    scaled = multiply(sums - x.zero_point * count, multiplier, factor.shift - bits)
    return np.clip(scaled + y.zero_point, -128, 127)


def average_pool(sums: np.ndarray, count: int) -> np.ndarray:
    """What TFLite's reference AVERAGE_POOL_2D makes of sums of `count` int8 values."""
    away_from_zero = np.where(sums > 0, count // 2, -(count // 2))
    return np.fix((sums + away_from_zero) / count).astype(np.int64)


def _replace(graph: Graph, operator: schema.OperatorT) -> str:
    neighbours = Neighbours(graph)
    neighbours.require_form(operator, (2,))
    x, y = int(operator.inputs[0]), int(operator.outputs[0])
    _require_whole_map(graph, operator)
    input_, output = neighbours.quantization(x), neighbours.quantization(y)
    batch, height, width, channels = graph.shape(x)
    count = height * width
    if count > _MOST_PIXELS:
        raise Unfit(f"its map has more than {_MOST_PIXELS} pixels")
    sums = np.arange(-128 * count, 127 * count + 1)
    try:
        different = np.count_nonzero(mean(sums, count, input_, output) != average_pool(sums, count))
    except ValueError as error:
        raise Unfit(str(error)) from error
    if different:
        raise Unfit(
            f"AVERAGE_POOL_2D would round {different} of {len(sums)} sums differently"
            + ("" if input_ == output else "; its input and output have different scales")
        )
    pooled = (batch, 1, 1, channels)
    shape = graph.shape(y)
    if shape == pooled:
        _put_pool(graph, operator, x, y)
        return "AVERAGE_POOL_2D"
    target = graph.add_tensor(f"{graph.tensor_name(y)}/pooled", pooled, np.int8, output)
    _open_batch(graph, x, target)
    readers = graph.consumers().get(y, [])
    position = _put_pool(graph, operator, x, target)
    if y not in graph.outputs and all(_takes_any_shape(graph, reader) for reader in readers):
        graph.replace_tensors({y: target})
        return "AVERAGE_POOL_2D"
    graph.operators.insert(position + 1, _reshape(graph, target, y))
    return "AVERAGE_POOL_2D and a RESHAPE for what reads it"


def _reshape(graph: Graph, source: int, target: int) -> schema.OperatorT:
    shape = np.array((-1, *graph.shape(target)[1:]), np.int32)
    constant = graph.add_constant(f"{graph.tensor_name(target)}/shape", shape)
    reshape = graph.make_operator("RESHAPE", [source, constant], [target])
    reshape.builtinOptionsType = schema.BuiltinOptions.ReshapeOptions
    reshape.builtinOptions = schema.ReshapeOptionsT()
    reshape.builtinOptions.newShape = shape
    return reshape


def _require_whole_map(graph: Graph, operator: schema.OperatorT) -> None:
    axes = graph.constant(int(operator.inputs[1]))
    if axes is None or sorted(axis % 4 for axis in axes.ravel().tolist()) != [1, 2]:
        raise Unfit("it is not over height and width")


def _put_pool(graph: Graph, operator: schema.OperatorT, x: int, y: int) -> int:
    """Puts the pooling operator in the place of another one; returns that."""
    pool = graph.make_operator("AVERAGE_POOL_2D", [x], [y], _AVERAGE_POOL_VERSION)
    options = schema.Pool2DOptionsT()
    _, options.filterHeight, options.filterWidth, _ = graph.shape(x)
    options.strideH = options.strideW = 1
    options.padding = schema.Padding.VALID
    pool.builtinOptionsType = schema.BuiltinOptions.Pool2DOptions
    pool.builtinOptions = options
    position = graph.operators.index(operator)
    graph.operators[position] = pool
    return position


def _open_batch(graph: Graph, x: int, target: int) -> None:
    signature = graph.tensors[x].shapeSignature
    if signature is not None and len(signature) and signature[0] == -1:
        shape = graph.shape(target)
        graph.tensors[target].shapeSignature = np.array((-1, *shape[1:]), np.int32)


def _takes_any_shape(graph: Graph, reader: schema.OperatorT) -> bool:
    """Whether an operator reads values in order, whatever the dimensions of its input."""
    name = graph.name_of(reader)
    if name == "FULLY_CONNECTED":
        return reader.builtinOptions is not None and not reader.builtinOptions.keepNumDims
    return name == "RESHAPE"

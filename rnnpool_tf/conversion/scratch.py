"""Scratch buffers that operators ask TFLite Micro for while they are prepared.

Those of the package's own operators come from their C++ core, by the same functions that the
operators call on a device. Built-in operators: the reference kernels of TFLite Micro, of which only
reductions, and layers with int4 weights, need any in int8 models; optimised kernels (CMSIS-NN) may
ask for more.
"""

from __future__ import annotations

import ctypes
import math

import numpy as np

from rnnpool_tf import native
from rnnpool_tf.conversion.flatbuffer import Graph, schema
from rnnpool_tf.conversion.front_image import FrontImage, write_front_image
from rnnpool_tf.conversion.fusion.fused_layers import InvertedResidual
from rnnpool_tf.conversion.fusion.fused_operators import (
    CONV_RNNPOOL,
    INVERTED_RESIDUAL,
    read_fused,
)
from rnnpool_tf.conversion.fusion.stage import OutputRange, Stage
from rnnpool_tf.conversion.rnnpool_op import (
    MATRICES,
    OP_NAME,
    packed_matrices,
    read_rnnpool,
)
from rnnpool_tf.gates import KINDS
from rnnpool_tf.geometry import PADDINGS

# Reductions keep int32 indices; MEAN and SUM of quantised maps int32 sums as well.
_SUMS = ("MEAN", "SUM")
_EXTREMES = ("REDUCE_MAX", "REDUCE_MIN")
# They unpack int4 weights to int8.
_UNPACKING = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
# Their scratch depends on pointer sizes or options, or they run other subgraphs.
_UNKNOWN = (
    "ADD_N",
    "CALL_ONCE",
    "IF",
    "MIRROR_PAD",
    "REDUCE_ALL",
    "SVDF",
    "TRANSPOSE_CONV",
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "WHILE",
)
# TFLite Micro's own custom operator that unpacks weights straight into its output.
_NEEDS_NONE = ("TFLM_DECODE",)
_INT32 = 4


class UnknownScratchError(ValueError):
    """An operator's scratch memory is not known."""


def scratch_bytes(graph: Graph, operator: schema.OperatorT) -> tuple[int, ...]:
    """Sizes of the scratch buffers of an operator, in bytes, in the order of its requests.

    Raises:
        UnknownScratchError: An operator that this package does not know in this respect.
        ValueError: One of its own operators, malformed.
    """
    name = graph.name_of(operator)
    if name in _OWN:
        return _OWN[name](graph, operator)
    if name in _NEEDS_NONE:
        return ()
    is_custom = graph.model.operatorCodes[operator.opcodeIndex].customCode is not None
    if is_custom or name in _UNKNOWN:
        raise UnknownScratchError(f"the scratch memory of the operator {name} is not known")
    if name in _UNPACKING:
        weights = int(operator.inputs[1])
        is_int4 = graph.tensors[weights].type == schema.TensorType.INT4
        return (math.prod(graph.shape(weights)),) if is_int4 else ()
    if name in _SUMS or name in _EXTREMES:
        x, axes = (int(index) for index in operator.inputs[:2])
        indices = (_INT32 * len(graph.shape(x)), _INT32 * int(np.prod(graph.shape(axes))))
        if name in _SUMS and graph.dtype(x) in (np.int8, np.int16):
            return (_INT32 * int(np.prod(graph.shape(int(operator.outputs[0])))), *indices)
        return indices
    return ()


def _rnnpool(graph: Graph, operator: schema.OperatorT) -> tuple[int, ...]:
    pool = read_rnnpool(graph, operator)
    if not pool.quantized:
        raise UnknownScratchError("the scratch memory of a float32 RNNPool is not known")
    inputs = [int(index) for index in operator.inputs]
    geometry, pixels = pool.shape.geometry, graph.quantization(inputs[0])
    call = _Call()
    call.numbers(*graph.shape(inputs[0])[1:])
    call.floats(pixels.scale)
    call.numbers(pixels.zero_point, *geometry.pool_size, *geometry.strides)
    call.numbers(PADDINGS.index(geometry.padding), KINDS.index(pool.shape.gates))
    call.numbers(pool.shape.hidden1, pool.shape.hidden2)
    packed = packed_matrices(graph, inputs[1:])
    sizes = [graph.bytes_of(inputs[at]) if name in packed else 0 for at, name in MATRICES.items()]
    call.array(np.array(sizes, np.int64))
    for position, index in enumerate(inputs[1:9]):
        call.array(graph.constant(index))
        if position % 4 < 2:  # matrices; biases have a fixed scale
            scales = np.asarray(graph.tensors[index].quantization.scale, np.float32)
            call.array(scales)
            call.numbers(scales.size)
    return (int(call.run("rnnpool_core_int8_plan", outputs=4)[3]),)


def _inverted_residual(graph: Graph, operator: schema.OperatorT) -> tuple[int, ...]:
    block = read_fused(graph, operator)
    call = _Call()
    call.array(np.array(_block_numbers(block), np.int32))
    for stage in (block.expand, block.depthwise, block.project):
        call.array(None if stage is None else stage.weights)
        call.array(None if stage is None else stage.parameters)
    return (int(call.run("rnnpool_inverted_residual_plan", outputs=2)[0]),)


def _block_numbers(block: InvertedResidual) -> list[int]:
    window, add = block.window, block.residual
    numbers = [*block.input_shape[1:], block.input_zero_point]
    numbers += [block.expanded_channels, block.output_shape[3], *window.kernel, *window.strides]
    numbers += [*window.pads, *window.output]
    numbers += [*_range_of(block.expand), *_range_of(block.depthwise), *_range_of(block.project)]
    if add is None:
        return [*numbers, 0, *[0] * 9]
    factors = (add.input, add.projected, add.sum)
    pairs = [number for factor in factors for number in (factor.multiplier, factor.shift)]
    return [*numbers, 1, *pairs, *_range(add.range)]


def _range_of(stage: Stage | None) -> tuple[int, int, int]:
    return (0, 0, 0) if stage is None else _range(stage.range)


def _range(limits: OutputRange) -> tuple[int, int, int]:
    return limits.zero_point, limits.minimum, limits.maximum


def _conv_rnnpool(graph: Graph, operator: schema.OperatorT) -> tuple[int, ...]:
    image = write_front_image(FrontImage(read_fused(graph, operator)))
    call = _Call()
    call.array(np.frombuffer(image, np.uint8).copy())  # which is aligned to 4 bytes
    call.sizes(len(image))
    return (int(call.run("rnnpool_conv_pool_plan", outputs=4)[0]),)


class _Call:
    """Arguments of a function of the native core, which keeps the arrays alive."""

    def __init__(self):
        self._arguments: list = []
        self._arrays: list[np.ndarray] = []

    def numbers(self, *values: int) -> None:
        self._arguments += [int(value) for value in values]

    def sizes(self, *values: int) -> None:
        self._arguments += [ctypes.c_int64(value) for value in values]

    def floats(self, *values: float) -> None:
        self._arguments += [ctypes.c_float(value) for value in values]

    def array(self, values: np.ndarray | None) -> None:
        if values is None:
            self._arguments.append(None)
            return
        self._arrays.append(np.ascontiguousarray(values))
        self._arguments.append(ctypes.c_void_p(self._arrays[-1].ctypes.data))

    def run(self, function: str, outputs: int) -> np.ndarray:
        """Calls a plan function; returns what it tells, int64 [outputs].

        Raises:
            ValueError: The core refuses the layer.
        """
        results = np.zeros(outputs, np.int64)
        error = ctypes.create_string_buffer(256)
        self.array(results)
        if getattr(native.load(), function)(*self._arguments, error, len(error)):
            raise ValueError(error.value.decode())
        return results


_OWN = {
    OP_NAME: _rnnpool,
    INVERTED_RESIDUAL: _inverted_residual,
    CONV_RNNPOOL: _conv_rnnpool,
}

"""The fused inverted residual and its kernels through the core's C interface."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass, replace

import numpy as np

from rnnpool_tf.native import library_path
from tests.kernels.core import CoreError


@dataclass(frozen=True)
class Stage:
    """A convolution: int8 weights, int32 params [3, channels], (zero point, min, max)."""

    weights: np.ndarray
    params: np.ndarray
    range: tuple[int, int, int]


@dataclass(frozen=True)
class Sum:
    """Three (multiplier, shift) and the sum's (zero point, min, max)."""

    x: tuple[int, int]
    y: tuple[int, int]
    sum: tuple[int, int]
    range: tuple[int, int, int]

    @property
    def numbers(self) -> tuple[int, ...]:
        return (*self.x, *self.y, *self.sum, *self.range)


@dataclass(frozen=True)
class Block:
    """An inverted residual on maps [height, width, channels]."""

    shape: tuple[int, int, int]
    zero_point: int
    expand: Stage | None  # weights [E, channels]
    filter: Stage  # weights [kernel height, kernel width, E]
    project: Stage  # weights [outputs, E]
    strides: tuple[int, int]
    pads: tuple[int, int]  # top, left
    out_size: tuple[int, int]
    sum: Sum | None = None

    @property
    def out_shape(self) -> tuple[int, int, int]:
        return (*self.out_size, len(self.project.weights))


@functools.cache
def library() -> ctypes.CDLL:
    """The library under test; tests replace this function to test another build."""
    return ctypes.CDLL(str(library_path("librnnpool")))


def _pointer(array: np.ndarray | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if array is None else array.ctypes.data)


def _numbers(*values) -> np.ndarray:
    return np.array(values, np.int32)


def _call(name: str, *arguments) -> None:
    error = ctypes.create_string_buffer(256)
    if getattr(library(), name)(*arguments, error, len(error)):
        raise CoreError(error.value.decode())


def _arrays(stage: Stage | None) -> list[np.ndarray | None]:
    if stage is None:
        return [None, None]
    return [
        np.ascontiguousarray(stage.weights, np.int8),
        np.ascontiguousarray(stage.params, np.int32),
    ]


def _block_arrays(block: Block) -> list[np.ndarray | None]:
    expanded = block.shape[2] if block.expand is None else len(block.expand.weights)
    numbers = _numbers(
        *block.shape,
        block.zero_point,
        expanded,
        len(block.project.weights),
        *block.filter.weights.shape[:2],
        *block.strides,
        *block.pads,
        *block.out_size,
        *((0, 0, 0) if block.expand is None else block.expand.range),
        *block.filter.range,
        *block.project.range,
        block.sum is not None,
        *((0,) * 9 if block.sum is None else block.sum.numbers),
    )
    return [numbers, *_arrays(block.expand), *_arrays(block.filter), *_arrays(block.project)]


def plan_block(block: Block) -> tuple[int, int]:
    """Workspace in bytes, and pixels in the ring. Raises CoreError."""
    arrays = _block_arrays(block)
    plan = np.zeros(2, np.int64)
    _call("rnnpool_inverted_residual_plan", *map(_pointer, arrays), _pointer(plan))
    return int(plan[0]), int(plan[1])


def run_block(block: Block, x: np.ndarray) -> np.ndarray:
    """Maps [n, height, width, channels] -> [n, out height, out width, outputs]."""
    x = np.ascontiguousarray(x)
    y = np.full((len(x), *block.out_shape), 85, np.int8)
    run_block_at(block, len(x), x.ctypes.data, y.ctypes.data)
    return y


def run_block_at(block: Block, batch: int, x: int, y: int) -> None:
    """As run_block, on addresses that may overlap."""
    arrays = _block_arrays(block)
    _call(
        "rnnpool_inverted_residual_run",
        *map(_pointer, arrays),
        batch,
        ctypes.c_void_p(x),
        ctypes.c_void_p(y),
    )


def run_pointwise(stage: Stage, pixels: np.ndarray) -> np.ndarray:
    """pixels [count, inputs] -> [count, outputs]."""
    weights, params = _arrays(stage)
    pixels, limits = np.ascontiguousarray(pixels), _numbers(*stage.range)
    y = np.full((len(pixels), len(weights)), 85, np.int8)
    shape = (len(pixels), pixels.shape[1], len(weights))
    arrays = (weights, params, limits, y)
    _call("rnnpool_pointwise", _pointer(pixels), *shape, *map(_pointer, arrays))
    return y


def run_depthwise(stage: Stage, pixels: np.ndarray) -> np.ndarray:
    """pixels [taps, channels], weights likewise -> [channels]."""
    weights, params = _arrays(stage)
    pixels, limits = np.ascontiguousarray(pixels), _numbers(*stage.range)
    y = np.full(pixels.shape[1], 85, np.int8)
    arrays = (weights, params, limits, y)
    _call("rnnpool_depthwise", _pointer(pixels), *pixels.shape, *map(_pointer, arrays))
    return y


def run_sum(layer: Sum, x, x_zero_point: int, y, y_zero_point: int) -> np.ndarray:
    """The int8 sum of two int8 arrays of one shape."""
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    output = np.empty_like(x)
    numbers = _numbers(*layer.numbers)
    _call(
        "rnnpool_residual_add",
        _pointer(x),
        x_zero_point,
        _pointer(y),
        y_zero_point,
        ctypes.c_int64(x.size),
        _pointer(numbers),
        _pointer(output),
    )
    return output


def multiply(values, multipliers, shifts) -> np.ndarray:
    """MultiplyByQuantizedMultiplier of three int32 arrays of one length."""
    arrays = [np.ascontiguousarray(a, np.int32) for a in (values, multipliers, shifts)]
    results = np.empty_like(arrays[0])
    library().rnnpool_multiply_by_quantized_multiplier(
        _pointer(arrays[0]),
        ctypes.c_int64(results.size),
        _pointer(arrays[1]),
        _pointer(arrays[2]),
        _pointer(results),
    )
    return results


def without_sum(block: Block) -> Block:
    """The same block without its residual."""
    return replace(block, sum=None)

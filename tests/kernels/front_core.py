"""Convolutions and RNNPool on resident maps through the core's C interface."""

from __future__ import annotations

import ctypes

import numpy as np

from tests.kernels import fused_core
from tests.kernels.core import CoreError


def _call(name: str, image: bytes, *arguments) -> None:
    # NumPy's memory is aligned as an image has to be.
    aligned = np.frombuffer(image, np.uint8).copy()
    error = ctypes.create_string_buffer(256)
    call = getattr(fused_core.library(), name)
    size = ctypes.c_int64(aligned.size)
    if call(ctypes.c_void_p(aligned.ctypes.data), size, *arguments, error, len(error)):
        raise CoreError(error.value.decode())


def run_convolution(image: bytes, x: np.ndarray, out_shape: tuple[int, ...]) -> np.ndarray:
    """The first convolution of a front on one map [height, width, channels]."""
    x = np.ascontiguousarray(x)
    y = np.full(out_shape, 85, np.int8)
    pointers = (ctypes.c_void_p(array.ctypes.data) for array in (x, y))
    _call("rnnpool_convolution_run", image, *pointers)
    return y


def plan_conv_pool(image: bytes) -> tuple[int, int, tuple[int, int]]:
    """Bytes of scratch and of persistent memory; height and width of the output."""
    sizes = np.zeros(4, np.int64)
    _call("rnnpool_conv_pool_plan", image, ctypes.c_void_p(sizes.ctypes.data))
    scratch, persistent, height, width = sizes.tolist()
    return scratch, persistent, (height, width)


def run_conv_pool(image: bytes, x: np.ndarray, out_shape: tuple[int, ...]) -> np.ndarray:
    """Convolutions and RNNPool on maps [n, height, width, channels]."""
    x = np.ascontiguousarray(x)
    y = np.full((len(x), *out_shape), 85, np.int8)
    run_conv_pool_at(image, len(x), x.ctypes.data, y.ctypes.data)
    return y


def run_conv_pool_at(image: bytes, batch: int, x: int, y: int) -> None:
    """As run_conv_pool, on addresses that may overlap."""
    _call("rnnpool_conv_pool_run", image, batch, ctypes.c_void_p(x), ctypes.c_void_p(y))

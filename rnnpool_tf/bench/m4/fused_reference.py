"""The fused operators' stages in NumPy, one after the other, on whole maps.

Rounding is that of TensorFlow Lite's reference kernels (tflm_kernels/src/rnnpool/requantize.h says
which); maps are [batch, height, width, channels] int8.
"""

from __future__ import annotations

import numpy as np

ADD_LEFT_SHIFT = 20


def scale(values, multiplier, shift) -> np.ndarray:
    """round(values * multiplier / 2^31 * 2^shift), rounded twice.

    First to 2^-31 of the product, halves upwards; then, for a negative shift, to 2^shift, halves
    away from zero.

    Args:
        values: integers; with a positive shift they are below 2^(31 - shift).
        multiplier, shift: integers that broadcast against `values`.

    Example::

        scale([-10, 10], 2**30, -1)  # array([-3, 3])
    """
    values, multiplier, shift = (np.asarray(a, np.int64) for a in (values, multiplier, shift))
    right = np.maximum(-shift, 0)
    high = ((values << np.maximum(shift, 0)) * multiplier + 2**30) >> 31
    half = (1 << right) >> 1
    return np.sign(high) * ((np.abs(high) + half) >> right)


def clamp(scaled: np.ndarray, limits: tuple[int, int, int]) -> np.ndarray:
    """Adds the zero point and clamps; `limits` are zero point, min and max."""
    zero_point, low, high = limits
    return np.clip(scaled + zero_point, low, high).astype(np.int8)


def convolution(x: np.ndarray, zero_point: int, stage) -> np.ndarray:
    """A convolution of a map whose zero point is `zero_point`; see fused_cases.Convolution."""
    batch, height, width = x.shape[:3]
    (out_height, out_width), (top, left) = stage.out_size, stage.pads
    rows, columns = (
        stride * np.arange(size)[:, None] + np.arange(kernel)
        for stride, size, kernel in zip(stage.strides, stage.out_size, stage.kernel, strict=True)
    )
    below = max(int(rows.max()) + 1 - top - height, 0)
    right = max(int(columns.max()) + 1 - left - width, 0)
    margins = ((0, 0), (top, below), (left, right), (0, 0))
    padded = np.pad(x, margins, constant_values=zero_point)
    # float64 holds every sum exactly and multiplies fast.
    windows = padded[:, rows[:, None, :, None], columns[None, :, None, :]].astype(np.float64)
    weights = stage.weights.astype(np.float64)
    if stage.depthwise:
        sums = np.einsum("nyxabc,abc->nyxc", windows, weights)
    else:
        patches = windows.reshape(batch, out_height, out_width, -1)
        sums = patches @ weights.reshape(len(weights), -1).T
    bias, multiplier, shift = stage.params
    return clamp(scale(sums.astype(np.int64) + bias, multiplier, shift), stage.limits)


def residual_add(x: np.ndarray, x_zero_point: int, y: np.ndarray, y_zero_point: int, layer):
    """TensorFlow Lite's ADD of two maps; see fused_cases.Sum."""
    summands = [
        scale((values.astype(np.int64) - zero_point) << ADD_LEFT_SHIFT, *factor)
        for values, zero_point, factor in (
            (x, x_zero_point, layer.x),
            (y, y_zero_point, layer.y),
        )
    ]
    return clamp(scale(sum(summands), *layer.sum), layer.limits)

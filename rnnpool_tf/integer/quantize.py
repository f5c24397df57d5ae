"""Float weights and images to the integers of the int8 operator.

====================  ======  ==========================================  ==========
what                  type    real value                                  zero point
====================  ======  ==========================================  ==========
weights               int8    q * scale, |q| <= 127, per tensor or row    0
biases                int32   q * 2**-26, so |bias| < 32                  0
images                int8    (q - zero_point) * scale                    any
output of RNNPool     int8    q / 128                                     0
====================  ======  ==========================================  ==========
"""

from __future__ import annotations

import numpy as np

from rnnpool_tf.gates import SMOOTH
from rnnpool_tf.integer.arithmetic import round_half_away, saturate
from rnnpool_tf.integer.cell import BIAS_BITS, IntegerCell, require_scale

LARGEST_WEIGHT = 127  # not 128: a symmetric range keeps -w as exact as w


def quantize_weights(weights: np.ndarray, per_row: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Quantises a matrix [rows, columns] symmetrically.

    A tensor or row of zeros gets the scale 1/127.

    Returns:
        int8 weights [rows, columns] and the float32 scale: shape [] or, with `per_row`, [rows].

    Raises:
        ValueError: `weights` is not a matrix of finite numbers, or its scale reaches 256.

    Example::

        quantize_weights(np.array([[0.5, -1.0]]))  # [[64, -127]], 1/127
    """
    weights = _finite("weights", weights)
    if weights.ndim != 2:
        raise ValueError(f"`weights` must be a matrix. Received: shape={weights.shape}")
    largest = np.abs(weights).max(axis=1 if per_row else None)
    scale = np.float32(np.where(largest > 0, largest, 1.0) / LARGEST_WEIGHT)
    require_scale("scale", scale)
    steps = round_half_away(weights / np.float64(scale[..., None] if per_row else scale))
    return np.clip(steps, -LARGEST_WEIGHT, LARGEST_WEIGHT).astype(np.int8), scale


def quantize_bias(bias: np.ndarray) -> np.ndarray:
    """Rounds biases to int32 in steps of 2**-26.

    Raises:
        ValueError: a bias is not finite or outside [-32, 32).

    Example::

        quantize_bias(np.array([1.0]))  # array([67108864], dtype=int32)
    """
    steps = round_half_away(_finite("bias", bias) * 2.0**BIAS_BITS)
    if np.any(steps != saturate(steps, 32)):
        raise ValueError(f"`bias` must be at least -32 and below 32. Received: {bias!r}")
    return steps.astype(np.int32)


def quantize_cell(
    kernel: np.ndarray,
    recurrent_kernel: np.ndarray,
    bias_gate: np.ndarray,
    bias_update: np.ndarray,
    per_row: bool = False,
    gates: str = SMOOTH,
) -> IntegerCell:
    """Quantises a cell given in the Keras layout: kernels [inputs, units] and [units, units].

    Args:
        per_row: one scale per unit instead of one per matrix.
        gates: "smooth" or "piecewise_linear".

    Raises:
        ValueError: as the functions above, or inconsistent shapes.

    Example::

        cell = quantize_cell(np.ones((3, 2)), np.eye(2), np.zeros(2), np.zeros(2))
        cell.kernel_q.shape  # (2, 3)
    """
    kernel_q, kernel_scale = quantize_weights(np.transpose(kernel), per_row)
    recurrent_q, recurrent_scale = quantize_weights(np.transpose(recurrent_kernel), per_row)
    return IntegerCell(
        kernel_q,
        kernel_scale,
        recurrent_q,
        recurrent_scale,
        quantize_bias(bias_gate),
        quantize_bias(bias_update),
        gates,
    )


def quantize_pixels(pixels: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    """Quantises real pixels of any shape to int8, saturating.

    Example::

        quantize_pixels(np.array([0.0, 1.0]), scale=1 / 255, zero_point=-128)  # [-128, 127]
    """
    require_scale("scale", np.float32(scale))
    steps = round_half_away(_finite("pixels", pixels) / np.float64(np.float32(scale)))
    return saturate(steps + zero_point, 8).astype(np.int8)


def _finite(name: str, values: np.ndarray) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if not np.all(np.isfinite(values)):
        raise ValueError(f"`{name}` must be finite. Received: {values!r}")
    return values

"""From scales to the integers that TFLite's int8 kernels multiply with, exactly.

TFLite computes them when a model is loaded, from the scales in the file, and TFLite Micro keeps
them in RAM. Here they are computed once, in the same steps and the same floating-point types, to be
stored as constants. Sources: `QuantizeMultiplier`, `PopulateConvolutionQuantizationParams`,
`CalculateActivationRangeQuantized` and the preparation of ADD in TensorFlow Lite.
"""

from __future__ import annotations

import math

import numpy as np

from rnnpool_tf.conversion.flatbuffer import Quantization, schema
from rnnpool_tf.conversion.fusion.fused_layers import Factor, ResidualSum
from rnnpool_tf.conversion.fusion.stage import OutputRange

SMALLEST_SHIFT = -31
LARGEST_SHIFT = 30
ADD_LEFT_SHIFT = 20

_Activation = schema.ActivationFunctionType
# Real limits of activation functions; None: that of int8.
_LIMITS = {
    _Activation.NONE: (None, None),
    _Activation.RELU: (0.0, None),
    _Activation.RELU6: (0.0, 6.0),
    _Activation.RELU_N1_TO_1: (-1.0, 1.0),
}
_INT32 = np.iinfo(np.int32)


def quantize_multiplier(real: float) -> Factor:
    """A positive factor as a fraction of 31 bits and a power of two.

    Raises:
        ValueError: Not a positive number, or 2^30 and more.

    >>> quantize_multiplier(0.75)
    Factor(multiplier=1610612736, shift=0)
    """
    if not (math.isfinite(real) and real > 0):
        raise ValueError(f"`real` must be a positive number. Received: real={real}")
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * 2**31 + 0.5)  # exact: the fraction has 53 bits
    if multiplier == 2**31:
        multiplier, shift = 2**30, shift + 1
    if shift < SMALLEST_SHIFT:
        return Factor(0, 0)
    if shift > LARGEST_SHIFT:
        raise ValueError(f"`real` must be below 2^{LARGEST_SHIFT}. Received: real={real}")
    return Factor(multiplier, shift)


def stage_parameters(
    weights: np.ndarray,
    bias: np.ndarray | None,
    input_: Quantization,
    filter_scales: np.ndarray,
    output_scale: float,
) -> np.ndarray:
    """Bias, multiplier and shift of every output channel of a convolution.

    Args:
        weights: int8 [outputs, weights that one output channel has].
        bias: int32 [outputs]; None: zeros.
        input_: Quantisation of the input, whose zero point is folded into the bias.
        filter_scales: float32, one or [outputs].
        output_scale: Scale of the output.

    Returns:
        int32 [3, outputs].

    Raises:
        ValueError: A value does not fit.
    """
    outputs = len(weights)
    sums = weights.astype(np.int64).sum(axis=1)
    folded = (0 if bias is None else bias.astype(np.int64)) - input_.zero_point * sums
    if not ((_INT32.min <= folded) & (folded <= _INT32.max)).all():
        raise ValueError("a bias with the input's zero point folded in exceeds 32 bits")
    scales = np.broadcast_to(np.asarray(filter_scales, np.float32), outputs)
    factors = [
        quantize_multiplier(float(np.float64(input_.scale) * np.float64(scale) / output_scale))
        for scale in scales
    ]
    rows = [folded, [f.multiplier for f in factors], [f.shift for f in factors]]
    return np.array(rows, np.int64).astype(np.int32)


def output_range(activation: int, output: Quantization) -> OutputRange:
    """Zero point of an int8 output and the limits that a fused activation function gives it.

    Args:
        activation: One of the schema's `ActivationFunctionType`: NONE, RELU, RELU6, RELU_N1_TO_1.
        output: Its quantisation.

    Raises:
        ValueError: Another activation function, or a zero point or scale that int8 cannot have.
    """
    if activation not in _LIMITS:
        raise ValueError(f"its activation function (number {activation}) is none of the fused ones")
    if not -128 <= output.zero_point <= 127:
        raise ValueError(f"the zero point {output.zero_point} of its output is not an int8 value")
    lower, upper = _LIMITS[activation]
    minimum = -128 if lower is None else max(-128, _quantize(lower, output))
    maximum = 127 if upper is None else min(127, _quantize(upper, output))
    return OutputRange(output.zero_point, minimum, maximum)


def residual_sum(
    x: Quantization, projected: Quantization, output: Quantization, activation: int
) -> ResidualSum:
    """TFLite's int8 ADD of a block's input and its projection.

    Raises:
        ValueError: TFLite cannot add with these scales.
    """
    twice_largest = 2 * max(x.scale, projected.scale)
    sum_factor = twice_largest / (2**ADD_LEFT_SHIFT * output.scale)
    if sum_factor >= 1:
        raise ValueError("the scale of the sum is too small for those of its terms")
    return ResidualSum(
        quantize_multiplier(x.scale / twice_largest),
        quantize_multiplier(projected.scale / twice_largest),
        quantize_multiplier(sum_factor),
        output_range(activation, output),
    )


def multiply(values: np.ndarray, multiplier: int, shift: int) -> np.ndarray:
    """TFLite's MultiplyByQuantizedMultiplier of int32 values, with its two roundings.

    The product is rounded to the nearest integer, halves upwards; shifting right after it rounds
    halves away from zero. Values times 2^shift must fit 32 bits where the shift is positive.

    >>> multiply(np.array([3, -3]), 2**30, 0)
    array([ 2, -1])
    """
    shifted = np.asarray(values, np.int64) << max(shift, 0)
    product = (shifted * multiplier + 2**30) >> 31
    right = max(-shift, 0)
    mask = (1 << right) - 1
    return (product >> right) + ((product & mask) > (mask >> 1) + (product < 0))


def _quantize(real: float, output: Quantization) -> int:
    steps = np.float32(real) / np.float32(output.scale)
    # std::round: halves away from zero. A float32 plus a half is exact in float64.
    whole = math.copysign(math.floor(abs(float(steps)) + 0.5), steps)
    if not _INT32.min <= whole <= _INT32.max:
        raise ValueError(f"the scale {output.scale:g} of its output is too small")
    return output.zero_point + int(whole)

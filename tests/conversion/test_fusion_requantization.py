"""Multipliers, limits and folded biases are the integers that TFLite computes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnnpool_tf.conversion.flatbuffer import Quantization, schema
from rnnpool_tf.conversion.fusion.fused_layers import Factor
from rnnpool_tf.conversion.fusion.requantization import (
    multiply,
    output_range,
    quantize_multiplier,
    residual_sum,
    stage_parameters,
)
from rnnpool_tf.conversion.fusion.stage import OutputRange, Stage
from rnnpool_tf.runtime import Runtime
from tests.conversion.random_models import Builder

pytestmark = pytest.mark.keras_free

SEED = 31
Activation = schema.ActivationFunctionType


@pytest.mark.parametrize(
    "real, multiplier, shift",
    [
        (1.0, 2**30, 1),
        (0.5, 2**30, 0),
        (0.75, 3 * 2**29, 0),
        (2.0**-31, 2**30, -30),
        (2.0**-32, 2**30, -31),  # the smallest that is not 0
        (2.0**-33, 0, 0),
        (1 - 2.0**-33, 2**30, 1),  # rounds up to 2^31, which is 2^30 and a shift more
        (1 - 2.0**-32, 2**30, 1),  # halves up
        (1 - 2.0**-31, 2**31 - 1, 0),
        (0.5 + 2.0**-32, 2**30 + 1, 0),  # a half, away from zero
        (0.5 + 2.0**-33, 2**30, 0),
        (2.0**29, 2**30, 30),
    ],
)
def test_multiplier(real, multiplier, shift):
    assert quantize_multiplier(real) == Factor(multiplier, shift)


@pytest.mark.parametrize("real", [0.0, -1.0, math.nan, math.inf, 2.0**30])
def test_refused_multiplier(real):
    with pytest.raises(ValueError, match=f"Received: real={real}"):
        quantize_multiplier(real)


def doubling_high_product(a: int, b: int) -> int:
    """gemmlowp's SaturatingRoundingDoublingHighMul, with C's division towards zero."""
    product = a * b
    nudged = product + (2**30 if product >= 0 else 1 - 2**30)
    return nudged // 2**31 if nudged >= 0 else -(-nudged // 2**31)


def shifted_right(value: int, exponent: int) -> int:
    """gemmlowp's RoundingDivideByPOT."""
    mask = 2**exponent - 1
    threshold = (mask >> 1) + (1 if value < 0 else 0)
    return (value >> exponent) + (1 if value & mask > threshold else 0)


def test_multiply_rounds_twice_as_tflite_does():
    rng = np.random.default_rng(SEED)
    for _ in range(300):
        multiplier = int(rng.choice([2**30, 2**31 - 1, rng.integers(2**30, 2**31)]))
        shift = int(rng.integers(-31, 8))
        size = 2 ** int(rng.integers(1, 31 - max(shift, 0)))
        values = rng.integers(-size, size, 50)
        expected = [
            shifted_right(
                doubling_high_product(int(value) << max(shift, 0), multiplier), max(-shift, 0)
            )
            for value in values
        ]
        np.testing.assert_array_equal(
            multiply(values, multiplier, shift), expected, err_msg=f"{multiplier}, {shift}"
        )


@pytest.mark.parametrize(
    "activation, scale, zero_point, expected",
    [
        (Activation.NONE, 0.1, 5, (-128, 127)),
        (Activation.RELU, 0.1, 5, (5, 127)),
        (Activation.RELU, 0.1, -128, (-128, 127)),
        (Activation.RELU6, 6 / 255, -128, (-128, 127)),
        (Activation.RELU6, 0.5, -10, (-10, 2)),
        (Activation.RELU6, 4.0, 0, (0, 2)),  # 1.5 to 2
        (Activation.RELU6, 0.01, 0, (0, 127)),
        (Activation.RELU_N1_TO_1, 0.4, 0, (-3, 3)),  # -2.5 and 2.5, away from zero
        (Activation.RELU_N1_TO_1, 0.1, -125, (-128, -115)),
        (Activation.RELU_N1_TO_1, 0.1, 127, (117, 127)),
    ],
)
def test_limits_of_activations(activation, scale, zero_point, expected):
    quantization = Quantization(float(np.float32(scale)), zero_point)
    assert output_range(activation, quantization) == OutputRange(zero_point, *expected)


@pytest.mark.parametrize(
    "activation, quantization, message",
    [
        (Activation.TANH, Quantization(0.1, 0), "activation function"),
        (Activation.RELU, Quantization(0.1, 128), "zero point 128"),
        (Activation.RELU6, Quantization(1e-10, 0), "scale 1e-10"),
    ],
    ids=["tanh", "zero point", "scale"],
)
def test_refused_limits(activation, quantization, message):
    with pytest.raises(ValueError, match=message):
        output_range(activation, quantization)


def test_parameters_of_a_stage():
    weights = np.array([[1, 2, 3], [-4, 0, 4]], np.int8)
    bias = np.array([100, -7], np.int32)
    found = stage_parameters(weights, bias, Quantization(0.5, -10), np.float32([0.25, 0.5]), 0.25)
    assert found.dtype == np.int32
    assert found.tolist() == [[100 + 60, -7], [2**30, 2**30], [0, 1]]
    per_tensor = stage_parameters(weights, None, Quantization(0.5, 2), np.float32([0.25]), 0.25)
    assert per_tensor.tolist() == [[-12, 0], [2**30, 2**30], [0, 0]]


def test_folded_bias_that_exceeds_32_bits():
    weights = np.full((1, 9), 127, np.int8)
    bias = np.array([2**31 - 1], np.int32)
    with pytest.raises(ValueError, match="exceeds 32 bits"):
        stage_parameters(weights, bias, Quantization(0.5, -128), np.float32([0.25]), 0.25)


@pytest.mark.parametrize("shift", [0, 3])
def test_largest_accumulator(shift):
    # |bias| + 128 * 127 * 2, times 2^shift, is just 2^31 - 1 or one more.
    weights = np.full((1, 2), -127, np.int8)
    limit = (2**31 - 1 >> shift) - 128 * 254
    for bias, fits in ((limit, True), (-limit, True), (limit + 1, False), (-limit - 1, False)):
        parameters = np.array([[bias], [2**30], [shift]], np.int32)
        problem = Stage(weights, parameters, OutputRange(0)).problem()
        assert (problem is None) == fits
    assert problem == "the accumulator of its channel 0 may exceed 32 bits"


def test_factors_of_a_sum():
    found = residual_sum(
        Quantization(0.5, 3), Quantization(0.25, -4), Quantization(1.0, 7), Activation.RELU
    )
    assert found.input == Factor(2**30, 0)
    assert found.projected == Factor(2**30, -1)
    assert found.sum == Factor(2**30, -19)
    assert found.range == OutputRange(7, 7, 127)


def test_sum_with_a_scale_that_tflite_refuses():
    with pytest.raises(ValueError, match="scale of the sum is too small"):
        scales = Quantization(0.5, 3), Quantization(0.25, -4), Quantization(2.0**-21, 7)
        residual_sum(*scales, Activation.NONE)


@pytest.mark.parametrize("exponent", range(-36, 4, 3), ids="scale2^{}".format)
def test_convolutions_of_any_scale_compute_what_tflite_computes(exponent):
    """A 1x1 convolution from its constants in NumPy, against the engines."""
    rng = np.random.default_rng(SEED)
    build = Builder(SEED, (1, 8, 8, 6))
    build.convolution(16, activation="RELU")
    operator = build.graph.operators[-1]
    weights, bias = (int(index) for index in operator.inputs[1:])
    real = 2.0**exponent * rng.uniform(0.5, 2, 16)
    input_, output = (build.graph.quantization(i) for i in (operator.inputs[0], build.value))
    scales = (real * output.scale / input_.scale).astype(np.float32)
    build.graph.tensors[weights].quantization.scale = scales
    build.graph.tensors[weights].quantization.zeroPoint = np.zeros(16, np.int64)
    matrix = build.graph.constant(weights).reshape(16, 6)
    parameters = stage_parameters(
        matrix, build.graph.constant(bias), input_, scales, output.scale
    ).astype(np.int64)
    x = rng.integers(-128, 128, (1, 8, 8, 6)).astype(np.int8)
    sums = x.astype(np.int64) @ matrix.T.astype(np.int64) + parameters[0]
    scaled = [
        multiply(sums[..., c], int(multiplier), int(shift))
        for c, (multiplier, shift) in enumerate(parameters[1:].T)
    ]
    limits = output_range(Activation.RELU, output)
    expected = np.clip(np.stack(scaled, -1) + limits.zero_point, limits.minimum, limits.maximum)
    data = build.finish()
    for options in ({"engine": "litert", "reference_kernels": True}, {"engine": "tflm"}):
        found = Runtime(data, **options).predict_quantized(x)
        np.testing.assert_array_equal(found, expected, err_msg=f"{options}, seed {SEED}")

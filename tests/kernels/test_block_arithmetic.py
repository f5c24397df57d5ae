"""Requantisation and the single kernels against exact integer arithmetic written after TFLite's.

`test_block_kernels.py` shows that this is what TFLite's reference kernels compute.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.kernels import fused_core
from tests.kernels.core import CoreError
from tests.kernels.fused_core import Stage, Sum

pytestmark = [pytest.mark.keras_free, pytest.mark.usefixtures("build")]

MULTIPLIERS = (0, 2**30, 2**30 + 1, 1518500250, 2**31 - 1)


def multiply_exactly(value: int, multiplier: int, shift: int) -> int:
    """SaturatingRoundingDoublingHighMul, then RoundingDivideByPOT, on Python's integers."""
    product = (value << max(shift, 0)) * multiplier
    nudged = product + (2**30 if product >= 0 else 1 - 2**30)
    high = abs(nudged) // 2**31 * (1 if nudged >= 0 else -1)  # rounds towards zero
    right = max(-shift, 0)
    remainder = high & ((1 << right) - 1)
    threshold = (((1 << right) - 1) >> 1) + (high < 0)
    return (high >> right) + (remainder > threshold)


def requantize(sums, params, limits):
    """int64 accumulators [..., channels] -> int8."""
    zero_point, low, high = limits
    scaled = np.empty_like(sums)
    for index in np.ndindex(sums.shape):
        scaled[index] = multiply_exactly(int(sums[index]), *map(int, params[1:, index[-1]]))
    return np.clip(scaled + zero_point, low, high).astype(np.int8)


def random_params(rng, channels):
    """Mostly factors that use the range of int8, some of all sizes."""
    usual = rng.integers(-12, -6, channels)
    shifts = np.where(rng.random(channels) < 0.2, rng.integers(-31, 1, channels), usual)
    multipliers = np.where(
        rng.random(channels) < 0.5,
        rng.choice(MULTIPLIERS, channels),
        rng.integers(2**30, 2**31, channels),
    )
    return np.stack([rng.integers(-5000, 5000, channels), multipliers, shifts]).astype(np.int32)


def random_range(rng):
    zero_point = int(rng.choice([-128, 127, rng.integers(-128, 128)]))
    low, high = sorted(int(v) for v in rng.choice([-128, -100, -3, 4, 99, 127], 2, replace=False))
    return zero_point, low, high


@pytest.mark.parametrize("shift", range(-31, 31))
def test_scaling_of_any_value(shift):
    rng = np.random.default_rng(shift + 31)
    largest = (2**31 - 1) >> max(shift, 0)
    right = max(-shift, 0)
    near = np.arange(-3, 4)
    values = np.concatenate(
        [
            near,
            [largest, -largest],
            rng.integers(-largest, largest + 1, 500),
            rng.integers(-largest, largest + 1, 500) >> int(rng.integers(0, 20)),
            # Ties of both roundings with a multiplier of a half, and their neighbours.
            (near[:, None] + rng.integers(-40, 40, 50) * 2**right).ravel(),
            (near[:, None] + 2 * 2**right * np.arange(-20, 20) + 2**right).ravel(),
        ]
    )
    values = np.clip(values, -largest, largest)
    for multiplier in MULTIPLIERS:
        count = len(values)
        output = fused_core.multiply(values, np.full(count, multiplier), np.full(count, shift))
        expected = [multiply_exactly(int(v), multiplier, shift) for v in values]
        np.testing.assert_array_equal(output, expected, err_msg=f"{multiplier=} seed={shift + 31}")


@pytest.mark.parametrize("inputs", [1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 48, 95, 320])
@pytest.mark.parametrize("outputs", [1, 2, 3, 4, 5, 8, 13, 16, 40])
def test_pointwise(inputs, outputs):
    seed = 1000 * inputs + outputs
    rng = np.random.default_rng(seed)
    for count in (1, 2, 3, 4, 5, 9):
        stage = Stage(
            rng.integers(-128, 128, (outputs, inputs)).astype(np.int8),
            random_params(rng, outputs),
            random_range(rng),
        )
        pixels = rng.integers(-128, 128, (count, inputs)).astype(np.int8)
        sums = pixels.astype(np.int64) @ stage.weights.T + stage.params[0]
        np.testing.assert_array_equal(
            fused_core.run_pointwise(stage, pixels),
            requantize(sums, stage.params, stage.range),
            err_msg=f"{seed=} {count=}",
        )


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 8, 15, 16, 17, 32, 33, 47, 64, 101])
@pytest.mark.parametrize("taps", [1, 2, 3, 4, 6, 9, 15, 25, 49])
def test_depthwise(taps, channels):
    seed = 1000 * taps + channels
    rng = np.random.default_rng(seed)
    stage = Stage(
        rng.integers(-128, 128, (taps, channels)).astype(np.int8),
        random_params(rng, channels),
        random_range(rng),
    )
    pixels = rng.integers(-128, 128, (taps, channels)).astype(np.int8)
    sums = (pixels.astype(np.int64) * stage.weights).sum(0) + stage.params[0]
    np.testing.assert_array_equal(
        fused_core.run_depthwise(stage, pixels),
        requantize(sums, stage.params, stage.range),
        err_msg=f"{seed=}",
    )


@pytest.mark.parametrize("seed", range(20))
def test_sum_of_all_pairs_of_values(seed):
    rng = np.random.default_rng(seed)

    def factor(smallest):
        multiplier = rng.choice([2**30, 2**31 - 1, rng.integers(2**30, 2**31)])
        return int(multiplier), int(rng.integers(smallest, 1))

    layer = Sum(factor(-4), factor(-4), (factor(-4)[0], int(rng.integers(-20, -14))), (0, 0, 0))
    layer = Sum(layer.x, layer.y, layer.sum, random_range(rng))
    zero_points = [int(rng.choice([-128, 127, rng.integers(-128, 128)])) for _ in range(2)]
    values = np.arange(-128, 128)
    x, y = (a.ravel() for a in np.meshgrid(values, values))

    def scale(values, zero_point, given):
        results = [multiply_exactly((int(v) - zero_point) << 20, *given) for v in values]
        return np.array(results)

    sums = scale(values, zero_points[0], layer.x)[x + 128]
    sums = sums + scale(values, zero_points[1], layer.y)[y + 128]
    zero_point, low, high = layer.range
    scaled = np.array([multiply_exactly(int(v), *layer.sum) for v in sums])
    output = fused_core.run_sum(
        layer, x.astype(np.int8), zero_points[0], y.astype(np.int8), zero_points[1]
    )
    expected = np.clip(scaled + zero_point, low, high)
    np.testing.assert_array_equal(output, expected, err_msg=f"{seed=} {layer}")


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("shift", [-31, 0, 1, 7])
@pytest.mark.parametrize("kernel", [fused_core.run_pointwise, fused_core.run_depthwise])
def test_accumulators_up_to_the_last_that_fits(kernel, shift, sign):
    """Inputs that make the accumulator as large as the bound allows, and one more."""
    weights = np.array([[-128, 127, 1]], np.int8)
    largest = (2**31 - 1) >> max(shift, 0)
    bias = largest - 128 * (128 + 127 + 1)
    pixels = np.where((weights > 0) == (sign > 0), 127, -128)
    if kernel is fused_core.run_depthwise:
        weights, pixels = weights.T, pixels.T

    def run(bias):
        params = np.array([[sign * bias], [2**31 - 1], [shift]], np.int32)
        return kernel(Stage(weights, params, (-1, -128, 127)), pixels.astype(np.int8))

    total = int((pixels * weights.astype(np.int64)).sum()) + sign * bias
    assert largest - abs(total) <= 128  # a positive weight would need an input of 128
    expected = np.clip(multiply_exactly(total, 2**31 - 1, shift) - 1, -128, 127)
    assert run(bias).ravel() == [expected]
    with pytest.raises(CoreError, match="overflow"):
        run(bias + 1)

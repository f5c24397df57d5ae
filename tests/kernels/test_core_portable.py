"""The portable build of the C++ core against the ordinary one, which may use AVX2."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pytest

from rnnpool_tf.gates import KINDS, SMOOTH
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer import IntegerCell, rnnpool_int8
from tests.kernels import core
from tests.kernels.int8_cases import CHARACTERS, arrays, case

pytestmark = pytest.mark.keras_free

# Channels, h1, h2: whole blocks of 8 units and parts of one, odd counts, and cells on either side
# of what the AVX2 path takes.
DIMENSIONS = [
    (8, 8, 8),
    (3, 16, 8),
    (7, 24, 17),
    (4, 32, 12),
    (1, 44, 1),
    (5, 41, 3),
    (500, 4, 9),
    (600, 3, 16),
]
IDS = ["_".join(map(str, d)) for d in DIMENSIONS]
GEOMETRY = Geometry((4, 3), (2, 2), "same")
SIZE = (9, 41)


@pytest.fixture
def portably(portable_library, monkeypatch):
    """Calls one of `core`'s functions with the portable library."""

    def call(function, *arguments):
        with monkeypatch.context() as patch:
            patch.setattr(core, "_library", lambda: portable_library)
            return function(*arguments)

    return call


@pytest.mark.parametrize("character", CHARACTERS)
def test_random_int8_layers(portably, character):
    ran = 0
    for seed in range(CHARACTERS.index(character), 640, len(CHARACTERS)):
        one = case(seed)
        arguments = (*arrays(one), one.geometry)
        try:
            expected = portably(core.run_int8, *arguments)
        except core.CoreError:
            continue
        np.testing.assert_array_equal(core.run_int8(*arguments), expected, err_msg=f"{one}")
        ran += 1
    assert ran >= 50


@pytest.mark.parametrize(("channels", "h1", "h2"), DIMENSIONS, ids=IDS)
@pytest.mark.parametrize("scale", [1 / 4096, 1 / 8], ids=["mild", "saturating"])
@pytest.mark.parametrize("gates", KINDS)
def test_int8_cells_of_any_size(portably, channels, h1, h2, scale, gates):
    seed = 100 * h1 + h2
    rng = np.random.default_rng(seed)

    def cell(inputs, units):
        # Biases reach both ends of the gates' tables; with the 1 of piecewise linear gates on top,
        # the proof needs them to be smaller.
        largest = 2**29 if gates == SMOOTH else 2**28
        return IntegerCell(
            rng.integers(-127, 128, (units, inputs)).astype(np.int8),
            scale,
            rng.integers(-127, 128, (units, units)).astype(np.int8),
            1 / 4096,
            rng.integers(-largest, largest, units).astype(np.int32),
            rng.integers(-largest, largest, units).astype(np.int32),
            gates,
        )

    x = rng.integers(-128, 128, (1, *SIZE, channels)).astype(np.int8)
    layer = (0.02, -5, cell(channels, h1), cell(h1, h2))
    plan = core.plan_int8(x.shape[1:], *layer, GEOMETRY)
    assert (plan.form1, plan.form2) == ("widened", "widened")
    expected = rnnpool_int8(x, *layer, GEOMETRY)
    message = f"seed={seed}"
    output = core.run_int8(x, *layer, GEOMETRY)
    np.testing.assert_array_equal(output, expected, err_msg=message)
    output = portably(core.run_int8, x, *layer, GEOMETRY)
    np.testing.assert_array_equal(output, expected, err_msg=message)


def float_layer(channels, h1, h2, seed):
    rng = np.random.default_rng(seed)

    def cell(inputs, units):
        deviation = 1 / np.sqrt(inputs), 0.5 / np.sqrt(units)
        return (
            rng.normal(0, deviation[0], (units, inputs)),
            rng.normal(0, deviation[1], (units, units)),
            rng.normal(0, 1, units),
            rng.normal(0, 1, units),
        )

    x = rng.normal(0, 1, (1, *SIZE, channels))
    return x, cell(channels, h1), cell(h1, h2), GEOMETRY, [[0.9, 0.05], [0.8, 0.1]]


@pytest.mark.parametrize(("channels", "h1", "h2"), DIMENSIONS, ids=IDS)
@pytest.mark.parametrize("gates", KINDS)
def test_float_cells_of_any_size(portably, channels, h1, h2, gates):
    seed = 100 * h1 + h2
    layer = (*float_layer(channels, h1, h2, seed), gates)
    expected = portably(core.run_float, *layer)
    # Another rounding here and there in sums of up to 600 terms.
    np.testing.assert_allclose(
        core.run_float(*layer), expected, rtol=0, atol=1e-6, err_msg=f"seed={seed}"
    )


def gates_of(x):
    """sigmoid(-x) and tanh(x) as the float cell computes them."""
    x = np.asarray(x, np.float32)
    ones, zeros = np.ones((len(x), 1)), np.zeros((len(x), len(x)))
    # A first step from h = 0 gives (zeta (1 - gate) + nu) candidate.
    one, many = np.ones((1, 1)), np.full(len(x), 1000)
    sigmoid = core.run_float_cell(one, (x[:, None], zeros, 0 * many, many), 1, 0)
    tanh = core.run_float_cell(one, (ones, zeros, 0 * many, x - np.float32(1)), 0, 1)
    return sigmoid[0], tanh[0], (ones[:, 0].astype(np.float32) + (x - np.float32(1)))


@pytest.mark.parametrize("limit", [1e-3, 1, 10, 200])
def test_sigmoid_and_tanh(limit):
    for block in np.linspace(-limit, limit, 2000).reshape(-1, 40):
        sigmoid, tanh, shifted = gates_of(block)
        x = block.astype(np.float32).astype(np.float64)
        # Two or three roundings of values up to 1; 2^-24 each, and the exponential's 1.5e-7.
        expected = np.exp(-np.logaddexp(0, x))
        np.testing.assert_allclose(sigmoid, expected, rtol=0, atol=2e-7)
        np.testing.assert_allclose(tanh, np.tanh(shifted.astype(np.float64)), rtol=0, atol=2e-7)


@pytest.mark.parametrize("gates", KINDS)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e38], ids=str)
def test_unusual_numbers(portably, value, gates):
    x, *layer = *float_layer(8, 8, 8, 0), gates
    x[0, 4, 20, 3] = value
    expected = portably(core.run_float, x, *layer)
    assert np.isnan(expected).any() == np.isnan(value)
    np.testing.assert_allclose(core.run_float(x, *layer), expected, rtol=0, atol=1e-6)


def test_avx2_is_used_where_there_is_avx2(portably):
    cpu = Path("/proc/cpuinfo")
    if platform.machine() != "x86_64" or not cpu.exists():
        pytest.skip("not Linux on x86-64")
    flags = cpu.read_text().split()
    layer = float_layer(8, 8, 8, 1)
    same = np.array_equal(core.run_float(*layer), portably(core.run_float, *layer))
    # Fused multiply-add shows in the last bits.
    assert same == (not {"avx2", "fma"} <= set(flags))

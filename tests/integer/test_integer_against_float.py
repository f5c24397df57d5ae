"""How far the integer model is from real arithmetic with the same weights and the same input."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.gates import KINDS as GATES
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer.cell import CompactCell, InputFormat, WidenedCell, prepare
from rnnpool_tf.integer.model import rnnpool_int8
from rnnpool_tf.integer.quantize import quantize_cell, quantize_pixels

ZERO_POINT = -128
PATCHES = 2000


def real_cell(cell):
    return (
        cell.kernel_q * cell.row_scales("kernel_scale")[:, None],
        cell.recurrent_q * cell.row_scales("recurrent_scale")[:, None],
        cell.bias_gate_q26 / 2**26,
        cell.bias_update_q26 / 2**26,
        cell.gates,
    )


def real_sweep(sequence, cell):
    kernel, recurrent, bias_gate, bias_update, gates = cell
    state = np.zeros((len(sequence[0]), len(bias_gate)))
    for values in sequence:
        a = values @ kernel.T + state @ recurrent.T
        if gates == "piecewise_linear":
            z, c = np.clip((a + bias_gate + 1) / 2, 0, 1), np.clip(a + bias_update, -1, 1)
        else:
            z, c = 1 / (1 + np.exp(-(a + bias_gate))), np.tanh(a + bias_update)
        state = z * state + (1 - z) * c
    return state


def real_patches(patches, first, second):
    """Patches [n, rows, columns, k] to [n, 4 * h2], float64, zeta = 1, nu = 0.

    Cells are float matrices, a row per unit, and biases.
    """
    rows = [real_sweep(np.moveaxis(row, 1, 0), first) for row in np.moveaxis(patches, 1, 0)]
    columns = [real_sweep(np.moveaxis(col, 1, 0), first) for col in np.moveaxis(patches, 2, 0)]
    sweeps = (rows, rows[::-1], columns, columns[::-1])
    return np.concatenate([real_sweep(sequence, second) for sequence in sweeps], axis=-1)


def errors(patches, input_scale, cell1, cell2):
    """Differences in output steps (1/128), both sides rounded and saturated to int8."""
    q = quantize_pixels(patches, input_scale, ZERO_POINT)
    real = (q.astype(np.float64) - ZERO_POINT) * float(np.float32(input_scale))
    side = patches.shape[1]
    got = rnnpool_int8(q, input_scale, ZERO_POINT, cell1, cell2, Geometry((side, side), (1, 1)))
    outputs = real_patches(real, real_cell(cell1), real_cell(cell2))
    want = np.clip(np.floor(outputs * 128 + 0.5), -128, 127)
    return np.abs(got[:, 0, 0] - want)


def feature_maps(rng, count, side, channels, amplitude):
    """Smooth random fields through ReLU6, as a convolution in front of the layer gives them."""
    field = rng.normal(size=(count, side + 2, side + 2, channels))
    field = (field[:, 1:-1] + (field[:, :-2] + field[:, 2:]) / 2)[:, :, 1:-1]
    level = rng.normal(size=(count, 1, 1, channels))
    return np.clip(amplitude * (field + level), 0, 6)


@pytest.fixture
def trained(golden):
    """Trained Visual Wake Words cells (stored row per unit) and one real patch."""
    return golden("vww_rnnpool_float.npz")


def trained_cells(trained, per_row=False):
    return [
        quantize_cell(
            trained[f"rnn{i}_W"].T,
            trained[f"rnn{i}_U"].T,
            trained[f"rnn{i}_bg"],
            trained[f"rnn{i}_bh"],
            per_row,
        )
        for i in (1, 2)
    ]


@pytest.mark.parametrize("per_row", [False, True], ids=["per-tensor", "per-row"])
@pytest.mark.parametrize(
    "seed, amplitude, scale",
    [
        (1, 0.3, 6 / 255),
        (2, 1.0, 6 / 255),
        (3, 3.0, 6 / 255),
        (4, 0.5, 1.5 / 255),
        (5, None, 6 / 255),
    ],
    ids=["faint", "ordinary", "strong", "fine scale", "noise"],
)
def test_trained_weights_are_within_one_output_step(trained, seed, amplitude, scale, per_row):
    rng = np.random.default_rng(seed)
    if amplitude is None:
        patches = rng.uniform(0, 6, (PATCHES, 6, 6, 8))
    else:
        patches = feature_maps(rng, PATCHES, 6, 8, amplitude)
    patches[0] = trained["patch"]
    error = errors(patches, scale, *trained_cells(trained, per_row))
    assert error.max() <= 1, f"seed={seed}"
    # Measured: 0.050 to 0.055 per tensor, 0.057 to 0.074 per row.
    assert error.mean() <= (0.08 if per_row else 0.06), f"seed={seed}"


@pytest.mark.parametrize("seed, amplitude", [(1, 0.3), (2, 1.0), (3, 3.0)])
def test_a_scale_per_row_is_closer_to_the_float_weights(trained, seed, amplitude):
    """What conversion without training relies on (`rnnpool_tf.conversion.int8`)."""
    patches = feature_maps(np.random.default_rng(seed), PATCHES, 6, 8, amplitude)
    scale, side = 6 / 255, patches.shape[1]
    q = quantize_pixels(patches, scale, ZERO_POINT)
    names = ("W", "U", "bg", "bh")
    cells = [
        (*(trained[f"rnn{i}_{name}"].astype(np.float64) for name in names), "smooth")
        for i in (1, 2)
    ]
    want = real_patches((q.astype(np.float64) - ZERO_POINT) * float(np.float32(scale)), *cells)
    ratios = []
    for per_row in (False, True):
        geometry = Geometry((side, side), (1, 1))
        got = rnnpool_int8(q, scale, ZERO_POINT, *trained_cells(trained, per_row), geometry)
        noise = got[:, 0, 0] / 128 - want
        ratios.append(10 * np.log10((want**2).sum() / (noise**2).sum()))
    # Measured: 34.6 to 35.2 dB per tensor, 41.7 to 42.3 dB per row.
    assert ratios[1] > ratios[0] + 5, f"seed={seed}: {ratios}"


def test_trained_weights_take_the_widened_form(trained):
    cell1, cell2 = trained_cells(trained)
    assert isinstance(prepare(cell1, InputFormat.pixels(6 / 255, ZERO_POINT)), WidenedCell)
    assert isinstance(prepare(cell2, InputFormat.states()), WidenedCell)


# With recurrent matrices of twice this gain a single rounding may be amplified without bound.
@pytest.mark.parametrize("gain", [0.5, 1.0], ids=["gain 0.5", "gain 1"])
@pytest.mark.parametrize(
    "k, h1, h2, form",
    [(8, 8, 8, WidenedCell), (4, 16, 16, WidenedCell), (4, 16, 48, CompactCell)],
    ids=["8-8-8", "4-16-16", "4-16-48 compact"],
)
@pytest.mark.parametrize("gates", GATES)
@pytest.mark.parametrize("seed", range(2))
def test_random_weights_are_within_one_output_step(seed, k, h1, h2, form, gain, gates):
    rng = np.random.default_rng([seed, k, h1, h2])

    def cell(inputs, units):
        return quantize_cell(
            rng.normal(0, gain / np.sqrt(inputs), (inputs, units)),
            rng.normal(0, gain / np.sqrt(units), (units, units)),
            rng.normal(size=units),
            rng.normal(size=units),
            gates=gates,
        )

    cell1, cell2 = cell(k, h1), cell(h1, h2)
    assert isinstance(prepare(cell2, InputFormat.states()), form)
    error = errors(feature_maps(rng, 500, 8, k, 1.0), 6 / 255, cell1, cell2)
    assert error.max() <= 1, f"seed={seed}"
    assert error.mean() <= 0.08, f"seed={seed}"  # 0.006 to 0.053 measured, in either kind of gates

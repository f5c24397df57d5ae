"""Preparation of a cell: bounds, proofs, saturation and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer.arithmetic import Multiplier, round_half_away, saturate
from rnnpool_tf.integer.cell import (
    CompactCell,
    InputFormat,
    IntegerCell,
    WidenedCell,
    prepare,
    step,
    update,
)
from rnnpool_tf.integer.model import rnnpool_int8
from rnnpool_tf.integer.quantize import (
    quantize_bias,
    quantize_cell,
    quantize_pixels,
    quantize_weights,
)
from rnnpool_tf.integer.tables import MINUS_SIGMOID_Q17, TANH_Q15

Q26 = 2**26


def make_cell(units=2, inputs=3, **changes) -> IntegerCell:
    fields = {
        "kernel_q": np.full((units, inputs), 100, np.int8),
        "kernel_scale": 0.01,
        "recurrent_q": np.full((units, units), -50, np.int8),
        "recurrent_scale": 0.01,
        "bias_gate_q26": np.full(units, Q26, np.int32),
        "bias_update_q26": np.full(units, -Q26, np.int32),
    }
    return IntegerCell(**{**fields, **changes})


# --- rounding ------------------------------------------------------------------------------------


def test_round_half_away_from_zero():
    values = [0.5, 1.5, -0.5, -2.5, 0.49999999999999994, -0.49999999999999994, 2.0**31 - 0.5]
    assert round_half_away(values).tolist() == [1, 2, -1, -3, 0, 0, 2**31]


def test_multiplier_rounds_up_to_a_power_of_two():
    multiplier = Multiplier.from_factors(np.array([1 - 2.0**-40, 0.75]), "scale")
    assert multiplier.multiplier.tolist() == [2**30, 3 * 2**29]
    assert multiplier.shift.tolist() == [30, 31]


def test_multiplier_rounds_halves_up_and_saturates():
    half = Multiplier.from_factors(np.array([0.5]), "scale")
    assert half.apply(np.array([[3], [-3], [-1]])).ravel().tolist() == [2, -1, 0]
    large = Multiplier.from_factors(np.array([2.0**20]), "scale")
    assert large.apply(np.array([[2**30], [-(2**30)]])).ravel().tolist() == [2**31 - 1, -(2**31)]


# --- the update ----------------------------------------------------------------------------------

STATES = np.arange(-32768, 32768)
GATES = MINUS_SIGMOID_Q17[[0, 1, 300, 700, 1023, 1024, 1300, 1800, 2046, 2047]].astype(np.int64)
CANDIDATES = TANH_Q15[np.r_[0:8, 500:4096:500, 2040:2056, 4088:4096]]
# Where piecewise linear gates clip, and around it.
LINEAR_GATES = -np.array([0, 1, 2, 2**16 - 1, 2**16, 2**16 + 1, 2**17 - 3, 2**17 - 2, 2**17 - 1])
LINEAR_CANDIDATES = np.r_[-32768:-32764, -16385:-16382, -3:4, 16382:16386, 32764:32768]


@pytest.mark.parametrize(
    "gates, candidates",
    [(GATES, CANDIDATES), (LINEAR_GATES, LINEAR_CANDIDATES)],
    ids=["smooth", "piecewise linear"],
)
def test_update_stays_between_state_and_candidate(gates, candidates):
    """All states, with gates and candidates from the ends and the middle of their ranges.

    Between two int16 there is nothing but int16, so that no state can overflow.
    """
    for candidate in candidates.astype(np.int64):
        new = update(gates[:, None], STATES, candidate)
        assert np.all(new >= np.minimum(STATES, candidate)), f"candidate={candidate}"
        assert np.all(new <= np.maximum(STATES, candidate)), f"candidate={candidate}"


@pytest.mark.parametrize(
    "gates, candidates",
    [(GATES, CANDIDATES), (LINEAR_GATES, LINEAR_CANDIDATES)],
    ids=["smooth", "piecewise linear"],
)
def test_update_is_within_one_step_of_the_real_value(gates, candidates):
    """Halving the difference adds less than one step, dropping 16 bits takes less than one."""
    for candidate in candidates.astype(np.int64):
        exact = candidate - gates[:, None] / 2**17 * (STATES - candidate)
        error = update(gates[:, None], STATES, candidate) - exact
        assert np.all(np.abs(error) < 1), f"candidate={candidate}"


# --- forms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("units, inputs, form", [(32, 32, WidenedCell), (32, 33, CompactCell)])
def test_form_follows_the_number_of_weights(units, inputs, form):
    cell = make_cell(units, inputs, recurrent_scale=0.001)
    assert isinstance(prepare(cell, InputFormat.states()), form)


@pytest.mark.parametrize(
    "changes, form",
    [
        ({}, WidenedCell),
        ({"recurrent_scale": 15.9 / 100}, WidenedCell),  # |U row| sums to 15.9
        ({"recurrent_scale": 16.1 / 100}, CompactCell),
        # |U row| sums to 1, the input term to 16: 15 are left
        ({"bias_update_q26": np.full(2, 14.9 * Q26, np.int32)}, WidenedCell),
        ({"bias_update_q26": np.full(2, 15.1 * Q26, np.int32)}, CompactCell),
    ],
    ids=["ordinary", "U just fits", "U too large", "biases just fit", "biases apart"],
)
def test_form_follows_the_overflow_proof(changes, form):
    no_biases = {name: np.zeros(2, np.int32) for name in ("bias_gate_q26", "bias_update_q26")}
    cell = make_cell(**{**no_biases, **changes})
    assert isinstance(prepare(cell, InputFormat.pixels(0.02, -128)), form)


@pytest.mark.parametrize("bias, exponent", [(0.0, 26), (0.4, 26), (0.6, 25)])
def test_exponent_leaves_room_for_the_bias(bias, exponent):
    """|W row| sums to 31.5: with states in [-1, 1], 0.5 is left below 32."""
    cell = make_cell(
        1,
        2,
        kernel_q=np.array([[126, -126]], np.int8),
        kernel_scale=0.125,
        bias_gate_q26=np.array([-bias * Q26], np.int32),
    )
    assert prepare(cell, InputFormat.states()).exponent == exponent


@pytest.mark.parametrize(
    "update_bias, form",
    [(15.9, WidenedCell), (16.1, CompactCell), (-13.9, WidenedCell), (-14.1, CompactCell)],
)
def test_proof_counts_the_1_of_piecewise_linear_gates(update_bias, form):
    """|U row| sums to 1, the input term to 16 with the 1 in it: 15 are left for update - gate."""
    cell = make_cell(
        bias_gate_q26=np.zeros(2, np.int32),
        bias_update_q26=np.full(2, update_bias * Q26, np.int32),
        gates="piecewise_linear",
    )
    assert isinstance(prepare(cell, InputFormat.pixels(0.02, -128)), form)


@pytest.mark.parametrize("recurrent_scale", [0.01, 30.0], ids=["widened", "compact"])
@pytest.mark.parametrize(
    "gate, candidate, state, expected",
    [
        (-1.0, 0.25, 9999, 8192),  # shut: the candidate
        (-1.5, -9.0, 9999, -32768),
        (1.0, 0.5, 9999, 9999),  # open: the state
        (15.0, 15.0, -32768, -32768),
        (0.0, 9.0, 0, 16384),  # halfway
        (0.5, 0.0, 16384, 12288),
    ],
)
def test_piecewise_linear_gates(recurrent_scale, gate, candidate, state, expected):
    zeros = np.zeros((1, 1), np.int8)
    cell = make_cell(
        1,
        1,
        kernel_q=zeros,
        recurrent_q=zeros,
        recurrent_scale=recurrent_scale,
        bias_gate_q26=np.array([gate * Q26], np.int32),
        bias_update_q26=np.array([candidate * Q26], np.int32),
        gates="piecewise_linear",
    )
    prepared = prepare(cell, InputFormat.pixels(1.0, 0))
    new = int(step(prepared, prepared.input_term(zeros), np.array([[state]]))[0, 0])
    assert abs(new - expected) <= 1  # the update's roundings


@pytest.mark.parametrize("bias, exponent", [(30.9, 26), (31.0, 25), (31.9, 25)])
def test_gate_bias_of_32_and_the_1_beyond_it(bias, exponent):
    """31 + 1 = 32 is no Q26 any more; one bit less holds it."""
    cell = make_cell(
        1,
        1,
        kernel_q=np.zeros((1, 1), np.int8),
        bias_gate_q26=np.array([bias * Q26], np.int32),
        bias_update_q26=np.array([bias * Q26], np.int32),
        gates="piecewise_linear",
    )
    assert prepare(cell, InputFormat.states()).exponent == exponent


@pytest.mark.parametrize("gates", ["smooth", "piecewise_linear"])
@pytest.mark.parametrize("seed", range(20))
def test_widened_accumulators_cannot_overflow(seed, gates):
    """The worst inputs and states for every row, after every term of the sums."""
    rng = np.random.default_rng(seed)
    units, inputs = rng.integers(1, 9, 2)
    zero_point = int(rng.integers(-128, 128))
    cell = make_cell(
        kernel_q=rng.integers(-128, 128, (units, inputs)).astype(np.int8),
        kernel_scale=np.float32(2.0 ** rng.uniform(-8, 6)),
        recurrent_q=rng.integers(-128, 128, (units, units)).astype(np.int8),
        recurrent_scale=np.float32(2.0 ** rng.uniform(-8, -6)),
        bias_gate_q26=rng.integers(-4 * Q26, 4 * Q26, units).astype(np.int32),
        bias_update_q26=rng.integers(-4 * Q26, 4 * Q26, units).astype(np.int32),
        gates=gates,
    )
    prepared = prepare(cell, InputFormat.pixels(2.0 ** rng.uniform(-10, 0), zero_point))
    assert isinstance(prepared, WidenedCell)
    for sign in (1, -1):
        pixels = np.where(sign * prepared.kernel > 0, 127, -128) - zero_point
        sums = prepared.bias[:, None] + np.cumsum(prepared.kernel * pixels, axis=1)
        assert np.abs(sums).max() < 2**31
        states = np.where(sign * prepared.recurrent > 0, 32767, -32768)
        gates = sign * 2**30 + np.cumsum(prepared.recurrent * states, axis=1)
        assert np.abs(gates).max() < 2**31
        assert np.abs(gates + prepared.bias_difference[:, None]).max() < 2**31


def test_compact_accumulators_cannot_overflow():
    """511 units, the most allowed: every weight -128 and every state -32768."""
    cell = make_cell(511, 1, recurrent_q=np.full((511, 511), -128, np.int8))
    prepared = prepare(cell, InputFormat.pixels(0.01, 0))
    assert np.abs(prepared.recurrent).sum(axis=1).max() * 32768 < 2**31


# --- saturation ----------------------------------------------------------------------------------


@pytest.mark.parametrize("recurrent_scale", [0.01, 30.0], ids=["widened", "compact"])
def test_input_term_saturates_at_16(recurrent_scale):
    cell = make_cell(1, 1, kernel_scale=0.5, recurrent_scale=recurrent_scale)
    prepared = prepare(cell, InputFormat.pixels(1.0, 0))
    terms = prepared.input_term(np.array([[127], [-128]])).ravel().tolist()
    assert terms[1] == -(2**30)
    assert 2**30 - 2**26 <= terms[0] < 2**30  # one unit of the accumulator below 16


@pytest.mark.parametrize("recurrent_scale", [0.01, 30.0], ids=["widened", "compact"])
@pytest.mark.parametrize(
    "gate_bias, update_bias, state, expected",
    [
        (-15.0, 15.0 - 2**-20, 0, TANH_Q15[-1] - 11),  # gate shut: jumps to the candidate
        (15.0, 15.0, 1000, 1000 + 11),  # gate open: keeps the state, nearly
    ],
    ids=["gate shut", "gate open"],
)
def test_tables_saturate(recurrent_scale, gate_bias, update_bias, state, expected):
    cell = make_cell(
        1,
        1,
        kernel_q=np.zeros((1, 1), np.int8),
        recurrent_q=np.zeros((1, 1), np.int8),
        recurrent_scale=recurrent_scale,
        bias_gate_q26=np.array([gate_bias * Q26], np.int32),
        bias_update_q26=np.array([update_bias * Q26], np.int32),
    )
    prepared = prepare(cell, InputFormat.pixels(1.0, 0))
    term = prepared.input_term(np.zeros((1, 1), np.int8))
    new = int(step(prepared, term, np.array([[state]]))[0, 0])
    # sigmoid(7.996) is 3.4e-4 away from 1: 11 steps of a difference of 32746.
    assert abs(new - expected) <= 1


def test_output_saturates_at_127():
    cell1 = make_cell(1, 1, bias_gate_q26=np.array([-15 * Q26], np.int32))
    cell2 = make_cell(
        1,
        1,
        bias_gate_q26=np.array([-15 * Q26], np.int32),
        bias_update_q26=np.array([0], np.int32),
        kernel_scale=0.06,  # W v = -6 * tanh(-1): the candidate saturates, the gate stays shut
        kernel_q=np.array([[-100]], np.int8),
    )
    x = np.zeros((1, 2, 2, 1), np.int8)
    output = rnnpool_int8(x, 0.01, 0, cell1, cell2, Geometry((2, 2), (2, 2)))
    assert output.tolist() == [[[[127, 127, 127, 127]]]]


def test_padding_has_the_value_zero():
    cell1, cell2 = make_cell(2, 3), make_cell(2, 2)
    x = np.full((1, 5, 5, 3), 40, np.int8)
    padded = np.full((1, 8, 8, 3), -7, np.int8)
    padded[:, 1:6, 1:6] = 40
    same = rnnpool_int8(x, 0.02, -7, cell1, cell2, Geometry((4, 4), (2, 2), "same"))
    valid = rnnpool_int8(padded, 0.02, -7, cell1, cell2, Geometry((4, 4), (2, 2)))
    np.testing.assert_array_equal(same, valid)


def test_replicate_repeats_the_last_row_and_column():
    cell1, cell2 = make_cell(2, 3), make_cell(2, 2)
    x = np.random.default_rng(0).integers(-128, 128, (2, 12, 16, 3)).astype(np.int8)
    valid = rnnpool_int8(x, 0.02, 0, cell1, cell2, Geometry((6, 6), (4, 4)))
    got = rnnpool_int8(x, 0.02, 0, cell1, cell2, Geometry((6, 6), (4, 4), "replicate"))
    assert got.shape == (2, 3, 4, 8)
    np.testing.assert_array_equal(got[:, :-1, :-1], valid)
    np.testing.assert_array_equal(got[:, -1], got[:, -2])
    np.testing.assert_array_equal(got[:, :, -1], got[:, :, -2])


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"kernel_q": np.zeros(3, np.int8)}, "`kernel_q` must have shape"),
        ({"kernel_q": np.zeros((2, 3), np.int32)}, "`kernel_q` must be .* int8"),
        ({"recurrent_q": np.zeros((3, 2), np.int8)}, "`recurrent_q` must be .*shape \\(2, 2\\)"),
        ({"bias_gate_q26": np.zeros(2)}, "`bias_gate_q26` must be .* int32"),
        ({"bias_update_q26": np.zeros(3, np.int32)}, "`bias_update_q26` must be"),
        ({"gates": "linear"}, "`gates` must be one of 'smooth', 'piecewise_linear'. Received"),
        ({"kernel_scale": 0.0}, "`kernel_scale` must be finite, above 0"),
        ({"kernel_scale": np.nan}, "`kernel_scale` must be finite"),
        ({"recurrent_scale": np.inf}, "`recurrent_scale` must be finite"),
        ({"recurrent_scale": 256.0}, "below 256. Received"),
        ({"kernel_scale": np.array([0.1, 0.1, 0.1])}, "one per unit \\(2\\). Received: 3"),
    ],
)
def test_malformed_cell_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        make_cell(**changes)


@pytest.mark.parametrize(
    "cell, source, message",
    [
        (make_cell(512, 1), InputFormat.states(), "`units` is too large.*Received: units=512"),
        (make_cell(1, 512), InputFormat.states(), None),  # few units: widened, no limit needed
        (make_cell(4, 512), InputFormat.states(), "`inputs` is too large.*Received: inputs=512"),
        (
            make_cell(2, 1, kernel_scale=200.0, recurrent_scale=200.0),
            InputFormat.pixels(200.0, 0),
            "`kernel_scale` is out of range",
        ),
        (
            make_cell(2, 1, kernel_scale=1e-30, recurrent_scale=200.0),
            InputFormat.pixels(0.1, 0),
            "`kernel_scale` is out of range",
        ),
        (
            make_cell(64, 1, recurrent_scale=1e-30),
            InputFormat.pixels(0.1, 0),
            "`recurrent_scale` is out of range",
        ),
    ],
    ids=["units", "inputs, widened", "inputs", "W large", "W small", "U small"],
)
def test_cell_that_no_form_holds_is_refused(cell, source, message):
    if message is None:
        assert isinstance(prepare(cell, source), WidenedCell)
    else:
        with pytest.raises(ValueError, match=message):
            prepare(cell, source)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"x": np.zeros((1, 8, 8, 3), np.uint8)}, "`x` must be an int8 array.*uint8"),
        ({"x": np.zeros((8, 8, 3), np.int8)}, "`x` must be an int8 array.*\\(8, 8, 3\\)"),
        ({"x": np.zeros((1, 8, 8, 4), np.int8)}, "channels as `cell1` has inputs \\(3\\)"),
        ({"x": np.zeros((1, 3, 8, 3), np.int8)}, "`pool_size` must not exceed the map"),
        ({"input_scale": 0.0}, "`input_scale` must be finite, above 0"),
        ({"input_zero_point": 128}, "`input_zero_point` must be in -128..127"),
        ({"cell2": make_cell(2, 3)}, "`cell2` must have as many inputs as `cell1` has units"),
    ],
    ids=["dtype", "rank", "channels", "patch too large", "scale", "zero point", "cells differ"],
)
def test_malformed_call_is_refused(changes, message):
    call = {
        "x": np.zeros((1, 8, 8, 3), np.int8),
        "input_scale": 0.02,
        "input_zero_point": 0,
        "cell1": make_cell(2, 3),
        "cell2": make_cell(2, 2),
        "geometry": Geometry((4, 4), (2, 2)),
    }
    with pytest.raises(ValueError, match=message):
        rnnpool_int8(**{**call, **changes})


# --- quantisation --------------------------------------------------------------------------------


@pytest.mark.parametrize("per_row", [False, True], ids=["per-tensor", "per-row"])
def test_weights_are_within_half_a_step(per_row):
    weights = np.random.default_rng(3).normal(size=(5, 7)) * np.array([[1], [2], [0.1], [4], [0]])
    q, scale = quantize_weights(weights, per_row)
    assert q.dtype == np.int8 and scale.dtype == np.float32
    assert scale.shape == ((5,) if per_row else ())
    steps = np.asarray(scale, np.float64)[..., None] if per_row else float(scale)
    # 1e-5: the scale is rounded to float32, which moves a weight of 127 steps by 127 * 2**-24.
    assert np.all(np.abs(q * steps - weights) <= steps * (0.5 + 1e-5))
    assert np.abs(q.astype(int)).max() == 127


def test_weights_of_zero_get_a_usable_scale():
    q, scale = quantize_weights(np.zeros((2, 2)))
    assert not q.any() and scale == np.float32(1 / 127)


def test_cell_takes_kernels_in_the_keras_layout():
    cell = quantize_cell(np.array([[1.0], [0.5]]), np.ones((1, 1)), np.zeros(1), np.ones(1))
    assert cell.kernel_q.tolist() == [[127, 64]]
    assert cell.bias_update_q26.tolist() == [Q26]


def test_bias_range():
    assert quantize_bias(np.array([-32.0])).tolist() == [-(2**31)]
    with pytest.raises(ValueError, match="below 32"):
        quantize_bias(np.array([32.0]))


def test_pixels_saturate():
    assert quantize_pixels(np.array([-9, 0.0, 1.0, 9.0]), 0.5, -3).tolist() == [-21, -3, -1, 15]
    assert quantize_pixels(np.array([-1e3, 1e3]), 0.5, -3).tolist() == [-128, 127]


@pytest.mark.parametrize("function", [quantize_weights, quantize_bias], ids=["weights", "bias"])
def test_numbers_that_are_not_finite_are_refused(function):
    with pytest.raises(ValueError, match="must be finite"):
        function(np.array([[1.0, np.nan]]))


def test_saturate_is_the_range_of_a_signed_integer():
    assert saturate(np.array([-129, -128, 127, 128]), 8).tolist() == [-128, -128, 127, 127]

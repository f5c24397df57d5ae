"""The integer model against scalar code with Python integers, written from the definition alone.

The scalar code computes every patch from scratch, so it also checks that terms are shared between
patches and directions correctly.
"""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from rnnpool_tf.gates import KINDS as GATES
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer.cell import (
    CompactCell,
    InputFormat,
    IntegerCell,
    WidenedCell,
    prepare,
    step,
)
from rnnpool_tf.integer.model import rnnpool_int8


def nearest(value: float) -> int:
    whole = math.floor(abs(Fraction(value)) + Fraction(1, 2))
    return whole if value >= 0 else -whole


def clamp(value: int, bits: int) -> int:
    return max(-(2 ** (bits - 1)), min(2 ** (bits - 1) - 1, value))


class ScalarCell:
    def __init__(self, cell: IntegerCell, unit: float, zero_point: int, largest_input: int):
        h, k = cell.kernel_q.shape
        self.zero_point = zero_point
        self.W, self.U = cell.kernel_q.tolist(), cell.recurrent_q.tolist()
        self.bg, self.bu = cell.bias_gate_q26.tolist(), cell.bias_update_q26.tolist()
        self.linear = cell.gates == "piecewise_linear"
        if self.linear:
            self.bg = [b + 2**26 for b in self.bg]
        self.rows = range(h)

        def scales(value):
            values = [float(np.float32(v)) for v in np.atleast_1d(value)]
            return values if len(values) == h else values * h

        self.sW = [s * unit for s in scales(cell.kernel_scale)]
        self.sU = scales(cell.recurrent_scale)
        self.exponent = self.find_exponent(h * (k + h), largest_input)
        if self.exponent is None:
            self.mW = [self.multiplier(s * 2.0**26) for s in self.sW]
            self.mU = [self.multiplier(s * 2.0**11) for s in self.sU]

    def find_exponent(self, weights: int, largest_input: int) -> int | None:
        self.u16 = [[nearest(q * self.sU[r] * 2048.0) for q in self.U[r]] for r in self.rows]
        if weights > 2048 or any(abs(u) > 32767 for row in self.u16 for u in row):
            return None
        for r in self.rows:
            total = sum(abs(u) for u in self.u16[r]) * 32768
            if 2**30 + total + abs(self.bu[r] - self.bg[r]) >= 2**31:
                return None
        for e in range(26, -1, -1):
            self.w16 = [[nearest(q * self.sW[r] * 2.0**e) for q in self.W[r]] for r in self.rows]
            n = 26 - e
            self.b = [b if n == 0 else (b + 2 ** (n - 1)) // 2**n for b in self.bg]
            if all(
                all(abs(w) <= 32767 for w in self.w16[r])
                and abs(self.b[r]) + sum(abs(w) for w in self.w16[r]) * largest_input < 2**31
                for r in self.rows
            ):
                return e
        return None

    @staticmethod
    def multiplier(factor: float) -> tuple[int, int]:
        shift = 31
        while nearest(factor * 2.0**shift) >= 2**31:
            shift -= 1
        while nearest(factor * 2.0**shift) < 2**30:
            shift += 1
        return nearest(factor * 2.0**shift), shift

    def step(self, values: list[int], state: list[int]) -> list[int]:
        new = []
        for r in self.rows:
            centred = [v - self.zero_point for v in values]
            if self.exponent is not None:
                n = 26 - self.exponent
                total = self.b[r] + sum(w * v for w, v in zip(self.w16[r], centred, strict=True))
                wx = clamp(total, 31 - n) * 2**n
                gate = wx + sum(u * s for u, s in zip(self.u16[r], state, strict=True))
                candidate = gate + self.bu[r] - self.bg[r]
                assert all(abs(v) < 2**31 for v in (total, gate, candidate))
            else:
                total = sum(w * v for w, v in zip(self.W[r], centred, strict=True))
                wx = clamp(self.rescale(total, self.mW[r]) + self.bg[r], 31)
                total = sum(u * s for u, s in zip(self.U[r], state, strict=True))
                gate = clamp(wx + self.rescale(total, self.mU[r]), 32)
                candidate = clamp(gate + clamp(self.bu[r] - self.bg[r], 32), 32)
            if self.linear:
                z, c = max(0, min(2**17 - 1, gate // 2**10)), clamp(candidate // 2**11, 16)
                new.append(c + -z * ((c - state[r]) // 2) // 2**16)
                continue
            z = nearest(2**17 / (1 + math.exp(-(clamp(gate // 2**19, 11) + 0.5) / 128)))
            c = nearest(2**15 * math.tanh((clamp(candidate // 2**17, 12) + 0.5) / 512))
            new.append(c + -z * ((c - state[r]) // 2) // 2**16)
        return new

    @staticmethod
    def rescale(total: int, multiplier: tuple[int, int]) -> int:
        factor, shift = multiplier
        return clamp((total * factor + 2 ** (shift - 1)) // 2**shift, 32)

    def sweep(self, sequence: list[list[int]]) -> list[int]:
        state = [0 for _ in self.rows]
        for values in sequence:
            state = self.step(values, state)
        return state


def scalar_rnnpool(x, scale, zero_point, cell1, cell2, geometry: Geometry):
    largest = max(abs(-128 - zero_point), abs(127 - zero_point))
    first = ScalarCell(cell1, float(np.float32(scale)), zero_point, largest)
    second = ScalarCell(cell2, 2.0**-15, 0, 32768)
    (ph, pw), (sh, sw) = geometry.pool_size, geometry.strides
    batch, height, width, channels = x.shape
    vertical, horizontal = geometry.axes(height, width)
    out = np.zeros((batch, vertical.out, horizontal.out, 4 * len(second.rows)), np.int8)
    background = [zero_point] * channels

    def pixel(n, row, column):
        inside = 0 <= row < height and 0 <= column < width
        return x[n, row, column].tolist() if inside else background

    for n, i, j in np.ndindex(out.shape[:3]):
        top = min(i, vertical.grid - 1) * sh - vertical.before
        left = min(j, horizontal.grid - 1) * sw - horizontal.before
        patch = [[pixel(n, top + y, left + x) for x in range(pw)] for y in range(ph)]
        rows = [first.sweep(row) for row in patch]
        columns = [first.sweep([row[column] for row in patch]) for column in range(pw)]
        states = [second.sweep(s) for s in (rows, rows[::-1], columns, columns[::-1])]
        out[n, i, j] = [clamp((h + 128) // 256, 8) for state in states for h in state]
    return out, first, second


def random_cell(rng, inputs, units, unit, per_row, largest, bias=2.0, gates="smooth"):
    """int8 weights over the whole range; `largest` is roughly the largest real pre-activation."""
    rows = units if per_row else 1
    spread = rng.uniform(0.3, 1.0, rows)
    return IntegerCell(
        rng.integers(-128, 128, (units, inputs)).astype(np.int8),
        np.float32(spread * largest / (unit * 127 * np.sqrt(inputs))),
        rng.integers(-127, 128, (units, units)).astype(np.int8),
        np.float32(spread[::-1] * largest / (4 * 127 * np.sqrt(units))),
        np.int32(rng.uniform(-bias, bias, units) * 2**26),
        np.int32(rng.uniform(-bias, bias, units) * 2**26),
        gates,
    )


def random_geometry(rng, height, width):
    patch = (int(rng.integers(1, height + 1)), int(rng.integers(1, width + 1)))
    strides = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    return Geometry(patch, strides, str(rng.choice(["valid", "same", "replicate"])))


@pytest.mark.parametrize("gates", GATES)
@pytest.mark.parametrize("per_row", [False, True], ids=["per-tensor", "per-row"])
@pytest.mark.parametrize(
    "form, largest, bias",
    [
        (WidenedCell, 2.0, 2.0),  # ordinary weights
        (WidenedCell, 10.0, 6.0),  # both tables saturate
        (CompactCell, 120.0, 30.0),  # pre-activations saturate, nothing can be proven
    ],
    ids=["widened", "widened-saturating", "compact"],
)
@pytest.mark.parametrize("seed", range(8))
def test_model_equals_scalar_arithmetic(seed, form, largest, bias, per_row, gates):
    rng = np.random.default_rng([seed, int(largest), per_row])
    k, h1, h2 = (int(rng.integers(1, 6)) for _ in range(3))
    height, width = int(rng.integers(3, 8)), int(rng.integers(3, 8))
    scale = float(np.float32(2.0 ** rng.uniform(-9, -3)))
    zero_point = int(rng.choice([-128, 127, 0, rng.integers(-128, 128)]))
    cell1 = random_cell(rng, k, h1, 128 * scale, per_row, largest, bias, gates)
    cell2 = random_cell(rng, h1, h2, 1.0, per_row, largest, bias, gates)
    geometry = random_geometry(rng, height, width)
    x = rng.integers(-128, 128, (2, height, width, k)).astype(np.int8)
    x[1] = rng.choice([-128, 127], x[1].shape)

    want, first, second = scalar_rnnpool(x, scale, zero_point, cell1, cell2, geometry)
    got = rnnpool_int8(x, scale, zero_point, cell1, cell2, geometry)

    np.testing.assert_array_equal(got, want, err_msg=f"{geometry} k={k} h1={h1} h2={h2}")
    prepared = prepare(cell1, InputFormat.pixels(scale, zero_point))
    assert isinstance(prepared, form)
    assert getattr(prepared, "exponent", None) == first.exponent
    prepared = prepare(cell2, InputFormat.states())
    assert getattr(prepared, "exponent", None) == second.exponent


def test_cell_with_too_many_weights_is_compact_and_exact():
    rng = np.random.default_rng(11)
    cell1 = random_cell(rng, 9, 41, 1.0, True, 2.0)  # 41 * (9 + 41) = 2050 > 2048
    cell2 = random_cell(rng, 41, 3, 1.0, False, 2.0)
    geometry = Geometry((3, 2), (3, 2))
    x = rng.integers(-128, 128, (1, 3, 4, 9)).astype(np.int8)
    want, first, second = scalar_rnnpool(x, 1 / 128, 0, cell1, cell2, geometry)
    assert first.exponent is None and second.exponent is not None
    np.testing.assert_array_equal(rnnpool_int8(x, 1 / 128, 0, cell1, cell2, geometry), want)


@pytest.mark.parametrize("seed", range(4))
def test_long_sweep_equals_scalar_arithmetic(seed):
    """A map of one column: 40 steps of the first cell, 40 of the second."""
    rng = np.random.default_rng(100 + seed)
    cell1 = random_cell(rng, 3, 4, 1.0, False, 6.0)
    cell2 = random_cell(rng, 4, 2, 1.0, True, 6.0)
    geometry = Geometry((40, 1), (1, 1))
    x = rng.integers(-128, 128, (1, 40, 1, 3)).astype(np.int8)
    want, _, _ = scalar_rnnpool(x, 1 / 128, 5, cell1, cell2, geometry)
    np.testing.assert_array_equal(rnnpool_int8(x, 1 / 128, 5, cell1, cell2, geometry), want)


@pytest.mark.parametrize("gates", GATES)
@pytest.mark.parametrize("seed", range(6))
def test_states_equal_scalar_arithmetic_in_every_bit(seed, gates):
    """The output drops 8 bits of the state; here all 16 are compared, over 30 steps."""
    rng = np.random.default_rng(200 + seed)
    largest = [1.0, 4.0, 10.0, 40.0, 120.0, 200.0][seed]
    cell = random_cell(rng, 4, 5, 1.0, seed % 2 == 0, largest, gates=gates)
    pixels = rng.integers(-128, 128, (30, 4))
    scalar = ScalarCell(cell, 1 / 128, -3, 130)
    prepared = prepare(cell, InputFormat.pixels(1 / 128, -3))
    state, want = np.zeros(5, np.int64), [0] * 5
    for t, pixel in enumerate(pixels):
        state = step(prepared, prepared.input_term(pixel), state)
        want = scalar.step(pixel.tolist(), want)
        assert state.tolist() == want, f"step {t}"


@pytest.mark.parametrize("gates", GATES)
@pytest.mark.parametrize("seed", range(40))
def test_widened_constants_equal_scalar_preparation(seed, gates):
    """Kernels from tiny to 100 times too large for exponent 26, for pixels and for states."""
    rng = np.random.default_rng(300 + seed)
    inputs, units = (int(n) for n in rng.integers(1, 9, 2))
    cell = random_cell(rng, inputs, units, 1.0, seed % 2 == 0, 4.0, gates=gates)
    cell = replace(cell, kernel_scale=np.float32(2.0 ** rng.uniform(-8, 4)))
    for source in (InputFormat.states(), InputFormat.pixels(2.0 ** rng.uniform(-9, 3), seed - 20)):
        scalar = ScalarCell(cell, source.unit, source.zero_point, source.max_abs)
        prepared = prepare(cell, source)
        assert prepared.exponent == scalar.exponent
        assert prepared.kernel.tolist() == scalar.w16
        assert prepared.bias.tolist() == scalar.b
        assert prepared.recurrent.tolist() == scalar.u16
        difference = [u - g for u, g in zip(scalar.bu, scalar.bg, strict=True)]
        assert prepared.bias_difference.tolist() == difference

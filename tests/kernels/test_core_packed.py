"""Layers with packed matrices in the C++ core: the dense ones' bytes, and what is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rnnpool_tf.conversion.packed_matrix import PACKABLE
from rnnpool_tf.integer import IntegerCell
from tests.kernels import core
from tests.kernels.packed_cases import packed_cases

pytestmark = pytest.mark.keras_free


def layer_of(case) -> tuple:
    return case.input_scale, case.input_zero_point, case.cell1, case.cell2, case.geometry


@pytest.fixture(params=["default", "portable"])
def library(request, monkeypatch):
    """Runs a test with the ordinary library and with the portable one."""
    if request.param == "portable":
        portable = request.getfixturevalue("portable_library")
        monkeypatch.setattr(core, "_library", lambda: portable)


@pytest.mark.parametrize("case", packed_cases(), ids=lambda case: case.name)
def test_equals_integer_model(library, case):
    expected = case.expected()
    assert expected is not None and np.unique(expected).size > 5
    np.testing.assert_array_equal(core.run_int8(case.x, *layer_of(case), case.packed), expected)


def test_memory():
    """A packed kernel needs its vectors in int16, four at a time; nothing else changes."""
    case = packed_cases()[0]
    plans = {
        name: core.plan_int8(case.x.shape[1:], *layer_of(case), frozenset(packed))
        for name, packed in (
            ("dense", ()),
            ("kernels", ("kernel1", "kernel2")),
            ("recurrent", ("recurrent_kernel1", "recurrent_kernel2")),
        )
    }
    assert plans["recurrent"] == plans["dense"]
    # 4 vectors of 48 inputs (40 channels need less) in place of 48 words.
    more = 4 * 24 * 4 - 48 * 4
    assert plans["kernels"] == dataclasses.replace(
        plans["dense"], scratch_bytes=plans["dense"].scratch_bytes + more
    )


def small_cell(units: int, inputs: int) -> IntegerCell:
    ones = np.ones((units, inputs), np.int8), np.ones((units, units), np.int8)
    biases = np.zeros(units, np.int32)
    return IntegerCell(ones[0], 0.01, ones[1], 0.01, biases, biases)


@pytest.mark.parametrize("name", PACKABLE)
def test_small_cells_are_refused(name):
    """Of 32 units and 32 inputs: 2048 weights, which are the most of a widened cell."""
    case = packed_cases()[0]
    cells = small_cell(32, 32), small_cell(32, 32)
    x = np.zeros((1, 7, 7, 32), np.int8)
    with pytest.raises(core.CoreError, match="for cells of more than 2048 weights"):
        core.run_int8(x, 0.1, 0, *cells, case.geometry, frozenset((name,)))
    core.run_int8(x, 0.1, 0, *cells, case.geometry)


DAMAGE = {
    "magic": (0, 0, "is damaged"),
    "columns": (8, 39, "does not have the size that its cell needs"),
    "more counts than there are bytes": (11, 127, "is damaged"),
    "a group more": (12, None, "is truncated|longer than its counts|out of place"),
    "an index beyond the columns": (60, -1, "out of place"),
    "an index twice": (61, 0, "out of place"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_streams_are_refused(damage, monkeypatch):
    position, value, sentence = DAMAGE[damage]
    pack = core.pack_matrix

    def damaged(matrix):
        stream = pack(matrix).copy()
        stream[position] = stream[position] + 1 if value is None else value
        return stream

    monkeypatch.setattr(core, "pack_matrix", damaged)
    case = packed_cases()[0]
    with pytest.raises(core.CoreError, match=sentence):
        core.run_int8(case.x, *layer_of(case), frozenset(("kernel1",)))


def test_misaligned_streams_are_refused(monkeypatch):
    pack = core.pack_matrix

    def misaligned(matrix):
        stream = pack(matrix)
        memory = np.zeros(stream.size + 16, np.int8)
        start = -memory.ctypes.data % 16 + 2
        memory[start : start + stream.size] = stream
        return memory[start : start + stream.size]

    monkeypatch.setattr(core, "pack_matrix", misaligned)
    case = packed_cases()[0]
    with pytest.raises(core.CoreError, match="must be aligned to 4 bytes"):
        core.run_int8(case.x, *layer_of(case), frozenset(("kernel1",)))

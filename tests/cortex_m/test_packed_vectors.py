"""Layers with packed matrices on the emulated Cortex-M4: the integer model's bytes, on every path,
through the core and through the TFLite Micro operator."""

from __future__ import annotations

import dataclasses

import pytest

from tests.cortex_m.vectors import for_operator
from tests.kernels.packed_cases import packed_cases

pytestmark = pytest.mark.keras_free

CASES = packed_cases()
OPERATOR_CASES = tuple(for_operator(case, version=2) for case in CASES)


def check(golden_runs, group, cases, index):
    result = golden_runs(group, list(cases)).results[index]
    assert result.refusal is None
    assert result.mismatches == 0, f"{result.mismatches}, the first at position {result.first}"


@pytest.mark.parametrize("index", range(len(CASES)), ids=lambda i: CASES[i].name.replace(" ", "_"))
def test_core(golden_runs, index):
    check(golden_runs, "packed", CASES, index)


@pytest.mark.parametrize("index", range(len(CASES)), ids=lambda i: CASES[i].name.replace(" ", "_"))
def test_operator(golden_runs, index):
    check(golden_runs, "packed_operator", OPERATOR_CASES, index)


def test_version_1_has_no_packed_matrices(firmware):
    case = for_operator(CASES[0], version=1)
    (result,) = firmware.run("packed_version_1", [case]).results
    assert "must have shape [units, inputs]. Received: rank 1" in result.refusal


def test_fewer_instructions_than_dense(firmware, path):
    """At 30 % of the pairs, in rows of only 20 to 24; larger layers gain more (docs/KERNEL.md)."""
    packed = CASES[0]
    dense = dataclasses.replace(packed, packed=frozenset())
    first, second = firmware.run("packed_and_dense", [packed, dense]).results
    assert first.checksum == second.checksum
    assert first.instructions < (0.8 if path == "dsp" else 0.95) * second.instructions

"""Core and operator on the emulated Cortex-M4 give the NumPy models' outputs.

int8 to the byte, by every code path; float32 within 1e-6.
"""

from __future__ import annotations

import pytest

from tests.cortex_m.vectors import float_cases, int8_cases, operator_cases

pytestmark = pytest.mark.keras_free


def name_of(case) -> str:
    return case.name.replace(" ", "_")


def check(golden_runs, group, cases, case):
    result = golden_runs(group, list(cases)).results[cases.index(case)]
    if case.expected() is None:
        assert result.refusal is not None, f"{case.name}: the model refuses, the firmware does not"
        return
    assert result.refusal is None
    assert result.mismatches == 0, (
        f"{case.name}: {result.mismatches} elements differ from the model, the first at position "
        f"{result.first}; largest error {result.largest_error:g} (float32)"
    )


@pytest.mark.parametrize("case", int8_cases(), ids=name_of)
def test_int8(golden_runs, case):
    check(golden_runs, "int8", int8_cases(), case)


@pytest.mark.parametrize("case", float_cases(), ids=name_of)
def test_float(golden_runs, case):
    # 1e-6 (kTolerance in main.cpp): float32 roundings of states below 1, against float64.
    check(golden_runs, "float", float_cases(), case)


@pytest.mark.parametrize("case", operator_cases(), ids=lambda c: f"{type(c).__name__}-{name_of(c)}")
def test_operator(golden_runs, case):
    """Init, Prepare, Eval, Reset and Eval again, with a stand-in for TFLite Micro."""
    check(golden_runs, "operator", operator_cases(), case)


def test_vectors_reach_both_forms_and_refusals():
    from rnnpool_tf.integer.cell import CompactCell, InputFormat, WidenedCell, prepare

    forms, refused = set(), []
    for case in int8_cases():
        if case.expected() is None:
            refused.append(case.name)
            continue
        source = InputFormat.pixels(case.input_scale, case.input_zero_point)
        forms.add((type(prepare(case.cell1, source)), case.cell1.units % 2))
        forms.add((type(prepare(case.cell2, InputFormat.states())), case.cell2.units % 2))
    assert forms == {(form, odd) for form in (WidenedCell, CompactCell) for odd in (0, 1)}
    assert {"too small a scale", "too large a scale"} <= set(refused)
    assert len(refused) < len(int8_cases()) / 4

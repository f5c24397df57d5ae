"""Fused operators on the emulated Cortex-M4 and on the desktop give the NumPy model's bytes."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.bench.m4.fused_cases import BlockCase
from tests.cortex_m.fused_vectors import blocks, conv_pools, operator_cases
from tests.kernels import fused_core

pytestmark = pytest.mark.keras_free


def name_of(case) -> str:
    return case.name.replace(" ", "_")


def check(golden_runs, group, cases, case):
    result = golden_runs(group, list(cases)).results[cases.index(case)]
    assert result.refusal is None
    assert result.mismatches == 0, (
        f"{case.name}: {result.mismatches} bytes differ from the model, the first at position "
        f"{result.first}"
    )


@pytest.mark.parametrize("case", [case for _, case in blocks()], ids=name_of)
def test_inverted_residual(golden_runs, case):
    check(golden_runs, "blocks", [case for _, case in blocks()], case)


@pytest.mark.parametrize(("block", "case"), blocks(), ids=lambda c: getattr(c, "name", ""))
def test_inverted_residual_on_the_desktop(block, case):
    """The same library that other tests compare with LiteRT's reference kernels."""
    output = fused_core.run_block(block, case.x)
    np.testing.assert_array_equal(output, case.expected())


@pytest.mark.parametrize("case", conv_pools(), ids=name_of)
def test_convolutions_and_pool(golden_runs, case):
    check(golden_runs, "conv_pools", conv_pools(), case)


@pytest.mark.parametrize(
    "case", operator_cases(), ids=lambda case: f"{type(case).__name__}-{name_of(case)}"
)
def test_operator(golden_runs, case):
    """Init, Prepare, Eval, Reset and Eval again, with a stand-in for TFLite Micro."""
    check(golden_runs, "fused_operators", operator_cases(), case)


def test_operators_need_little(golden_runs):
    cases = operator_cases()
    results = golden_runs("fused_operators", list(cases)).results
    kept = {r.persistent for c, r in zip(cases, results, strict=True) if isinstance(c, BlockCase)}
    assert max(kept) <= 64  # bytes of the arena for each block of a network
    # Eval and Prepare of a microcontroller's interpreter run on stacks of some kilobytes.
    assert max(result.stack for result in results) <= 1536
    assert max(result.prepare_stack for result in results) <= 3072


def test_cases_reach_what_matters():
    cases = [case for _, case in blocks()]
    assert {len(case.stages) for case in cases} == {2, 3}
    assert {case.sum is None for case in cases} == {True, False}
    stages = [stage for case in (*cases, *conv_pools()) for stage in case.stages]
    assert {stage.depthwise for stage in stages} == {True, False}
    # Both ways to requantise on the DSP path: shifts below 0 and others, all of int8 and less.
    assert {bool((stage.params[2] < 0).all()) for stage in stages} == {True, False}
    assert {stage.limits[1:] == (-128, 127) for stage in stages} == {True, False}
    assert {len(case.stages) for case in conv_pools()} == {1, 2, 3, 4}

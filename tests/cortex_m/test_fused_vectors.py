"""Fused operators on the emulated Cortex-M4 and on the desktop give the NumPy model's bytes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cortex_m.fused_vectors import blocks, conv_pools
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

"""Convolutions row by row, and fused with RNNPool, against LiteRT's reference kernels and NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from tests.kernels import core, front_core
from tests.kernels.block_cases import CHARACTERS
from tests.kernels.front_cases import Case, convolution_case, random_case, visual_wake_words_stem

pytestmark = [pytest.mark.keras_free, pytest.mark.usefixtures("build")]

SEEDS = range(240)


@pytest.mark.parametrize("character", CHARACTERS)
def test_a_convolution_equals_the_reference(character):
    informative = 0
    seeds = range(CHARACTERS.index(character), 320, len(CHARACTERS))
    for seed in seeds:
        case = convolution_case(seed)
        x = case.inputs()
        expected = case.convolved(x)[0]
        output = front_core.run_convolution(case.image(), x[0], expected.shape)
        np.testing.assert_array_equal(output, expected, err_msg=case.name)
        informative += len(np.unique(expected)) > 2
    # Elsewhere the activations happen to cut off everything, or the map is a single pixel.
    assert informative > len(seeds) * 0.6


@pytest.mark.parametrize("character", CHARACTERS)
def test_random_chains_equal_the_unfused_operators(character):
    informative = 0
    seeds = [seed for seed in SEEDS if CHARACTERS[seed % len(CHARACTERS)] == character]
    for seed in seeds:
        case = random_case(seed)
        x = case.inputs(batch=2)
        expected = case.pooled(x)
        output = front_core.run_conv_pool(case.image(), x, expected.shape[1:])
        np.testing.assert_array_equal(output, expected, err_msg=case.name)
        informative += len(np.unique(expected)) > 4
    assert informative > len(seeds) * 0.7


def rows_read(case: Case, row: int) -> int:
    """How many rows of the picture are done with when RNNPool's output row is written."""
    height = case.shape[0]
    axis, _ = case.geometry.axes(*case.pool_shape[:2])
    end = row * case.geometry.strides[0] - axis.before + case.geometry.pool_size[0]
    if row >= axis.grid or end >= case.pool_shape[0] or not case.steps:
        return height if row >= axis.grid else min(end, height)
    for step in reversed(case.steps[1:]):
        end = (end - 1) * step.strides[0] - step.pads[0][0] + step.kernel[0]
        end = max(0, min(end, step.shape[0]))
    first = case.steps[0]
    if end == first.out_shape[0]:
        return height
    return max(0, end * first.strides[0] - first.pads[0][0])


def largest_offset(case: Case) -> int:
    """How many bytes behind x the output may begin, by the promise in conv_pool.h."""
    x_row, y_row = np.prod(case.shape[1:]), np.prod(case.pooled_shape[1:])
    offset = int(np.prod(case.shape))
    for row in range(case.pooled_shape[0]):
        read = rows_read(case, row)
        if read < case.shape[0]:
            offset = min(offset, int(read * x_row - (row + 1) * y_row))
    return offset


def run_in_place(case: Case, x: np.ndarray, offset: int) -> np.ndarray:
    """One map, whose output begins `offset` bytes behind it in the same memory."""
    size = int(np.prod(case.pooled_shape))
    before = max(0, -offset)
    memory = np.full(before + max(x.size, offset + size), 85, np.int8)
    memory[before : before + x.size] = x.ravel()
    start = memory.ctypes.data + before
    front_core.run_conv_pool_at(case.image(), 1, start, start + offset)
    return memory[before + offset :][:size].reshape(1, *case.pooled_shape)


def test_output_may_overlap_the_picture():
    overlapping = 0
    for seed in SEEDS:
        case = random_case(seed)
        x = case.inputs()
        offset = largest_offset(case)
        overlapping += offset + np.prod(case.pooled_shape) > 0
        expected = front_core.run_conv_pool(case.image(), x, case.pooled_shape)
        for some_offset in (offset, offset - int(case.rng.integers(1, x.size + 1))):
            output = run_in_place(case, x, some_offset)
            np.testing.assert_array_equal(output, expected, err_msg=case.name)
    assert overlapping > 0.6 * len(SEEDS)


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 6, 7, 8, 9])
def test_the_converters_rule_for_overlap_keeps_the_promise(seed):
    case = random_case(seed)
    x = case.inputs()
    offset = case.stem().in_place_offset()
    expected = front_core.run_conv_pool(case.image(), x, case.pooled_shape)
    output = run_in_place(case, x, offset)
    np.testing.assert_array_equal(output, expected, err_msg=f"{case.name}, offset={offset}")


def test_memory_of_the_visual_wake_words_stem():
    """A row of the stem comes to what RNNPool needs; a patch of it fits into RNNPool's products."""
    case = visual_wake_words_stem()
    fused = front_core.plan_conv_pool(case.image())
    pool = core.plan_int8(case.pool_shape, *case.pool_input, *case.cells, case.geometry)
    assert fused == (pool.scratch_bytes + 112 * 8, pool.persistent_bytes, (28, 28))

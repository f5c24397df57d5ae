"""The fused inverted residual against LiteRT's reference kernels, one operator after the other."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.kernels import fused_core
from tests.kernels.block_cases import CHARACTERS, ordinary_case, random_case, run_reference
from tests.kernels.core import CoreError

pytestmark = [pytest.mark.keras_free, pytest.mark.usefixtures("build")]


@pytest.mark.parametrize("character", CHARACTERS)
def test_random_blocks_equal_the_unfused_model(character):
    informative = 0
    seeds = range(CHARACTERS.index(character), 320, len(CHARACTERS))
    for seed in seeds:
        case = random_case(seed)
        x = case.inputs(batch=2)
        expected = run_reference(case.model(batch=2), x)
        output = fused_core.run_block(case.block(), x)
        np.testing.assert_array_equal(output, expected, err_msg=case.name)
        informative += len(np.unique(expected)) > 2
    # Elsewhere the activations happen to cut off everything, or the map is a single pixel.
    assert informative > len(seeds) * 0.7


def largest_offset(block: fused_core.Block) -> int:
    """How many bytes behind x the output may begin, by the promise in inverted_residual.h."""
    height, width, channels = block.shape
    x_row = width * channels
    y_row = block.out_size[1] * block.out_shape[2]
    kernel = block.filter.weights.shape[0]
    offset = 0 if block.sum else height * x_row
    for row in range(block.out_size[0]):
        needed = row * block.strides[0] - block.pads[0] + kernel - 1
        if needed < height:
            offset = min(offset, needed * x_row - (row + 1) * y_row)
    return offset


def run_in_place(block: fused_core.Block, x: np.ndarray, offset: int) -> np.ndarray:
    """One map, whose output begins `offset` bytes behind it in the same memory."""
    size = int(np.prod(block.out_shape))
    before = max(0, -offset)
    memory = np.full(before + max(x.size, offset + size), 85, np.int8)
    memory[before : before + x.size] = x.ravel()
    start = memory.ctypes.data + before
    fused_core.run_block_at(block, 1, start, start + offset)
    return memory[before + offset :][:size].reshape(1, *block.out_shape)


def test_output_may_overlap_the_input():
    overlapping = 0
    for seed in range(320):
        case = random_case(seed)
        block, x = case.block(), case.inputs()
        offset = largest_offset(block)
        overlapping += offset + np.prod(block.out_shape) > 0
        expected = fused_core.run_block(block, x)
        for some_offset in (offset, offset - int(case.rng.integers(1, x.size + 1))):
            output = run_in_place(block, x, some_offset)
            np.testing.assert_array_equal(output, expected, err_msg=case.name)
    assert overlapping > 200


# (height, width, channels of x), expanded channels, outputs, strides, residual: as in the Visual
# Wake Words network.
ORDINARY = {
    "first": ((28, 28, 64), 64, 16, (1, 1), False),
    "residual": ((14, 14, 24), 144, 24, (1, 1), True),
    "as_many_channels": ((7, 7, 32), 192, 32, (1, 1), False),
    "strided": ((14, 13, 24), 144, 32, (2, 2), False),
    "strided_down": ((9, 16, 8), 48, 8, (2, 1), False),
}


@pytest.mark.parametrize("shape", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_blocks(shape):
    case = ordinary_case(1, *shape)
    x = case.inputs(batch=2)
    expected = run_reference(case.model(batch=2), x)
    output = fused_core.run_block(case.block(), x)
    np.testing.assert_array_equal(output, expected, err_msg=case.name)
    assert len(np.unique(expected)) > 50

    # With stride 1 and no more channels out than in, the output may stand where x stands.
    block = case.block()
    if case.strides == (1, 1):
        assert largest_offset(block) >= 0
    offset = largest_offset(block)
    np.testing.assert_array_equal(run_in_place(block, x[:1], offset), expected[:1])


def test_ring_is_smaller_than_the_kernel_is_high():
    """(3 - 1) * 56 + 3 pixels, and the one that a pair may be ahead; the rest is a few pixels."""
    block = ordinary_case(1, (56, 56, 8), 48, 16, (1, 1), False).block()
    workspace, ring = fused_core.plan_block(block)
    assert ring == 2 * 56 + 3 + 1
    ring_padding_and_filtered = (ring + 1 + 2) * 48
    assert ring_padding_and_filtered < workspace <= ring_padding_and_filtered + 2 * 2 * 48


def test_small_maps_are_kept_whole():
    case = next(c for c in map(random_case, range(1000)) if c.shape[:2] == (1, 2))
    assert fused_core.plan_block(case.block())[1] == 2


def change_stage(name, **changes):
    return lambda block: dataclasses.replace(
        block, **{name: dataclasses.replace(getattr(block, name), **changes)}
    )


def change_params(name, row, value):
    def change(block):
        stage = getattr(block, name)
        params = stage.params.copy()
        params[row, -1] = value
        return dataclasses.replace(block, **{name: dataclasses.replace(stage, params=params)})

    return change


def change(**changes):
    return lambda block: dataclasses.replace(block, **changes)


def change_sum(**changes):
    return lambda block: dataclasses.replace(block, sum=dataclasses.replace(block.sum, **changes))


REFUSALS = {
    "no_rows": (change(shape=(0, 5, 4)), "at least 1"),
    "no_channels": (change(shape=(5, 5, 0)), "at least 1"),
    "negative_width": (change(shape=(5, -5, 4)), "at least 1"),
    "largest_height": (change(shape=(2**31 - 1, 1, 1)), "2 GiB"),
    "map_of_2_gib": (change(shape=(2**15, 2**14, 4), out_size=(1, 1), sum=None), "2 GiB"),
    "output_of_2_gib": (
        lambda block: change(shape=(2**14, 2**14, 4), out_size=(2**14, 2**14), sum=None)(
            change_stage("project", weights=np.zeros((8, 12), np.int8))(block)
        ),
        "2 GiB",
    ),
    "workspace_of_2_gib": (change(shape=(1, 2**28, 4), out_size=(1, 2**28)), "2 GiB"),
    "stride_0": (change(strides=(0, 1)), "Strides"),
    "padding_of_a_kernel": (change(pads=(3, 1)), "padding less than the kernel"),
    "negative_padding": (change(pads=(1, -1)), "padding less than the kernel"),
    "no_output": (change(out_size=(5, 0)), "window"),
    "window_below_the_map": (change(out_size=(7, 5)), "begin inside the map"),
    "strides_that_overflow": (change(strides=(2**31 - 1, 1)), "begin inside the map"),
    "residual_of_another_size": (change(out_size=(4, 5)), "residual"),
    "zero_point": (change(zero_point=128), "zero point"),
    "zero_point_of_padding": (change_stage("expand", range=(-129, -128, 127)), "zero point"),
    "range_upside_down": (change_stage("filter", range=(0, 5, 4)), "-128..127"),
    "range_beyond_int8": (change_stage("project", range=(0, -128, 128)), "-128..127"),
    "multiplier_too_small": (change_params("filter", 1, 2**30 - 1), "2^30"),
    "negative_multiplier": (change_params("project", 1, -(2**30)), "2^30"),
    "shift_31": (change_params("expand", 2, 31), "shift"),
    "shift_minus_32": (change_params("expand", 2, -32), "shift"),
    "lowest_shift": (change_params("project", 2, -(2**31)), "shift"),
    "bias_overflows": (change_params("filter", 0, 2**31 - 1), "overflow"),
    "lowest_bias": (change_params("project", 0, -(2**31)), "overflow"),
    "left_shift_overflows": (change_params("filter", 2, 30), "overflow"),
    "sum_shifted_left": (change_sum(x=(2**30, 1)), "-31..0"),
    "sum_multiplier": (change_sum(sum=(1, 0)), "2^30"),
    "sum_range": (change_sum(range=(0, -129, 127)), "-128..127"),
}


@pytest.mark.parametrize(("apply", "sentence"), REFUSALS.values(), ids=REFUSALS)
def test_refuses_with_a_sentence(apply, sentence):
    rng = np.random.default_rng(0)

    def stage(*shape, channels):
        params = np.stack([np.zeros(channels), np.full(channels, 2**30), np.full(channels, -8)])
        weights = rng.integers(-127, 128, shape).astype(np.int8)
        return fused_core.Stage(weights, params.astype(np.int32), (0, -128, 127))

    factor = (2**30, 0)
    block = fused_core.Block(
        shape=(5, 5, 4),
        zero_point=0,
        expand=stage(12, 4, channels=12),
        filter=stage(3, 3, 12, channels=12),
        project=stage(4, 12, channels=4),
        strides=(1, 1),
        pads=(1, 1),
        out_size=(5, 5),
        sum=fused_core.Sum(factor, factor, (2**30, -18), (0, -128, 127)),
    )
    assert fused_core.plan_block(block)[1] == 2 * 5 + 3 + 1
    with pytest.raises(CoreError) as error:
        fused_core.plan_block(apply(block))
    assert sentence in str(error.value)

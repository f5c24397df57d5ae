"""Fused operators for the emulated Cortex-M4; a NumPy model knows the outputs."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from rnnpool_tf.bench.m4.fused_cases import BlockCase, Convolution, ConvPoolCase, Sum
from rnnpool_tf.bench.m4.fused_workloads import random_cell, random_convolution
from rnnpool_tf.geometry import PADDINGS, Geometry
from tests.kernels import block_cases
from tests.kernels.conv_pool_cases import pool_options
from tests.kernels.fused_core import Block
from tests.kernels.options import flexbuffer

RANDOM_BLOCKS = range(80)
RANDOM_POOLS = range(40)
RANGE = ("zero_point", "min", "max")
FACTOR = ("multiplier", "shift")

# Blocks as networks have them: shape, E, outputs, strides, residual.
ORDINARY_BLOCKS = (
    ((9, 8, 16), 96, 24, (2, 2), False),
    ((7, 7, 24), 144, 24, (1, 1), True),
    ((5, 7, 40), 240, 56, (1, 1), False),
    ((7, 5, 6), 36, 6, (1, 1), True),  # quads that are not full
)


def block_case(block: Block, x: np.ndarray, name: str) -> BlockCase:
    """A block of the tests of the core, for a firmware image."""
    height, width, channels = block.shape
    stages = []
    if block.expand is not None:
        weights = block.expand.weights.reshape(-1, 1, 1, channels)
        stages.append(_stage(block.expand, weights, (1, 1), (0, 0), (height, width)))
    stages.append(
        _stage(block.filter, block.filter.weights, block.strides, block.pads, block.out_size)
    )
    weights = block.project.weights.reshape(len(block.project.weights), 1, 1, -1)
    stages.append(_stage(block.project, weights, (1, 1), (0, 0), block.out_size))
    total = block.sum and Sum(block.sum.x, block.sum.y, block.sum.sum, block.sum.range)
    return BlockCase(name, x, block.zero_point, tuple(stages), total)


def _stage(stage, weights, strides, pads, out_size) -> Convolution:
    return Convolution(weights, stage.params, stage.range, strides, pads, out_size)


@functools.cache
def blocks() -> tuple[tuple[Block, BlockCase], ...]:
    """Inverted residuals as the tests of the core have them, and for a firmware image."""
    cases = [block_cases.random_case(seed) for seed in RANDOM_BLOCKS]
    cases += [
        block_cases.ordinary_case(seed, *arguments)
        for seed, arguments in enumerate(ORDINARY_BLOCKS)
    ]
    return tuple(
        (case.block(), block_case(case.block(), case.inputs(batch=1 + i % 2), case.name))
        for i, case in enumerate(cases)
    )


@functools.cache
def conv_pools() -> tuple[ConvPoolCase, ...]:
    """Convolutions and RNNPool: kernels, strides, channels and paddings drawn from a seed."""
    return tuple(_conv_pool(seed) for seed in RANDOM_POOLS)


def _conv_pool(seed: int) -> ConvPoolCase:
    rng = np.random.default_rng(seed)
    size = (*(int(n) for n in rng.integers(10, 24, 2)), int(rng.choice([1, 3, 4, 7])))
    zero_point = int(rng.integers(-128, 128))
    x = rng.integers(-128, 128, (int(rng.integers(1, 3)), *size)).astype(np.int8)
    stages, given = [], (size, zero_point)
    for _ in range(rng.integers(1, 5)):
        kernel = tuple(int(k) for k in rng.choice([1, 2, 3, 3, 5], 2))
        stride = int(rng.choice([1, 1, 2]))
        outputs = None if rng.random() < 0.3 else int(rng.choice([1, 3, 4, 6, 8, 9, 16]))
        # "valid" only where it leaves a map to speak of.
        padded = min(given[0][:2]) < 8 or rng.random() < 0.6
        activation = bool(rng.random() < 0.7)
        stage = random_convolution(
            rng, given[0], kernel, stride, outputs, given[1], activation, padded
        )
        stages.append(stage)
        given = ((*stage.out_size, stage.params.shape[1]), stage.limits[0])
    units = [int(h) for h in rng.choice([3, 8, 16], 2)]
    cells = (random_cell(rng, given[0][2], units[0]), random_cell(rng, units[0], units[1]))
    pool = tuple(int(rng.integers(1, min(side, 4) + 1)) for side in given[0][:2])
    geometry = Geometry(pool, (2, 2), PADDINGS[1 + seed % 2])
    name = f"seed{seed}-{len(stages)} convolutions"
    return ConvPoolCase(name, x, zero_point, tuple(stages), 6 / 255, *cells, geometry)


# Blocks and convolutions that go through the operators as well.
OPERATOR_BLOCKS = range(0, 84, 4)
OPERATOR_POOLS = range(0, 40, 3)


@functools.cache
def operator_cases() -> tuple[BlockCase | ConvPoolCase, ...]:
    """Cases of both kinds for the TFLite Micro operators."""
    chosen = [blocks()[i][1] for i in OPERATOR_BLOCKS] + [conv_pools()[i] for i in OPERATOR_POOLS]
    return tuple(
        dataclasses.replace(case, options=flexbuffer(_operator_options(case))) for case in chosen
    )


def _operator_options(case: BlockCase | ConvPoolCase) -> dict[str, int | float | str]:
    if isinstance(case, BlockCase):
        return _block_options(case)
    options = pool_options(case.geometry) | {"version": 1, "convolutions": len(case.stages)}
    options["pool_scale"] = float(np.float32(case.input_scale))
    for i, stage in enumerate(case.stages):
        options |= _numbers(f"conv{i}_stride", ("_height", "_width"), stage.strides)
        options |= _numbers(f"conv{i}_pad", ("_top", "_left"), stage.pads)
        options |= _numbers(f"conv{i}_out", ("_height", "_width"), stage.out_size)
        options |= _numbers(f"conv{i}_", RANGE, stage.limits)
    return options


def _block_options(case: BlockCase) -> dict[str, int]:
    *expand, depthwise, project = case.stages
    options = {"version": 1, "residual": int(case.sum is not None)}
    options |= _numbers("stride", ("_height", "_width"), depthwise.strides)
    options |= _numbers("pad", ("_top", "_left"), depthwise.pads)
    for stage in expand:
        options |= _numbers("expanded_", RANGE, stage.limits)
    options |= _numbers("filtered_", RANGE, depthwise.limits)
    options |= _numbers("projected_", RANGE, project.limits)
    if case.sum is not None:
        options |= _numbers("input_", FACTOR, case.sum.x)
        options |= _numbers("projected_", FACTOR, case.sum.y)
        options |= _numbers("sum_", FACTOR, case.sum.sum)
        options |= _numbers("sum_", ("min", "max"), case.sum.limits[1:])
    return options


def _numbers(prefix: str, names: tuple[str, ...], values) -> dict[str, int]:
    return {f"{prefix}{name}": int(n) for name, n in zip(names, values, strict=True)}

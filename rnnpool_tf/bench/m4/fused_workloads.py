"""The fused operators that are measured: those of Visual Wake Words at 224x224, random weights."""

from __future__ import annotations

import math

import numpy as np

from rnnpool_tf.bench.m4.fused_cases import BlockCase, Convolution, ConvPoolCase, Sum
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer import IntegerCell, quantize_cell

EXPANSION = 6
POINT, KERNEL = (1, 1), (3, 3)

# name → (height, width, channels), output channels, stride, residual
BLOCKS = {
    "fused 28x28x32 to 14x14x24": ((28, 28, 32), 24, 2, False),
    "fused 14x14x24 residual": ((14, 14, 24), 24, 1, True),
    "fused 7x7x56 residual": ((7, 7, 56), 56, 1, True),
    "fused 7x7x56 to 7x7x112": ((7, 7, 56), 112, 1, False),
}
STEM = "fused stem 224x224x3 and pool"
SEED = 1

# Of values: of all int8 alike, and of weights.
_SPREAD, _WEIGHT_SPREAD = 73.0, 40.0


def factor(real: float) -> tuple[int, int]:
    """A positive factor as TensorFlow Lite has it: (multiplier in Q31, shift)."""
    fraction, shift = math.frexp(real)
    multiplier = round(fraction * 2**31)
    return (multiplier, shift) if multiplier < 2**31 else (2**30, shift + 1)


def random_convolution(
    rng: np.random.Generator,
    size: tuple[int, int, int],
    kernel: tuple[int, int],
    stride: int,
    outputs: int | None,
    zero_point: int,
    activation: bool = True,
    padded: bool = True,
) -> Convolution:
    """A convolution whose outputs spread over all of int8.

    Args:
        size: (height, width, channels) of its input, whose zero point is `zero_point`.
        outputs: None for a depthwise one.
        activation: whether the output is that of ReLU6, which has the zero point -128.
        padded: "same" padding; otherwise "valid".
    """
    height, width, channels = size
    depthwise = outputs is None
    shape = (*kernel, channels) if depthwise else (outputs, *kernel, channels)
    weights = np.clip(np.rint(rng.normal(0, _WEIGHT_SPREAD, shape)), -127, 127).astype(np.int8)
    inputs = kernel[0] * kernel[1] * (1 if depthwise else channels)
    spread = math.sqrt(inputs) * _WEIGHT_SPREAD * _SPREAD
    sums = weights.sum((0, 1) if depthwise else (1, 2, 3), dtype=np.int64)
    bias = np.rint(rng.normal(0, 0.3 * spread, len(sums))) - zero_point * sums
    factors = [factor(60 / spread * rng.uniform(0.5, 2)) for _ in sums]
    out_size, pads = [], []
    for given, extent in zip((height, width), kernel, strict=True):
        out_size.append(-(-(given if padded else given - extent + 1) // stride))
        pads.append(max((out_size[-1] - 1) * stride + extent - given, 0) // 2)
    params = np.array([bias, *np.transpose(factors)]).astype(np.int32)
    limits = (-128 if activation else 5, -128, 127)
    return Convolution(weights, params, limits, (stride, stride), tuple(pads), tuple(out_size))


def random_cell(rng: np.random.Generator, inputs: int, units: int) -> IntegerCell:
    """A quantised cell whose states spread like those of a trained one."""
    return quantize_cell(
        rng.normal(0, 0.5 / np.sqrt(inputs), (inputs, units)),
        rng.normal(0, 0.7 / np.sqrt(units), (units, units)),
        rng.normal(1, 0.5, units),
        rng.normal(0, 0.5, units),
    )


def block(name: str) -> BlockCase:
    """The inverted residual of this name."""
    size, outputs, stride, residual = BLOCKS[name]
    rng = np.random.default_rng([SEED, *name.encode()])
    zero_point = 3
    expanded = EXPANSION * size[2]
    expand = random_convolution(rng, size, POINT, 1, expanded, zero_point)
    filtered = (*size[:2], expanded)
    filter_ = random_convolution(rng, filtered, KERNEL, stride, None, expand.limits[0])
    projected = (*filter_.out_size, expanded)
    project = random_convolution(
        rng, projected, POINT, 1, outputs, filter_.limits[0], activation=False
    )
    # The scales of x, of the projection and of their sum are as 1, 0.7 and 1.1.
    total = Sum(factor(1 / 2), factor(0.7 / 2), factor(2 / 1.1 / 2**20), (-4, -128, 127))
    x = rng.integers(-128, 128, (1, *size)).astype(np.int8)
    stages = (expand, filter_, project)
    return BlockCase(name, x, zero_point, stages, total if residual else None)


def stem(name: str) -> ConvPoolCase:
    """The stem and RNNPool: 224x224x3 to 112x112x8 to 28x28x32."""
    rng = np.random.default_rng([SEED, *name.encode()])
    size = (224, 224, 3)
    convolution = random_convolution(rng, size, KERNEL, 2, 8, -1)
    cells = [random_cell(rng, 8, 8), random_cell(rng, 8, 8)]
    x = rng.integers(-128, 128, (1, *size)).astype(np.int8)
    geometry = Geometry((6, 6), (4, 4), "replicate")
    return ConvPoolCase(name, x, -1, (convolution,), 6 / 255, *cells, geometry)


def fused_workloads() -> list[BlockCase | ConvPoolCase]:
    """All of them; seeded."""
    return [*map(block, BLOCKS), stem(STEM)]

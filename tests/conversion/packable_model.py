"""A network whose RNNPool layer is large and sparse enough to be packed."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from rnnpool_tf.bench.m4.sparse import pruned
from rnnpool_tf.integer import IntegerCell
from tests.kernels.conv_pool_cases import ConvPoolCase, random_conv_pool

SEED = 3


def network(density: float = 0.3, units: tuple[int, int] = (46, 40)) -> ConvPoolCase:
    """Convolutions and RNNPool with pruned matrices, 1x2."""
    case = random_conv_pool(SEED)
    rng = np.random.default_rng([SEED, 1])

    def cell(inputs: int, h: int) -> IntegerCell:
        kernel, recurrent = (
            pruned(rng.integers(-128, 128, (h, n)).astype(np.int8), density, 2, rng)
            for n in (inputs, h)
        )
        biases = (rng.integers(-(2**26), 2**26, h).astype(np.int32) for _ in range(2))
        return IntegerCell(kernel, np.float32(2**-8), recurrent, np.float32(2**-9), *biases)

    cells = cell(case.cells[0].inputs, units[0]), cell(units[0], units[1])
    return dataclasses.replace(case, cells=cells)


@functools.cache
def dense() -> bytes:
    return network().model(1)

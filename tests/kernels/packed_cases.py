"""Seeded int8 layers with sparse, packed matrices."""

from __future__ import annotations

import functools

import numpy as np

from rnnpool_tf.bench.m4.cases import Int8Case
from rnnpool_tf.bench.m4.sparse import pruned
from rnnpool_tf.conversion.packed_matrix import PACKABLE
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer import IntegerCell

BOTH = frozenset(PACKABLE)
FIRST, SECOND = frozenset(PACKABLE[:2]), frozenset(PACKABLE[2:])

# name → (height, width, channels), (h1, h2), patch, strides, padding, share of weights, columns
# pruned together, packed matrices
SHAPES = {
    "all": ((7, 7, 40), (48, 40), (7, 7), (7, 7), "valid", 0.3, 2, BOTH),
    "odd": ((5, 6, 7), (47, 45), (3, 3), (2, 2), "same", 0.3, 1, BOTH),
    "odd channels of first cell": ((6, 9, 41), (33, 5), (3, 4), (2, 1), "same", 0.4, 1, FIRST),
    "second cell": ((9, 9, 3), (8, 48), (4, 3), (3, 3), "replicate", 0.3, 2, SECOND),
    "kernels": ((4, 5, 39), (46, 40), (4, 2), (1, 1), "valid", 0.5, 1, frozenset(PACKABLE[::2])),
    "recurrent": ((4, 5, 39), (46, 41), (4, 2), (1, 1), "same", 0.5, 1, frozenset(PACKABLE[1::2])),
    "no weights": ((4, 4, 40), (48, 40), (3, 3), (2, 2), "valid", 0.0, 1, BOTH),
    "all weights": ((4, 4, 40), (48, 40), (3, 3), (2, 2), "valid", 1.0, 1, BOTH),
    "one segment exactly": ((3, 4, 512), (5, 6), (2, 2), (1, 2), "valid", 0.2, 1, FIRST),
    "second segment of one column": ((3, 3, 513), (5, 6), (2, 2), (1, 1), "same", 0.2, 1, FIRST),
    "three segments": ((2, 5, 1031), (3, 4), (2, 3), (2, 2), "valid", 0.1, 2, FIRST),
    "one row": ((1, 9, 60), (40, 30), (1, 4), (1, 3), "valid", 0.3, 2, BOTH),
}


@functools.cache
def packed_cases() -> tuple[Int8Case, ...]:
    """All of them."""
    return tuple(_case(name) for name in SHAPES)


def _case(name: str) -> Int8Case:
    size, (h1, h2), patch, strides, padding, density, width, packed = SHAPES[name]
    rng = np.random.default_rng(list(name.encode()))

    def matrix(rows: int, columns: int) -> np.ndarray:
        values = rng.integers(-128, 128, (rows, columns)).astype(np.int8)
        return pruned(values, density, width, rng)

    def cell(inputs: int, units: int) -> IntegerCell:
        scale = np.float32(1 / (64 * np.sqrt(inputs * max(density, 0.1))))
        biases = (rng.normal(0, 2.0**26, units).astype(np.int32) for _ in range(2))
        return IntegerCell(matrix(units, inputs), scale, matrix(units, units), scale, *biases)

    x = rng.integers(-128, 128, (2, *size)).astype(np.int8)
    zero_point = int(rng.integers(-128, 128))
    geometry = Geometry(patch, strides, padding)
    name = f"packed, {name}"
    return Int8Case(
        name, x, 6 / 255, zero_point, cell(size[2], h1), cell(h1, h2), geometry, packed=packed
    )

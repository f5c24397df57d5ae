"""Packed matrices: the exact round trip, their size, and damaged ones."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.conversion.packed_matrix import pack_matrix, packed_shape, unpack_matrix

pytestmark = pytest.mark.keras_free

# Odd and even columns, ends of groups and of segments of 512 columns.
SHAPES = [(1, 1), (1, 2), (3, 5), (80, 80), (5, 511), (4, 512), (3, 513), (2, 1030), (46, 7)]


def sparse(seed: int, shape: tuple[int, int], density: float) -> np.ndarray:
    rng = np.random.default_rng([71, seed])
    matrix = rng.integers(-128, 128, shape)
    return np.where(rng.random(shape) < density, matrix, 0).astype(np.int8)


@pytest.mark.parametrize("density", [0, 0.05, 0.3, 0.7, 1])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: "x".join(map(str, shape)))
def test_round_trip(shape, density):
    for seed in range(5):
        matrix = sparse(seed, shape, density)
        stream = pack_matrix(matrix)
        assert stream.dtype == np.int8 and stream.ndim == 1 and stream.size % 4 == 0
        assert packed_shape(stream) == shape
        assert np.array_equal(unpack_matrix(stream), matrix), f"seed {seed}"


def test_bytes_of_a_row_counted_by_hand():
    """Two groups in the first row, none in the second, one in the third."""
    matrix = np.zeros((3, 12), np.int8)
    matrix[0, [0, 3, 4, 7, 10]] = [1, 2, 3, 4, 5]
    matrix[2, 11] = -6
    stream = pack_matrix(matrix)
    assert stream[:12].tobytes() == b"RPK1\x03\0\0\0\x0c\0\0\0"
    assert stream[12:16].tolist() == [2, 0, 1, 0]
    assert stream[16:28].tolist() == [0, 1, 2, 3, 1, 0, 0, 2, 3, 0, 0, 4]
    assert stream[28:40].tolist() == [5, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]
    assert stream[40:].tolist() == [5, 0, 0, 0, 0, 0, -6, 0, 0, 0, 0, 0]


def changed(position: int, value: int) -> np.ndarray:
    matrix = np.zeros((2, 9), np.int8)
    matrix[:, ::2] = 7
    stream = pack_matrix(matrix).copy()
    stream[position] = value
    return stream


DAMAGED = {
    "magic": (changed(0, 0), "no packed matrix"),
    "rows": (changed(4, 0), "no packed matrix"),
    "more-rows": (changed(7, 1), "bytes that its counts say"),
    "columns": (changed(11, -1), "no packed matrix"),
    "count": (changed(12, 1), "bytes that its counts say"),
    "index-twice": (changed(17, 0), "must increase and exist"),
    "index-outside": (changed(17, 9), "must increase and exist"),
    "partner-of-the-last-column": (changed(34, 1), "must increase and exist"),
    "cut": (changed(0, ord("R"))[:-12], "bytes that its counts say"),
    "longer": (np.append(changed(0, ord("R")), np.int8(0)), "bytes that its counts say"),
    "empty": (np.zeros(0, np.int8), "no packed matrix"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged(name):
    stream, message = DAMAGED[name]
    with pytest.raises(ValueError, match=message):
        unpack_matrix(stream)


@pytest.mark.parametrize(
    "matrix", [np.zeros(4, np.int8), np.zeros((2, 2)), np.zeros((0, 2), np.int8), [[1]]]
)
def test_other_arrays_are_refused(matrix):
    with pytest.raises(ValueError, match="`matrix` must"):
        pack_matrix(matrix)

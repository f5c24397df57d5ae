"""Packed matrices: int8 weights without their pairs of zeros, as an array of bytes.

The format is that of ``tflm_kernels/src/rnnpool/int8_packed.h``. A pair, two neighbouring columns
of a row, takes 3 bytes instead of 2, in groups of four that a Cortex-M4 loads at once.
"""

from __future__ import annotations

import numpy as np

# Matrices of an int8 RNNPool layer that may be packed, in the order of the operator's inputs.
PACKABLE = ("kernel1", "recurrent_kernel1", "kernel2", "recurrent_kernel2")
SEGMENT = 256  # pairs
GROUP = 4  # pairs
GROUP_BYTES = 12
_MAGIC = b"RPK1"
_HEADER = np.dtype([("magic", "S4"), ("rows", "<i4"), ("columns", "<i4")])
# Where a group's weights stand: SXTB16 unpacks bytes 0 and 2 of a word, then 1 and 3.
_FIRST = np.array([4, 5, 8, 9])
_SECOND = _FIRST + 2


def pack_matrix(matrix: np.ndarray) -> np.ndarray:
    """Packs a matrix; `unpack_matrix` gives it back.

    Args:
        matrix: int8 [rows, columns], both at least 1.

    Returns:
        int8 [bytes].

    Raises:
        ValueError: Not such a matrix.

    >>> pack_matrix(np.array([[0, 0, 5, -1], [0, 0, 0, 0]], np.int8)).size
    28
    """
    if not isinstance(matrix, np.ndarray) or matrix.dtype != np.int8 or matrix.ndim != 2:
        raise ValueError(
            "`matrix` must be an int8 array of shape [rows, columns]. Received: "
            f"{getattr(matrix, 'dtype', type(matrix).__name__)} of shape {np.shape(matrix)}"
        )
    if 0 in matrix.shape:
        raise ValueError(f"`matrix` must not be empty. Received: shape={matrix.shape}")
    rows, columns = matrix.shape
    pairs = np.pad(matrix, ((0, 0), (0, columns % 2))).reshape(rows, -1, 2)
    counts, groups = [], []
    for segment in np.split(pairs, range(SEGMENT, pairs.shape[1], SEGMENT), axis=1):
        for row in segment:
            packed = _pack_row(row)
            counts.append(len(packed))
            groups.append(packed)
    header = np.array([(_MAGIC, rows, columns)], _HEADER).tobytes()
    table = bytes(counts) + bytes(-len(counts) % 4)
    return np.frombuffer(header + table + np.concatenate(groups).tobytes(), np.int8)


def _pack_row(pairs: np.ndarray) -> np.ndarray:
    """Groups, int8 [groups, 12], of a row's pairs, int8 [pairs, 2]."""
    (kept,) = np.nonzero(pairs.any(axis=1))
    count = -(-len(kept) // GROUP)
    filled = np.zeros((count * GROUP, 3), np.int8)
    filled[: len(kept), 0] = kept.astype(np.uint8).view(np.int8)
    filled[: len(kept), 1:] = pairs[kept]
    groups = np.zeros((count, GROUP_BYTES), np.int8)
    indices, first, second = np.moveaxis(filled.reshape(count, GROUP, 3), 2, 0)
    groups[:, :GROUP], groups[:, _FIRST], groups[:, _SECOND] = indices, first, second
    return groups


def packed_shape(stream: np.ndarray) -> tuple[int, int]:
    """[rows, columns] of a packed matrix, from its header.

    Raises:
        ValueError: The header is missing or damaged.
    """
    if stream.size >= _HEADER.itemsize:
        magic, rows, columns = np.frombuffer(stream[: _HEADER.itemsize].tobytes(), _HEADER)[0]
        if magic == _MAGIC and rows >= 1 and columns >= 1:
            return int(rows), int(columns)
    raise ValueError(f"it is no packed matrix. Received: {stream.size} bytes")


def unpack_matrix(stream: np.ndarray) -> np.ndarray:
    """Unpacks a matrix.

    Args:
        stream: int8 [bytes], from `pack_matrix`.

    Returns:
        int8 [rows, columns].

    Raises:
        ValueError: Damaged, as the C++ operator would find it.

    >>> unpack_matrix(pack_matrix(np.array([[0, 0, 5, -1]], np.int8)))
    array([[ 0,  0,  5, -1]], dtype=int8)
    """
    rows, columns = packed_shape(stream)
    pair_count = -(-columns // 2)
    segments = -(-pair_count // SEGMENT)
    end = _HEADER.itemsize + -(-segments * rows // 4) * 4
    counts = stream[_HEADER.itemsize : end].view(np.uint8)[: segments * rows]
    size = end + int(counts.sum(dtype=np.int64)) * GROUP_BYTES
    if counts.size < segments * rows or stream.size != size:
        raise ValueError(
            f"a packed matrix must have the {size} bytes that its counts say. "
            f"Received: {stream.size}"
        )
    groups = stream[end:].reshape(-1, GROUP_BYTES)
    # Of every pair: its row in [segments, rows], its index there, its weights.
    place = np.repeat(np.repeat(np.arange(counts.size), counts), GROUP)
    index = groups[:, :GROUP].view(np.uint8).ravel().astype(np.int64)
    weights = np.stack([groups[:, _FIRST].ravel(), groups[:, _SECOND].ravel()], axis=1)
    column = place // rows * SEGMENT + index
    kept = weights.any(axis=1)
    same = place[kept][1:] == place[kept][:-1]
    half = weights[column == columns // 2, 1] if columns % 2 else np.zeros(0, np.int8)
    if np.any(column >= pair_count) or half.any() or np.any(np.diff(index[kept])[same] <= 0):
        raise ValueError("the indices of a packed matrix must increase and exist")
    matrix = np.zeros((rows, 2 * pair_count), np.int8)
    for part in (0, 1):
        matrix[place[kept] % rows, 2 * column[kept] + part] = weights[kept, part]
    return np.ascontiguousarray(matrix[:, :columns])

"""RNNPool's forward pass: FastGRNN sweeps shared between overlapping patches.

Computing every patch on its own repeats most of the work. Here

* `W1·x` is computed once per pixel and used by the row pass and the column pass of every patch;
* the row sweep of RNN1 runs once per (map row, patch column), because vertically overlapping
  patches see the same row segment; columns likewise;
* `W2·summary` is computed once per summary and used forward and backward.

The result is that of Algorithm 1 of the paper (Saha et al., 2020) up to float rounding.

Sequences are gathered once per sweep along the first axis: TensorFlow's gradient of a gather on
the first axis adds contiguous blocks, where the gradients of strided slices pad whole maps.
"""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from rnnpool_tf.gates import SMOOTH
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.layers.activations import GATE_AND_CANDIDATE


class CellWeights(NamedTuple):
    """Weights of one FastGRNN cell: `a = W·x + U·h`, one row of W and U per unit.

    Attributes:
        kernel: W, shape (units, inputs).
        recurrent_kernel: U, shape (units, units).
        bias_gate: Shape (units,).
        bias_update: Shape (units,).
        zeta: ζ after the sigmoid, a scalar, or None for the constant 1.
        nu: ν after the sigmoid, a scalar, or None for the constant 0.
    """

    kernel: tf.Tensor
    recurrent_kernel: tf.Tensor
    bias_gate: tf.Tensor
    bias_update: tf.Tensor
    zeta: tf.Tensor | None = None
    nu: tf.Tensor | None = None


def rnnpool(
    x: tf.Tensor, rnn1: CellWeights, rnn2: CellWeights, geometry: Geometry, gates: str = SMOOTH
) -> tf.Tensor:
    """Summarises every patch of a map in one vector.

    Args:
        x: Activation map, shape (batch, height, width, channels).
        rnn1: The cell that sweeps pixels (channels → hidden1).
        rnn2: The cell that sweeps summaries, both ways (hidden1 → hidden2).
        geometry: Patch size, strides and padding.
        gates: Kind of gates of both cells.

    Returns:
        Shape (batch, out_height, out_width, 4·hidden2): the final states of RNN2 over the row
        summaries forward and backward, then over the column summaries forward and backward.
    """
    x = _pad_same(x, geometry)
    shape = tf.shape(x)
    batch = shape[0]
    grid_rows, row_index = _patch_index(x.shape[1], shape[1], geometry, axis=0)
    grid_columns, column_index = _patch_index(x.shape[2], shape[2], geometry, axis=1)
    used_rows, used_columns = (
        (grid_rows - 1) * geometry.strides[0] + geometry.pool_size[0],
        (grid_columns - 1) * geometry.strides[1] + geometry.pool_size[1],
    )
    x = x[:, :used_rows, :used_columns, :]

    pixels = _input_product(x, rnn1)
    rows = _sweep_segments(tf.transpose(pixels, (2, 0, 1, 3)), column_index, rnn1, gates)
    columns = _sweep_segments(tf.transpose(pixels, (1, 0, 2, 3)), row_index, rnn1, gates)
    # rows: (grid columns, batch, rows, hidden1); columns: (grid rows, batch, columns, hidden1)

    rows = _input_product(tf.transpose(rows, (2, 1, 0, 3)), rnn2)
    columns = _input_product(tf.transpose(columns, (2, 1, 0, 3)), rnn2)
    down = _sweep_segments(rows, row_index, rnn2, gates)
    up = _sweep_segments(rows, row_index[::-1], rnn2, gates)
    right = _sweep_segments(columns, column_index, rnn2, gates)
    left = _sweep_segments(columns, column_index[::-1], rnn2, gates)
    # down, up: (grid rows, batch, grid columns, hidden2); right, left: the grid axes swapped

    vertical = tf.transpose(tf.concat((down, up), -1), (1, 0, 2, 3))
    horizontal = tf.transpose(tf.concat((right, left), -1), (1, 2, 0, 3))
    output = tf.concat((vertical, horizontal), -1)
    output = tf.reshape(
        output, (batch, grid_rows, grid_columns, 4 * rnn2.recurrent_kernel.shape[0])
    )
    return _repeat_last(output, geometry)


def fastgrnn_update(
    gate: tf.Tensor, candidate: tf.Tensor, h: tf.Tensor, zeta=None, nu=None
) -> tf.Tensor:
    """`g ⊙ h + (ζ (1 − g) + ν) ⊙ c`, the state update of FastGRNN (§1.1 of its paper)."""
    if zeta is None:
        return candidate + gate * (h - candidate)
    return gate * h + (zeta * (1 - gate) + nu) * candidate


def _input_product(x: tf.Tensor, cell: CellWeights) -> tf.Tensor:
    """`W·x + bias_gate` for every vector of `x`, as a rank-2 product (TensorFlow's fast one)."""
    units, inputs = cell.kernel.shape
    flat = tf.matmul(tf.reshape(x, (-1, inputs)), cell.kernel, transpose_b=True) + cell.bias_gate
    return tf.reshape(flat, tf.concat((tf.shape(x)[:-1], (units,)), 0))


def _sweep_segments(
    products: tf.Tensor, index: tf.Tensor, cell: CellWeights, gates: str
) -> tf.Tensor:
    """Runs one cell over segments of the first axis and returns the final states.

    Args:
        products: `W·x + bias_gate`, shape (positions, a, b, units).
        index: Positions visited, shape (steps, segments).
        cell: The cell.
        gates: Its kind of gates.

    Returns:
        Shape (segments, a, b, units).
    """
    steps = index.shape[0]
    units = cell.recurrent_kernel.shape[0]
    shape = tf.shape(products)
    segments = tf.reshape(tf.gather(products, tf.reshape(index, (-1,))), (steps, -1, units))
    recurrent = tf.transpose(cell.recurrent_kernel)
    candidate_offset = cell.bias_update - cell.bias_gate
    gate_activation, update_activation = GATE_AND_CANDIDATE[gates]
    h = None
    for product in tf.unstack(segments):
        a = product if h is None else product + tf.matmul(h, recurrent)
        gate, candidate = gate_activation(a), update_activation(a + candidate_offset)
        h = fastgrnn_update(
            gate, candidate, tf.zeros_like(a) if h is None else h, cell.zeta, cell.nu
        )
    return tf.reshape(h, (-1, shape[1], shape[2], units))


def _patch_index(static_size: int | None, size: tf.Tensor, geometry: Geometry, axis: int):
    """Number of patches along an axis, and the pixels they visit, shape (steps, patches)."""
    patch, stride = geometry.pool_size[axis], geometry.strides[axis]
    if static_size is not None:
        grid = (static_size - patch) // stride + 1
    else:
        grid = (size - patch) // stride + 1
    return grid, tf.range(patch)[:, tf.newaxis] + stride * tf.range(grid)[tf.newaxis, :]


def _pad_same(x: tf.Tensor, geometry: Geometry) -> tf.Tensor:
    if geometry.padding != "same":
        return x
    paddings = [(0, 0)]
    for axis in (0, 1):
        patch, stride = geometry.pool_size[axis], geometry.strides[axis]
        size = x.shape[axis + 1] if x.shape[axis + 1] is not None else tf.shape(x)[axis + 1]
        total = (-(-size // stride) - 1) * stride + patch - size
        total = tf.maximum(total, 0)
        paddings.append((total // 2, total - total // 2))
    return tf.pad(x, [*paddings, (0, 0)])


def _repeat_last(output: tf.Tensor, geometry: Geometry) -> tf.Tensor:
    rows, columns = geometry.repeats
    if rows:
        output = tf.concat([output] + [output[:, -1:]] * rows, 1)
    if columns:
        output = tf.concat([output] + [output[:, :, -1:]] * columns, 2)
    return output

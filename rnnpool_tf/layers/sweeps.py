"""RNNPool's forward pass: sweeps of a recurrent cell shared between overlapping patches.

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

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

import tensorflow as tf

from rnnpool_tf.gates import SMOOTH
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.layers.activations import GATE_AND_CANDIDATE


class Cell(Protocol):
    """A recurrent cell with its weights, as the sweeps use it."""

    units: int

    def input_product(self, x: tf.Tensor) -> tf.Tensor:
        """What a step needs of its input alone, for every vector of `x`: shape (…, width)."""

    def states(self, products: Sequence[tf.Tensor]) -> Iterator[tf.Tensor]:
        """The states after each step from zero on, shape (n, units), of n sequences at a time.

        Args:
            products: For every step, `input_product` of n inputs, shape (n, width).
        """


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
    """Summarises every patch of a map in one vector with two FastGRNN cells.

    Args:
        x: Activation map, shape (batch, height, width, channels).
        rnn1: The cell that sweeps pixels (channels → hidden1).
        rnn2: The cell that sweeps summaries, both ways (hidden1 → hidden2).
        geometry: Patch size, strides and padding.
        gates: Kind of gates of both cells.

    Returns:
        As `pool_patches`.
    """
    return pool_patches(x, _FastGRNN(rnn1, gates), _FastGRNN(rnn2, gates), geometry)


def pool_patches(x: tf.Tensor, rnn1: Cell, rnn2: Cell, geometry: Geometry) -> tf.Tensor:
    """Summarises every patch of a map in one vector with two cells of any kind.

    Args:
        x: Activation map, shape (batch, height, width, channels).
        rnn1: The cell that sweeps pixels (channels → hidden1).
        rnn2: The cell that sweeps summaries, both ways (hidden1 → hidden2).
        geometry: Patch size, strides and padding.

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

    pixels = rnn1.input_product(x)
    rows = _sweep_segments(tf.transpose(pixels, (2, 0, 1, 3)), column_index, rnn1)
    columns = _sweep_segments(tf.transpose(pixels, (1, 0, 2, 3)), row_index, rnn1)
    # rows: (grid columns, batch, rows, hidden1); columns: (grid rows, batch, columns, hidden1)

    rows = rnn2.input_product(tf.transpose(rows, (2, 1, 0, 3)))
    columns = rnn2.input_product(tf.transpose(columns, (2, 1, 0, 3)))
    down = _sweep_segments(rows, row_index, rnn2)
    up = _sweep_segments(rows, row_index[::-1], rnn2)
    right = _sweep_segments(columns, column_index, rnn2)
    left = _sweep_segments(columns, column_index[::-1], rnn2)
    # down, up: (grid rows, batch, grid columns, hidden2); right, left: the grid axes swapped

    vertical = tf.transpose(tf.concat((down, up), -1), (1, 0, 2, 3))
    horizontal = tf.transpose(tf.concat((right, left), -1), (1, 2, 0, 3))
    output = tf.concat((vertical, horizontal), -1)
    output = tf.reshape(output, (batch, grid_rows, grid_columns, 4 * rnn2.units))
    return _repeat_last(output, geometry)


def fastgrnn_update(
    gate: tf.Tensor, candidate: tf.Tensor, h: tf.Tensor, zeta=None, nu=None
) -> tf.Tensor:
    """`g ⊙ h + (ζ (1 − g) + ν) ⊙ c`, the state update of FastGRNN (§1.1 of its paper)."""
    if zeta is None:
        return candidate + gate * (h - candidate)
    return gate * h + (zeta * (1 - gate) + nu) * candidate


def linear(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
    """`W·x + bias` for every vector of `x`, as a rank-2 product (TensorFlow's fast one).

    Args:
        x: Shape (…, inputs).
        kernel: W, shape (outputs, inputs).
        bias: Shape (outputs,).
    """
    outputs, inputs = kernel.shape
    flat = tf.matmul(tf.reshape(x, (-1, inputs)), kernel, transpose_b=True) + bias
    return tf.reshape(flat, tf.concat((tf.shape(x)[:-1], (outputs,)), 0))


class _FastGRNN(NamedTuple):
    """FastGRNN as the sweeps use it: the bias of the gate belongs to the input product."""

    weights: CellWeights
    gates: str

    @property
    def units(self) -> int:
        return self.weights.recurrent_kernel.shape[0]

    def input_product(self, x: tf.Tensor) -> tf.Tensor:
        return linear(x, self.weights.kernel, self.weights.bias_gate)

    def states(self, products: Sequence[tf.Tensor]) -> Iterator[tf.Tensor]:
        cell = self.weights
        recurrent = tf.transpose(cell.recurrent_kernel)
        candidate_offset = cell.bias_update - cell.bias_gate
        gate_activation, update_activation = GATE_AND_CANDIDATE[self.gates]
        h = None
        for product in products:
            a = product if h is None else product + tf.matmul(h, recurrent)
            gate, candidate = gate_activation(a), update_activation(a + candidate_offset)
            h = fastgrnn_update(
                gate, candidate, tf.zeros_like(a) if h is None else h, cell.zeta, cell.nu
            )
            yield h


def _sweep_segments(products: tf.Tensor, index: tf.Tensor, cell: Cell) -> tf.Tensor:
    """Runs one cell over segments of the first axis and returns the final states.

    Args:
        products: The cell's input products, shape (positions, a, b, width).
        index: Positions visited, shape (steps, segments).
        cell: The cell.

    Returns:
        Shape (segments, a, b, units).
    """
    steps, width = index.shape[0], products.shape[-1]
    shape = tf.shape(products)
    segments = tf.reshape(tf.gather(products, tf.reshape(index, (-1,))), (steps, -1, width))
    *_, h = cell.states(tf.unstack(segments))
    # Not -1, which cannot be inferred where the batch is empty, as that of a replica may be.
    count = tf.shape(index)[1] if index.shape[1] is None else index.shape[1]
    return tf.reshape(h, (count, shape[1], shape[2], cell.units))


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

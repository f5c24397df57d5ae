"""RNNPool patch by patch in float64 NumPy, as Algorithm 1 reads: slow, plain, independent."""

from __future__ import annotations

import numpy as np


def nonlinearities(gate, candidate, kind):
    """Both nonlinearities of a cell, for either kind of gates."""
    if kind == "piecewise_linear":
        return np.clip((gate + 1) / 2, 0, 1), np.clip(candidate, -1, 1)
    return 1 / (1 + np.exp(-gate)), np.tanh(candidate)


def fastgrnn_final_state(sequence, cell):
    """Final state after walking `sequence`, shape (steps, features), from a zero state."""
    h = np.zeros(cell["recurrent_kernel"].shape[0])
    for x in sequence:
        a = x @ cell["kernel"] + h @ cell["recurrent_kernel"]
        gate, candidate = nonlinearities(
            a + cell["bias_gate"], a + cell["bias_update"], cell.get("gates", "smooth")
        )
        h = gate * h + (cell.get("zeta", 1.0) * (1 - gate) + cell.get("nu", 0.0)) * candidate
    return h


def pool_patch(patch, rnn1, rnn2):
    """The 4 · hidden2 numbers of one patch, shape (rows, columns, channels)."""
    rows = [fastgrnn_final_state(row, rnn1) for row in patch]
    columns = [fastgrnn_final_state(column, rnn1) for column in patch.transpose(1, 0, 2)]
    passes = (rows, rows[::-1], columns, columns[::-1])
    return np.concatenate([fastgrnn_final_state(summaries, rnn2) for summaries in passes])


def rnnpool_reference(x, rnn1, rnn2, geometry):
    """The whole map, shape (batch, height, width, channels), every patch from scratch."""
    (ph, pw), (sh, sw) = geometry.pool_size, geometry.strides
    rows, columns = geometry.axes(*x.shape[1:3])
    padded = np.pad(
        x.astype(np.float64),
        [
            (0, 0),
            (rows.before, max(0, rows.padded - rows.before - x.shape[1])),
            (columns.before, max(0, columns.padded - columns.before - x.shape[2])),
            (0, 0),
        ],
    )
    output = np.array(
        [
            [
                [
                    pool_patch(image[i * sh : i * sh + ph, j * sw : j * sw + pw], rnn1, rnn2)
                    for j in range(columns.grid)
                ]
                for i in range(rows.grid)
            ]
            for image in padded
        ]
    )
    repeats = [(0, 0), (0, rows.out - rows.grid), (0, columns.out - columns.grid), (0, 0)]
    return np.pad(output, repeats, mode="edge")

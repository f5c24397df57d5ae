"""MAdds as executed against a rendering in NumPy that multiplies, remembers and counts."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rnnpool_tf.analysis.counts import pool_counts
from rnnpool_tf.geometry import PADDINGS, Geometry
from tests.layers.reference import nonlinearities, rnnpool_reference

pytestmark = pytest.mark.keras_free

SEEDS = range(6300, 6324)


class Counting:
    """RNNPool, patch by patch, that looks up what it has computed before: products of W and final
    states, each by where in the map it belongs."""

    def __init__(self, x, rnn1, rnn2, geometry):
        self.x, self.rnn1, self.rnn2, self.geometry = x, rnn1, rnn2, geometry
        self.rows, self.columns = geometry.axes(*x.shape[:2])
        self.known = {}
        self.madds = 0

    def run(self):
        """The output before any repetition; counts on the way."""
        return np.array(
            [[self.patch(i, j) for j in range(self.columns.grid)] for i in range(self.rows.grid)]
        )

    def patch(self, i, j):
        (ph, pw), (sh, sw) = self.geometry.pool_size, self.geometry.strides
        top, left = i * sh, j * sw
        rows = [self.summary((top + r, left), (0, 1), pw) for r in range(ph)]
        columns = [self.summary((top, left + c), (1, 0), ph) for c in range(pw)]
        passes = (rows, rows[::-1], columns, columns[::-1])
        return np.concatenate([self.sweep(self.rnn2, one) for one in passes])

    def summary(self, start, step, length):
        """W2 times RNN1's final state along a row or a column of one patch."""
        key = (start, step)
        if key not in self.known:
            positions = [(start[0] + n * step[0], start[1] + n * step[1]) for n in range(length)]
            state = self.sweep(self.rnn1, [self.pixel(*position) for position in positions])
            self.known[key] = self.product(self.rnn2, state)
        return self.known[key]

    def pixel(self, y, x):
        """W1 times a pixel of the padded map."""
        if (y, x) not in self.known:
            row, column = y - self.rows.before, x - self.columns.before
            inside = 0 <= row < self.x.shape[0] and 0 <= column < self.x.shape[1]
            zeros = np.zeros(self.rnn1["kernel"].shape[1])
            self.known[y, x] = self.product(self.rnn1, self.x[row, column]) if inside else zeros
        return self.known[y, x]

    def product(self, cell, vector):
        self.madds += cell["kernel"].size
        return vector @ cell["kernel"]

    def sweep(self, cell, products):
        h = None
        for a in products:
            if h is not None:
                self.madds += cell["recurrent_kernel"].size
                a = a + h @ cell["recurrent_kernel"]
            gate, candidate = nonlinearities(a + cell["bias_gate"], a + cell["bias_update"], "")
            h = (1 - gate) * candidate if h is None else gate * h + (1 - gate) * candidate
        return h


def random_cell(rng, inputs, units):
    return {
        "kernel": rng.normal(0, 0.5, (inputs, units)),
        "recurrent_kernel": rng.normal(0, 0.5, (units, units)),
        "bias_gate": rng.normal(0, 0.5, units),
        "bias_update": rng.normal(0, 0.5, units),
    }


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed{seed}")
def test_executed_madds_are_those_of_shared_sweeps(seed):
    chance, rng = random.Random(seed), np.random.default_rng(seed)
    patch = chance.randint(1, 5), chance.randint(1, 5)
    strides = chance.randint(1, 6), chance.randint(1, 6)
    geometry = Geometry(patch, strides, PADDINGS[seed % 3])
    size = patch[0] + chance.randint(0, 9), patch[1] + chance.randint(0, 9), chance.randint(1, 4)
    h1, h2 = chance.randint(1, 4), chance.randint(1, 4)
    x, rnn1, rnn2 = rng.normal(0, 1, size), random_cell(rng, size[2], h1), random_cell(rng, h1, h2)
    counting = Counting(x, rnn1, rnn2, geometry)
    output = counting.run()
    # What was counted computes the layer: 1e-12 for another order of sums in float64.
    expected = rnnpool_reference(x[np.newaxis], rnn1, rnn2, geometry)[0]
    assert np.abs(output - expected[: output.shape[0], : output.shape[1]]).max() <= 1e-12
    assert pool_counts(geometry, size, h1, h2)["madds_executed"] == counting.madds


def test_visual_wake_words_at_224():
    """By hand: 112 columns in patches, 110 rows; 27 × 27 patches of 6 × 6."""
    geometry = Geometry((6, 6), (4, 4), "replicate")
    counts = pool_counts(geometry, (112, 112, 8), 8, 8)
    sweeps = 2 * 110 * 27
    assert counts["madds_executed"] == (
        110 * 110 * 64 + sweeps * (5 * 64 + 64) + 27 * 27 * 4 * 5 * 64
    )
    assert counts["madds_executed"] < counts["madds_shared"] < counts["madds"]

"""Forward and backward time of the shared-sweep layer against computing every patch on its own."""

from __future__ import annotations

import statistics
import time

import tensorflow as tf

from rnnpool_tf.geometry import Geometry
from rnnpool_tf.layers.sweeps import CellWeights, fastgrnn_update, rnnpool

BATCH, SIZE, CHANNELS, HIDDEN = 8, 112, 8, 8
GEOMETRY = Geometry((6, 6), (4, 4), "valid")


def naive_rnnpool(x, rnn1: CellWeights, rnn2: CellWeights, geometry: Geometry):
    """The layer as Algorithm 1 reads: cut out all patches, then run both RNNs over each."""
    (ph, pw), (sh, sw) = geometry.pool_size, geometry.strides
    grid_h, grid_w = geometry.output_size(*x.shape[1:3])
    row_index = sh * tf.range(grid_h)[:, None] + tf.range(ph)[None]
    column_index = sw * tf.range(grid_w)[:, None] + tf.range(pw)[None]
    patches = tf.gather(tf.gather(x, row_index, axis=1), column_index, axis=3)
    patches = tf.reshape(tf.transpose(patches, (0, 1, 3, 2, 4, 5)), (-1, ph, pw, x.shape[-1]))

    def sweep(sequence, cell):
        batch = tf.reduce_prod(tf.shape(sequence)[1:-1])
        h = tf.zeros((batch, cell.recurrent_kernel.shape[0]))
        for step in tf.unstack(sequence):
            a = tf.matmul(tf.reshape(step, (batch, -1)), cell.kernel, transpose_b=True)
            a += tf.matmul(h, cell.recurrent_kernel, transpose_b=True)
            h = fastgrnn_update(tf.sigmoid(a + cell.bias_gate), tf.tanh(a + cell.bias_update), h)
        return tf.reshape(h, (*sequence.shape[1:-1], -1))

    rows = sweep(tf.transpose(patches, (2, 1, 0, 3)), rnn1)
    columns = sweep(tf.transpose(patches, (1, 2, 0, 3)), rnn1)
    passes = [sweep(s, rnn2) for s in (rows, rows[::-1], columns, columns[::-1])]
    return tf.reshape(tf.concat(passes, -1), (-1, grid_h, grid_w, 4 * HIDDEN))


def measure(repeat: int = 10) -> list[dict]:
    """Times four variants on the paper's Visual Wake Words layer.

    Args:
        repeat: Timed calls per variant; the median is reported.

    Returns:
        One dict per variant: its name and milliseconds; the naive one first.
    """
    keys = iter(range(100))

    def normal(*shape, scale=0.3):
        return tf.Variable(scale * tf.random.stateless_normal(shape, (next(keys), 0)))

    def cell(inputs):
        return (normal(HIDDEN, inputs), normal(HIDDEN, HIDDEN), normal(HIDDEN), normal(HIDDEN))

    x = tf.random.stateless_normal((BATCH, SIZE, SIZE, CHANNELS), (1, 1))
    weights1, weights2 = cell(CHANNELS), cell(HIDDEN)

    def forward_backward(layer, jit_compile):
        @tf.function(jit_compile=jit_compile)
        def run(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                rnn1, rnn2 = CellWeights(*weights1), CellWeights(*weights2)
                loss = tf.reduce_sum(layer(x, rnn1, rnn2, GEOMETRY) ** 2)
            return loss, tape.gradient(loss, [x, *weights1, *weights2])

        return run

    variants = {
        "naive, per patch": forward_backward(naive_rnnpool, False),
        "naive, per patch, XLA": forward_backward(naive_rnnpool, True),
        "shared sweeps": forward_backward(rnnpool, False),
        "shared sweeps, XLA": forward_backward(rnnpool, True),
    }
    losses = {name: float(run(x)[0]) for name, run in variants.items()}
    times = {name: [] for name in variants}
    for _ in range(repeat):
        # In turn, so that whatever else the machine does meets all variants alike.
        for name, run in variants.items():
            start = time.perf_counter()
            _, gradients = run(x)
            gradients[-1].numpy()  # Waits until the computation is done.
            times[name].append(time.perf_counter() - start)
    return [
        {
            "variant": name,
            "milliseconds": 1e3 * statistics.median(times[name]),
            "loss": losses[name],
        }
        for name in variants
    ]


def table(rows: list[dict]) -> str:
    """The result for people."""
    baseline = rows[0]["milliseconds"]
    lines = [
        "RNNPoolLayer, forward + backward, 8×112×112×8, patch 6, stride 4, h1 = h2 = 8",
        f"{'variant':28}{'median ms':>10}{'vs naive':>10}",
    ]
    for row in rows:
        speedup = baseline / row["milliseconds"]
        lines.append(f"{row['variant']:28}{row['milliseconds']:10.1f}{speedup:9.1f}×")
    return "\n".join(lines)

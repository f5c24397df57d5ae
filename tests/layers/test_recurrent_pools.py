"""RecurrentPoolLayer and ReNetLayer against Keras's own recurrent layers, and as Keras layers."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf._keras import keras
from rnnpool_tf.layers import RecurrentPoolLayer, ReNetLayer, RNNPoolLayer

SEED = 11
CELLS = ("gru", "lstm")
KERAS = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM}
POOLS = {
    "replicate": ((6, 6), (4, 4), "replicate", (16, 20)),
    "rectangular": ((3, 5), (2, 4), "valid", (9, 13)),
    "same": ((5, 3), (2, 3), "same", (9, 11)),
}


def randomized(layer, shape):
    layer.build((None, *shape))
    rng = np.random.default_rng(SEED)
    for weight in layer.weights:
        weight.assign(rng.normal(0, 0.5, weight.shape))
    return layer


def keras_rnn(cell, weights, **arguments):
    """Keras's layer with the weights of one cell."""
    kernel, *_ = weights
    rnn = KERAS[cell](np.asarray(weights[1]).shape[0], **arguments)
    rnn.build((None, None, np.asarray(kernel).shape[0]))
    rnn.set_weights([np.asarray(weight) for weight in weights])
    return rnn


def pooled_by_keras(layer, patches):
    """Algorithm 1 of the RNNPool paper on patches (n, rows, columns, channels)."""
    rnn1, rnn2 = (keras_rnn(layer.cell, layer.weights[i : i + 3]) for i in (0, 3))
    backwards = keras_rnn(layer.cell, layer.weights[3:], go_backwards=True)
    n, rows, columns, channels = patches.shape
    row = np.asarray(rnn1(patches.reshape(-1, columns, channels))).reshape(n, rows, -1)
    turned = np.ascontiguousarray(patches.transpose(0, 2, 1, 3))
    column = np.asarray(rnn1(turned.reshape(-1, rows, channels))).reshape(n, columns, -1)
    return np.concatenate(
        [np.asarray(rnn(x)) for x in (row, column) for rnn in (rnn2, backwards)], -1
    )


@pytest.mark.parametrize("case", POOLS)
@pytest.mark.parametrize("cell", CELLS)
def test_pool_equals_keras_on_every_patch(cell, case):
    pool, strides, padding, size = POOLS[case]
    layer = randomized(RecurrentPoolLayer(5, 4, pool, strides, padding, cell), (*size, 3))
    x = np.random.default_rng(SEED).normal(size=(2, *size, 3)).astype(np.float32)
    output = np.asarray(layer(x))
    assert output.shape == tuple(layer.compute_output_shape(x.shape))
    rows, columns = layer.geometry.axes(*size)
    ends = [max(0, a.padded - a.before - s) for a, s in zip((rows, columns), size, strict=True)]
    padded = np.pad(x, ((0, 0), (rows.before, ends[0]), (columns.before, ends[1]), (0, 0)))
    patches = [
        padded[:, top : top + pool[0], left : left + pool[1]]
        for top in range(0, rows.grid * strides[0], strides[0])
        for left in range(0, columns.grid * strides[1], strides[1])
    ]
    expected = pooled_by_keras(layer, np.concatenate(patches))
    expected = expected.reshape(rows.grid, columns.grid, 2, -1).transpose(2, 0, 1, 3)
    # 2e-6: float32 sums in another order, over at most 12 steps.
    np.testing.assert_allclose(
        output[:, : rows.grid, : columns.grid], expected, atol=2e-6, err_msg=f"seed {SEED}"
    )
    np.testing.assert_array_equal(output[:, rows.out - 1], output[:, rows.grid - 1])


@pytest.mark.parametrize("cell", CELLS)
def test_renet_equals_keras_sweeps(cell):
    layer = randomized(ReNetLayer(3, (2, 4), cell), (6, 20, 2))
    x = np.random.default_rng(SEED).normal(size=(2, 6, 20, 2)).astype(np.float32)
    windows = x.reshape(2, 3, 2, 5, 4, 2).transpose(0, 1, 3, 2, 4, 5).reshape(2, 3, 5, 16)

    def both_ways(sequences, first):
        shape = sequences.shape
        flat = sequences.reshape(-1, *shape[2:])
        states = []
        for offset, arguments in ((0, {}), (3, {"go_backwards": True})):
            weights = layer.weights[first + offset : first + offset + 3]
            rnn = keras_rnn(cell, weights, return_sequences=True, **arguments)
            state = np.asarray(rnn(flat))
            states.append(state[:, ::-1] if arguments else state)
        return np.concatenate(states, -1).reshape(*shape[:3], -1)

    down = both_ways(windows.transpose(0, 2, 1, 3), 0).transpose(0, 2, 1, 3)
    expected = both_ways(np.ascontiguousarray(down), 6)
    # 2e-6: float32 sums in another order, over at most 8 steps.
    np.testing.assert_allclose(np.asarray(layer(x)), expected, atol=2e-6, err_msg=f"seed {SEED}")
    assert tuple(layer.compute_output_shape(x.shape)) == expected.shape == (2, 3, 5, 6)


def built(kind, cell):
    layer = RecurrentPoolLayer(3, 2, 4, 2, "replicate", cell)
    if kind == "renet":
        layer = ReNetLayer(3, 4, cell)
    inputs = keras.Input((8, 12, 2))
    return keras.Model(inputs, randomized(layer, (8, 12, 2))(inputs))


@pytest.mark.parametrize("form", ["keras", "h5", "config"])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("kind", ["pool", "renet"])
def test_save_and_load(tmp_path, kind, cell, form):
    model = built(kind, cell)
    x = np.random.default_rng(SEED).normal(size=(2, 8, 12, 2)).astype(np.float32)
    if form == "config":
        copy = keras.Model.from_config(model.get_config())
        copy.set_weights(model.get_weights())
    else:
        model.save(tmp_path / f"model.{form}")
        copy = keras.models.load_model(tmp_path / f"model.{form}")
    np.testing.assert_array_equal(np.asarray(copy(x)), np.asarray(model(x)))
    assert np.ptp(np.asarray(model(x))) > 0.1, f"seed {SEED}: all outputs alike"


def test_new_lstms_keep_their_state():
    layer = RecurrentPoolLayer(3, 2, 4, cell="lstm")
    layer.build((None, 8, 8, 2))
    np.testing.assert_array_equal(np.asarray(layer.weights[2]), [0] * 3 + [1] * 3 + [0] * 6)


def test_pool_takes_maps_of_unknown_size():
    inputs = keras.Input((None, None, 2))
    layer = randomized(RecurrentPoolLayer(3, 2, 4, 3, "replicate"), (None, None, 2))
    model = keras.Model(inputs, layer(inputs))
    assert tuple(model.output_shape) == (None, None, None, 8)
    for size in ((1, 9, 8, 2), (3, 10, 13, 2)):
        x = np.random.default_rng(SEED).normal(size=size).astype(np.float32)
        np.testing.assert_array_equal(np.asarray(model(x)), np.asarray(layer(x)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RecurrentPoolLayer(0, 2, 4), "`hidden1` must be a positive integer"),
        (lambda: RecurrentPoolLayer(2, 2, 4, padding="odd"), "`padding` must be one of"),
        (lambda: RecurrentPoolLayer(2, 2, 4, cell="rnn"), "`cell` must be one of 'gru', 'lstm'"),
        (lambda: RecurrentPoolLayer(2, 2, 9)(np.zeros((1, 8, 8, 2), "f4")), "must not exceed"),
        (lambda: ReNetLayer(2.5, 4), "`units` must be a positive integer"),
        (lambda: ReNetLayer(2, 0), "`window` must be a positive integer or a pair"),
        (lambda: ReNetLayer(2, 4, cell=None), "`cell` must be one of"),
        (lambda: ReNetLayer(2, 3)(np.zeros((1, 8, 9, 2), "f4")), "`window` must divide the map"),
        (lambda: ReNetLayer(2, 4).build((None, None, 8, 2)), "`window` must divide the map"),
        (lambda: ReNetLayer(2, 4)(np.zeros((1, 8, 8, 2), "i4")), "`inputs` must be floating"),
        (lambda: RecurrentPoolLayer(2, 2, 4).build((None, 8, 8, None)), "known channels"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("padding", ["valid", "same", "replicate"])
def test_empty_batches(padding):
    """As a replica may get them in the last step of an epoch."""
    pools = [
        RNNPoolLayer(2, 3, 4, 2, padding),
        RecurrentPoolLayer(2, 3, 4, 2, padding),
        ReNetLayer(6, 2),
    ]
    for layer in pools:
        full, empty = (layer(np.zeros((n, 8, 8, 3), np.float32)) for n in (1, 0))
        assert tuple(empty.shape) == (0, *full.shape[1:])

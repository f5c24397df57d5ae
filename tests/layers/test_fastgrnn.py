"""FastGRNN on its own: golden sequences, serialisation, Keras RNN behaviour."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf import FastGRNN, FastGRNNCell
from rnnpool_tf._keras import keras

VARIANTS = {
    "y_full": {},
    "y_lowrank": {"kernel_rank": 3, "recurrent_rank": 4},
    "y_quant": {"gate_activation": "quant_sigmoid", "update_activation": "quant_tanh"},
    "y_quant4": {"gate_activation": "quant_sigmoid4", "update_activation": "quant_tanh"},
}


def golden_layer(arrays, **arguments):
    layer = FastGRNN(9, return_sequences=True, **arguments)
    layer.build((None, None, 6))
    cell = layer.cell
    if cell.kernel_rank:
        cell.kernel.assign(arrays["W1"])
        cell.kernel_factor.assign(arrays["W2"])
        cell.recurrent_kernel.assign(arrays["U1"])
        cell.recurrent_kernel_factor.assign(arrays["U2"])
    else:
        cell.kernel.assign(arrays["W"])
        cell.recurrent_kernel.assign(arrays["U"])
    cell.bias_gate.assign(arrays["bg"][0])
    cell.bias_update.assign(arrays["bh"][0])
    cell.zeta.assign(arrays["zeta_raw"])
    cell.nu.assign(arrays["nu_raw"])
    return layer


@pytest.mark.parametrize("variant", VARIANTS)
def test_golden_sequence(golden, variant):
    arrays = golden("fastgrnn_cells_edgeml_torch.npz")
    layer = golden_layer(arrays, **VARIANTS[variant])
    output = np.asarray(layer(arrays["x_tbf"].transpose(1, 0, 2)))
    # 1e-6: two float32 frameworks sum in different orders.
    assert np.abs(output.transpose(1, 0, 2) - arrays[variant]).max() <= 1e-6


def test_golden_bidirectional_with_shared_weights(golden):
    arrays = golden("fastgrnn_cells_edgeml_torch.npz")
    layer = golden_layer(arrays)
    x = arrays["x_tbf"].transpose(1, 0, 2)
    # EdgeML leaves the backward states in the order in which they were computed.
    output = np.concatenate([layer(x), layer(x[:, ::-1])], -1)
    expected = arrays["y_bidir_shared"].transpose(1, 0, 2)
    assert np.abs(output - expected).max() <= 1e-6  # as above


@pytest.mark.parametrize("variant", VARIANTS)
def test_save_and_load(tmp_path, variant):
    inputs = keras.Input((7, 6))
    model = keras.Model(inputs, FastGRNN(9, **VARIANTS[variant])(inputs))
    x = np.random.default_rng(0).normal(size=(2, 7, 6)).astype(np.float32)
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        copy = keras.models.load_model(tmp_path / name)
        np.testing.assert_array_equal(copy(x), model(x))


def test_cell_inside_keras_rnn_equals_layer():
    layer = FastGRNN(5, return_sequences=True)
    x = np.random.default_rng(1).normal(size=(3, 4, 2)).astype(np.float32)
    expected = layer(x)
    wrapped = keras.layers.RNN(FastGRNNCell(5), return_sequences=True)
    wrapped(x)
    wrapped.set_weights(layer.get_weights())
    np.testing.assert_array_equal(wrapped(x), expected)


def test_go_backwards_and_return_state():
    layer = FastGRNN(5, go_backwards=True, return_state=True)
    x = np.random.default_rng(1).normal(size=(3, 4, 2)).astype(np.float32)
    output, state = layer(x)
    np.testing.assert_array_equal(output, state)
    forward = FastGRNN(5)
    forward(x)
    forward.set_weights(layer.get_weights())
    np.testing.assert_allclose(forward(x[:, ::-1]), output, rtol=0, atol=0)


def test_training_learns_the_mean():
    keras.utils.set_random_seed(1)
    x = np.random.default_rng(1).normal(size=(128, 8, 3)).astype(np.float32)
    model = keras.Sequential([keras.layers.Input((8, 3)), FastGRNN(8), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.02), "mse")
    losses = model.fit(x, x.mean((1, 2)), epochs=20, batch_size=32, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0], losses


@pytest.mark.parametrize("argument", ["units", "kernel_rank", "recurrent_rank"])
def test_bad_sizes(argument):
    with pytest.raises(ValueError, match=f"`{argument}` must be a positive integer. Received"):
        FastGRNNCell(**{"units": 4, argument: 0})

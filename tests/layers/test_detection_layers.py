"""L2Normalization and MaxOutBackground against NumPy, in both Keras modes."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnpool_tf._keras import keras
from rnnpool_tf.layers import L2Normalization, MaxOutBackground

SEED = 20240611


def random_map(channels: int, seed: int = SEED) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(2, 5, 4, channels)).astype(np.float32)


@pytest.mark.parametrize("scale", [None, 10, 0.5], ids=str)
@pytest.mark.parametrize("channels", [1, 3, 64])
def test_l2_normalization_equals_edgeml_formula(channels, scale):
    x = random_map(channels).astype(np.float64)
    expected = x / (np.sqrt((x**2).sum(-1, keepdims=True)) + 1e-10) * (scale or 1)
    received = np.asarray(L2Normalization(scale)(x.astype(np.float32)))
    np.testing.assert_allclose(received, expected, rtol=1e-6)  # float32 rounding


def test_learnt_scale_is_per_channel_and_trains():
    layer = L2Normalization(8)
    x = tf.constant(random_map(3))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x)[..., 1])
    (gradient,) = tape.gradient(loss, layer.trainable_weights)
    assert gradient[1] != 0
    assert gradient[0] == gradient[2] == 0
    plain = np.asarray(L2Normalization()(x))
    layer.set_weights([np.array([1.0, 2.0, 3.0])])
    np.testing.assert_allclose(np.asarray(layer(x)), plain * [1, 2, 3], rtol=1e-6)


def test_zeros_give_zeros_and_finite_gradients():
    x = tf.zeros((1, 2, 2, 4))
    layer = L2Normalization(10)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    np.testing.assert_array_equal(y, 0)
    assert np.isfinite(tape.gradient(y, x)).all()


def test_float16_maps_are_normalised_in_float32():
    x = random_map(16) * 1000  # squares beyond float16
    y = np.asarray(L2Normalization(dtype="float16")(x))
    assert y.dtype == np.float16
    np.testing.assert_allclose(np.linalg.norm(y.astype(np.float64), axis=-1), 1, rtol=2e-3)


@pytest.mark.parametrize("channels", [2, 4, 5])
def test_max_out_keeps_the_largest_background_and_the_object(channels):
    x = random_map(channels)
    expected = np.stack([x[..., :-1].max(-1), x[..., -1]], -1)
    np.testing.assert_array_equal(np.asarray(MaxOutBackground()(x)), expected)


@pytest.mark.parametrize("form", ["keras", "h5", "config"])
def test_save_and_load(tmp_path, form):
    inputs = keras.Input((None, None, 4))
    model = keras.Model(inputs, MaxOutBackground()(L2Normalization(5, name="l2")(inputs)))
    model.get_layer("l2").set_weights([np.arange(1.0, 5.0)])
    if form == "config":
        copy = keras.Model.from_config(model.get_config())
        copy.set_weights(model.get_weights())
    else:
        path = tmp_path / f"model.{form}"
        model.save(path)
        copy = keras.models.load_model(path)
    x = random_map(4)
    assert tuple(copy.output_shape) == (None, None, None, 2)
    np.testing.assert_array_equal(np.asarray(copy(x)), np.asarray(model(x)))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: L2Normalization(0),
            "`scale` must be a positive number or None. Received: scale=0",
        ),
        (lambda: L2Normalization("10"), "`scale` must be a positive number or None."),
        (lambda: L2Normalization()(keras.Input((4, 4, None))), "known channels. Received"),
        (lambda: MaxOutBackground()(tf.zeros((1, 4, 4, 1))), "at least two scores per pixel"),
    ],
    ids=["zero", "text", "unknown_channels", "one_score"],
)
def test_bad_arguments(build, message):
    with pytest.raises(ValueError) as error:
        build()
    assert message in str(error.value)

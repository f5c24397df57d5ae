"""QAT: what is quantised, on which grid, and that it trains."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnpool_tf import Runtime, compression, convert
from rnnpool_tf._keras import keras
from rnnpool_tf.compression.checks import unwrap
from rnnpool_tf.conversion import Graph
from rnnpool_tf.conversion.rnnpool_op import rnnpool_operators
from rnnpool_tf.datasets import normalization
from rnnpool_tf.layers import RNNPoolLayer
from tests.compression.helpers import SEED, compiled, data, small_model, train

pytestmark = pytest.mark.legacy_keras

MATRICES = ("kernel1", "recurrent_kernel1", "kernel2", "recurrent_kernel2")


@pytest.fixture(scope="module")
def float_model():
    return train(compiled(small_model()))


@pytest.fixture(scope="module")
def qat(float_model):
    return compression.quantize(float_model, calibration=data()[0])


def test_every_layer_is_quantised_and_the_float_model_is_left_alone(float_model):
    before = [w.copy() for w in float_model.get_weights()]
    qat = train(compiled(compression.quantize(float_model)))
    kinds = {layer.name: type(layer).__name__ for layer in qat.layers}
    wrapped = {n for n, k in kinds.items() if k == "QuantizeWrapperV2"}
    assert wrapped == {f"quant_{x.name}" for x in float_model.layers if x.name != "image"}
    assert sorted(set(kinds.values())) == ["InputLayer", "QuantizeLayer", "QuantizeWrapperV2"]
    assert not compression.is_quantized(float_model)
    assert compression.is_quantized(qat)
    for was, now in zip(before, float_model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)


def test_output_of_rnnpool_is_exactly_on_the_grid_of_the_operator(qat):
    probe = keras.Model(qat.inputs, qat.get_layer("quant_pool").output)
    units = probe.predict(data()[0], verbose=0) * 128
    np.testing.assert_array_equal(units, np.round(units))
    assert units.min() >= -128
    assert units.max() <= 127
    assert len(np.unique(units)) > 8, f"seed {SEED}: too few values to say anything"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-1.5, -128),
        (-1.0, -128),
        (0.0, 0),
        (1 / 256, 1),  # a half goes up, as (h + 128) >> 8 does
        (-1 / 256, 0),
        (0.999, 127),
        (1.0, 127),
    ],
    ids=str,
)
def test_output_quantizer_rounds_and_saturates_like_the_kernel(value, expected):
    from rnnpool_tf.compression.configs import RNNPoolQuantizeConfig

    quantizer = RNNPoolQuantizeConfig().output_quantizer
    assert float(quantizer(tf.constant(value), True, weights=None)) * 128 == expected


def test_the_operator_receives_fake_quantised_weights(qat):
    scales, integers = compression.weight_scales(qat)["pool"], compression.int8_weights(qat)["pool"]
    wrapper = qat.get_layer("quant_pool")
    plain = RNNPoolLayer.from_config(wrapper.layer.get_config())
    x = tf.constant(np.random.default_rng(SEED).uniform(0, 6, (2, 12, 12, 8)).astype(np.float32))
    plain.build(x.shape)
    for name in MATRICES:
        getattr(plain, name).assign(integers[name].astype(np.float32) * scales[name])
    for weight in wrapper.weights:
        name = weight.name.split("/")[-1].split(":")[0]
        if name.startswith("bias"):
            getattr(plain, name).assign(weight)
    expected = np.clip(np.floor(plain(x).numpy() * 128 + 0.5), -128, 127)
    received = wrapper(x, training=False).numpy() * 128
    # A value within float32 error of a half may round either way.
    assert np.abs(expected - received).max() <= 1
    assert np.mean(expected != received) < 1e-3


def test_weight_scales_are_those_of_the_stored_range_and_fill_int8(float_model):
    qat = compression.quantize(float_model)
    layer = float_model.get_layer("pool")
    for name in MATRICES:
        largest = np.abs(getattr(layer, name).numpy()).max()
        scale = compression.weight_scales(qat)["pool"][name]
        assert scale.dtype == np.float32
        np.testing.assert_allclose(scale, largest / 127, rtol=1e-6)  # float32 division
        assert np.abs(compression.int8_weights(qat)["pool"][name]).max() == 127


def test_matrix_of_zeros_has_a_usable_scale():
    model = small_model(sequential=True)
    model.get_layer("pool").kernel1.assign(model.get_layer("pool").kernel1 * 0)
    qat = compression.quantize(model)
    assert compression.weight_scales(qat)["pool"]["kernel1"] == np.float32(1 / 127)
    assert not compression.int8_weights(qat)["pool"]["kernel1"].any()


def test_ranges_lag_one_step_in_training_until_refreshed(float_model):
    qat = train(compiled(compression.quantize(float_model)))
    stale = compression.weight_scales(qat)["pool"]
    compression.refresh_weight_ranges(qat)
    fresh = compression.weight_scales(qat)["pool"]
    assert stale != fresh
    for name in MATRICES:
        assert np.abs(compression.int8_weights(qat)["pool"][name]).max() == 127


def test_calibration_makes_qat_agree_with_float_before_any_training(float_model, qat):
    images = data()[0]
    expected = float_model.predict(images, verbose=0)
    error = np.abs(qat.predict(images, verbose=0) - expected).max()
    rough = compression.quantize(float_model).predict(images, verbose=0)
    # Eight-bit steps of a handful of layers, against the spread of the logits.
    assert error < 0.05 * np.ptp(expected)
    assert error < 0.5 * np.abs(rough - expected).max()


@pytest.mark.parametrize("form", ["array", "dataset", "batches", "labelled"])
def test_calibration_takes_what_people_have(float_model, qat, form):
    images, labels = data()
    batches = [images]
    given = {
        "array": images,
        "dataset": tf.data.Dataset.from_tensor_slices((images, labels)).batch(32),
        "batches": batches,
        "labelled": [(images, labels)],
    }[form]
    again = compression.quantize(float_model, calibration=given)
    for expected, received in zip(qat.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(expected, received)


def test_input_range_of_all_pixels_gives_the_scale_of_the_normalisation(float_model):
    qat = compression.quantize(float_model, calibration=data()[0])
    compression.set_input_range(qat, *normalization("symmetric").limits(3))
    details = Runtime(convert(qat)).input_details[0]
    assert (details.scale, details.zero_point) == (1 / 128, 0)


def test_piecewise_linear_gates_reach_the_file():
    image = keras.Input((12, 12, 3))
    pooled = RNNPoolLayer(4, 4, 4, 2, gates="piecewise_linear", name="pool")(image)
    average = keras.layers.GlobalAveragePooling2D()(pooled)
    qat = compression.quantize(keras.Model(image, keras.layers.Dense(2)(average)))
    assert unwrap(qat.get_layer("quant_pool")).gates == "piecewise_linear"
    (pool,) = rnnpool_operators(Graph.from_bytes(convert(qat)))
    assert (pool.shape.gates, pool.quantized) == ("piecewise_linear", True)


@pytest.mark.parametrize("pool", ["max", "average"])
def test_twins_without_rnnpool_are_quantised_and_that_is_logged(pool, caplog):
    qat = compression.quantize(small_model(pool), calibration=data()[0])
    assert "has no RNNPoolLayer" in caplog.text
    assert np.isfinite(qat.predict(data()[0], verbose=0)).all()


def test_training_moves_every_matrix_and_bias():
    qat = compiled(compression.quantize(small_model(sequential=True), calibration=data()[0]))
    wrapper = qat.get_layer("quant_pool")
    before = {w.name: w.numpy().copy() for w in wrapper.trainable_weights}
    assert len(before) == 8
    train(qat)
    for weight in wrapper.trainable_weights:
        assert not np.array_equal(before[weight.name], weight.numpy()), weight.name


def test_frozen_batch_norm_keeps_its_statistics_from_the_given_epoch_on():
    model = small_model(sequential=True)
    qat = compiled(compression.quantize(model, calibration=data()[0]))
    seen = []
    moving_mean = next(w for w in qat.get_layer("quant_stem_bn").weights if "moving_mean" in w.name)
    record = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append(moving_mean.numpy().copy())
    )
    train(qat, 3, [compression.FreezeBatchNorm(epoch=1), record])
    assert not np.array_equal(seen[0], model.get_layer("stem_bn").moving_mean.numpy())
    np.testing.assert_array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(seen[0], seen[2])


def test_visual_wake_words_network_trains_quantised():
    from rnnpool_tf.models import visual_wake_words

    model = visual_wake_words((64, 64, 3))
    images = np.random.default_rng(SEED).normal(size=(4, 64, 64, 3)).astype(np.float32)
    qat = compression.quantize(model)
    assert {type(x).__name__ for x in qat.layers[2:]} == {"QuantizeWrapperV2"}
    before = {w.name: w.numpy() for w in qat.trainable_weights}
    # Eagerly, because one step costs less than tracing it.
    qat.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True), run_eagerly=True)
    assert np.isfinite(qat.train_on_batch(images, np.array([0, 1, 0, 1])))
    moved = [w for w in qat.trainable_weights if not np.array_equal(before[w.name], w.numpy())]
    assert len(before) == len(model.trainable_weights)
    assert len(moved) == len(before)
    assert list(compression.weight_scales(qat)) == ["pool"]

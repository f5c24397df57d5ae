"""RNNPoolLayer: golden data, a plain NumPy reference, and everything a Keras layer must do."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tensorflow as tf

from rnnpool_tf import RNNPoolLayer
from rnnpool_tf._keras import is_legacy_keras, keras
from tests.layers.reference import rnnpool_reference

WEIGHTS = ("kernel", "recurrent_kernel", "bias_gate", "bias_update")
# (pool_size, strides, padding, map size): square and rectangular, overlapping and not.
CASES = {
    "overlap": ((6, 6), (4, 4), "valid", (14, 18)),
    "replicate": ((6, 6), (4, 4), "replicate", (16, 20)),
    "same_odd": ((5, 3), (2, 3), "same", (9, 11)),
    "same_patch_larger_than_map": ((7, 7), (4, 4), "same", (5, 3)),
    "rectangular": ((3, 7), (2, 5), "replicate", (11, 23)),
    "gaps": ((2, 3), (4, 5), "valid", (13, 17)),
    "whole_map": ((7, 5), (7, 5), "valid", (7, 5)),
    "one_pixel": ((1, 1), (1, 1), "valid", (4, 3)),
    "many_repeats": ((8, 8), (2, 3), "replicate", (12, 12)),
}


def random_layer(rng, channels, geometry, hidden=(5, 4), **arguments):
    pool_size, strides, padding = geometry
    layer = RNNPoolLayer(*hidden, pool_size, strides, padding, **arguments)
    layer.build((None, None, None, channels))
    for weight in layer.weights:
        if tuple(weight.shape) != (2, 2) or not arguments.get("trainable_zeta_nu"):
            weight.assign(rng.normal(0, 0.5, weight.shape).astype(np.float32))
    return layer


def cells(layer):
    """The two cells as dictionaries of float64 arrays for the reference."""
    result = []
    for index in (1, 2):
        cell = {name: np.asarray(getattr(layer, f"{name}{index}"), np.float64) for name in WEIGHTS}
        cell["gates"] = layer.gates
        if layer.trainable_zeta_nu:
            logits = np.asarray(layer.zeta_nu, np.float64)[index - 1]
            cell["zeta"], cell["nu"] = 1 / (1 + np.exp(-logits))
        result.append(cell)
    return result


def load_golden(layer, arrays, transpose):
    for index in (1, 2):
        for name, key in zip(WEIGHTS, ("W", "U", "bg", "bh"), strict=True):
            value = arrays[f"rnn{index}_{key}"]
            getattr(layer, f"{name}{index}").assign(value.T if transpose else value)


def test_golden_trained_patch(golden):
    arrays = golden("vww_rnnpool_float.npz")
    layer = RNNPoolLayer(8, 8, 6, trainable_zeta_nu=True)
    layer.build((None, 6, 6, 8))
    load_golden(layer, arrays, transpose=True)
    scalars = np.array([[arrays[f"rnn{i}_{n}_sigmoid"] for n in ("zeta", "nu")] for i in (1, 2)])
    layer.zeta_nu.assign(np.log(scalars.astype(np.float64) / (1 - scalars.astype(np.float64))))
    output = np.asarray(layer(arrays["patch"][np.newaxis])).ravel()
    # 3e-7 is the golden data's own bound: a few units in the last place of float32.
    assert np.abs(output - arrays["expected"]).max() <= 3e-7


@pytest.mark.parametrize(("padding", "key"), [("valid", "y_nchw"), ("replicate", "y_padded_nchw")])
def test_golden_layer(golden, padding, key):
    arrays = golden("rnnpool_layer_edgeml_torch.npz")
    layer = RNNPoolLayer(5, 7, 6, 4, padding, trainable_zeta_nu=True)
    layer.build((None, 21, 27, 3))
    load_golden(layer, arrays, transpose=False)
    layer.zeta_nu.assign([[arrays[f"rnn{i}_{n}_raw"] for n in ("zeta", "nu")] for i in (1, 2)])
    output = np.asarray(layer(arrays["x_nchw"].transpose(0, 2, 3, 1)))
    # 1e-6: two float32 frameworks sum in different orders.
    assert np.abs(output - arrays[key].transpose(0, 2, 3, 1)).max() <= 1e-6


@pytest.mark.parametrize("gates", ["smooth", "piecewise_linear"])
@pytest.mark.parametrize("zeta_nu", [False, True], ids=["constant", "zeta_nu"])
@pytest.mark.parametrize("case", CASES)
def test_equals_patch_by_patch_reference(case, zeta_nu, gates):
    *geometry, size = CASES[case]
    seed = 7
    rng = np.random.default_rng(seed)
    layer = random_layer(rng, 3, geometry, trainable_zeta_nu=zeta_nu, gates=gates)
    if zeta_nu:
        layer.zeta_nu.assign(rng.normal(0, 1, (2, 2)))
    x = rng.normal(0, 1, (2, *size, 3)).astype(np.float32)
    expected = rnnpool_reference(x, *cells(layer), layer.geometry)
    output = np.asarray(layer(x))
    assert output.shape == expected.shape == layer.compute_output_shape(x.shape)
    # 2e-6: float32 against float64 over at most 16 recurrent steps. With ζ + ν > 1 states leave
    # [−1, 1], and straight lines pass on their roundings where tanh would flatten: up to 3 here.
    tolerance = 2e-6 * np.maximum(1, np.abs(expected).max())
    assert np.abs(output - expected).max() <= tolerance, f"seed {seed}"


def test_random_shapes_equal_reference():
    for seed in range(25):
        rng = np.random.default_rng(seed)
        pool, strides = rng.integers(1, 7, 2), rng.integers(1, 6, 2)
        size = pool + rng.integers(0, 10, 2)
        padding = str(rng.choice(["valid", "same", "replicate"]))
        geometry = (tuple(map(int, pool)), tuple(map(int, strides)), padding)
        channels = int(rng.integers(1, 5))
        layer = random_layer(rng, channels, geometry, tuple(map(int, rng.integers(1, 9, 2))))
        x = rng.normal(0, 1, (int(rng.integers(1, 4)), *size, channels)).astype(np.float32)
        expected = rnnpool_reference(x, *cells(layer), layer.geometry)
        # 2e-6: float32 against float64 over at most 12 recurrent steps.
        assert np.abs(np.asarray(layer(x)) - expected).max() <= 2e-6, f"seed {seed}: {geometry}"


@pytest.mark.parametrize("padding", ["valid", "same", "replicate"])
def test_unknown_batch_and_size(padding):
    rng = np.random.default_rng(3)
    layer = random_layer(rng, 2, ((5, 4), (3, 2), padding))
    inputs = keras.Input((None, None, 2))
    model = keras.Model(inputs, layer(inputs))
    assert tuple(model.output_shape) == (None, None, None, 16)
    for size in ((1, 9, 8, 2), (3, 17, 13, 2)):
        x = rng.normal(size=size).astype(np.float32)
        np.testing.assert_array_equal(model(x), layer(x))


@pytest.mark.parametrize("gates", ["smooth", "piecewise_linear"])
def test_gradients_equal_finite_differences(gates):
    seed = 5
    rng = np.random.default_rng(seed)
    keras.backend.set_floatx("float64")
    try:
        arguments = {"dtype": "float64", "gates": gates}
        layer = random_layer(rng, 2, ((3, 4), (2, 2), "replicate"), (3, 2), **arguments)
        x = tf.constant(rng.normal(size=(1, 6, 8, 2)))
        mix = tf.constant(rng.normal(size=layer.compute_output_shape(x.shape)))
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x) * mix)
        gradients = tape.gradient(
            loss, [w.value if hasattr(w, "path") else w for w in layer.weights]
        )
        for weight, gradient in zip(layer.weights, gradients, strict=True):
            value, step = np.asarray(weight).copy(), 1e-6
            index = tuple(rng.integers(0, value.shape))
            losses = []
            for sign in (1, -1):
                shifted = value.copy()
                shifted[index] += sign * step
                weight.assign(shifted)
                losses.append(float(tf.reduce_sum(layer(x) * mix)))
            weight.assign(value)
            numeric = (losses[0] - losses[1]) / (2 * step)
            # Central differences in float64 are good to about 1e-9 of a loss of order 10.
            assert abs(numeric - np.asarray(gradient)[index]) < 1e-7, f"seed {seed}: {weight.name}"
    finally:
        keras.backend.set_floatx("float32")


def test_training_reduces_the_loss():
    keras.utils.set_random_seed(1)
    rng = np.random.default_rng(1)
    model = keras.Sequential(
        [keras.layers.Input((12, 12, 2)), RNNPoolLayer(4, 4, 6, 3), keras.layers.Flatten()]
    )
    model.add(keras.layers.Dense(1))
    model.compile("adam", "mse")
    x = rng.normal(size=(64, 12, 12, 2)).astype(np.float32)
    y = x.mean((1, 2, 3), keepdims=False)[:, np.newaxis] * 5
    losses = model.fit(x, y, epochs=15, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.5 * losses[0], losses


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_dtype_policies(policy):
    layer = RNNPoolLayer(4, 4, 5, 3, dtype=policy)
    x = tf.cast(tf.random.stateless_normal((2, 11, 11, 3), (1, 2)), layer.compute_dtype)
    output = layer(x)
    assert output.dtype == layer.compute_dtype
    expected = rnnpool_reference(np.asarray(x, np.float64), *cells(layer), layer.geometry)
    # bfloat16 has 8 significant bits, float16 has 11; ten steps each lose about one unit.
    tolerance = {"mixed_bfloat16": 0.05, "mixed_float16": 0.01, "float64": 1e-12}[policy]
    assert np.abs(np.asarray(output, np.float64) - expected).max() < tolerance


@pytest.mark.parametrize("zeta_nu", [False, True], ids=["constant", "zeta_nu"])
@pytest.mark.parametrize("gates", ["smooth", "piecewise_linear"])
@pytest.mark.parametrize("form", ["keras", "h5", "saved_model", "weights", "config"])
def test_save_and_load(tmp_path, form, gates, zeta_nu):
    rng = np.random.default_rng(2)
    arguments = {"trainable_zeta_nu": zeta_nu, "gates": gates}
    layer = random_layer(rng, 3, ((4, 5), (2, 3), "replicate"), **arguments)
    inputs = keras.Input((12, 13, 3))
    model = keras.Model(inputs, layer(inputs))
    x = rng.normal(size=(2, 12, 13, 3)).astype(np.float32)
    expected = np.asarray(model(x))
    if form == "saved_model":
        path = str(tmp_path / "model")
        tf.saved_model.save(model, path)
        output = tf.saved_model.load(path).signatures["serving_default"](tf.constant(x))
        (output,) = output.values()
    elif form in ("keras", "h5"):
        path = tmp_path / f"model.{form}"
        model.save(path)
        output = keras.models.load_model(path)(x)
    else:
        copy = keras.Model.from_config(model.get_config())
        if form == "weights":
            path = str(tmp_path / "model.weights.h5")
            model.save_weights(path)
            copy.load_weights(path)
        else:
            copy.set_weights(model.get_weights())
        output = copy(x)
    np.testing.assert_array_equal(np.asarray(output), expected)


def test_jit_compiled_equals_graph():
    rng = np.random.default_rng(4)
    layer = random_layer(rng, 3, ((6, 6), (4, 4), "replicate"))
    x = rng.normal(size=(2, 16, 16, 3)).astype(np.float32)
    compiled = tf.function(layer, jit_compile=True)(x)
    # 1e-6: XLA fuses and reorders float32 operations.
    np.testing.assert_allclose(compiled, layer(x), atol=1e-6)


def test_initial_kernels_differ():
    layer = RNNPoolLayer(8, 8, 6)
    layer.build((None, 12, 12, 8))
    kernels = [np.asarray(getattr(layer, f"{n}{i}")) for n in WEIGHTS[:2] for i in (1, 2)]
    assert all(np.abs(a - b).max() > 0 for a, b in itertools.pairwise(kernels))


def test_variable_names_equal_attribute_names():
    layer = RNNPoolLayer(4, 4, 3, trainable_zeta_nu=True)
    layer.build((None, 9, 9, 2))
    names = [weight.name.split("/")[-1].split(":")[0] for weight in layer.weights]
    assert all(getattr(layer, name) is w for name, w in zip(names, layer.weights, strict=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden1": 0}, "`hidden1` must be a positive integer. Received: hidden1=0"),
        ({"hidden2": 2.5}, "`hidden2` must be a positive integer. Received: hidden2=2.5"),
        ({"pool_size": 0}, "`pool_size` must be a positive integer or a pair"),
        ({"pool_size": (3, 4, 5)}, "`pool_size` must be a positive integer or a pair"),
        ({"strides": 0}, "`strides` must be a positive integer or a pair of them. Received: str"),
        ({"strides": (2, -1)}, "`strides` must be a positive integer or a pair"),
        ({"padding": "reflect"}, "`padding` must be one of 'valid', 'same', 'replicate'"),
        ({"padding": None}, "`padding` must be one of"),
        (
            {"gates": "linear"},
            "`gates` must be one of 'smooth', 'piecewise_linear'. Received: gate",
        ),
        ({"gates": None}, "`gates` must be one of"),
        ({"data_format": "channels_first"}, "`data_format` must be 'channels_last'"),
    ],
    ids=lambda value: "-".join(map(str, value.items())) if isinstance(value, dict) else "",
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError) as error:
        RNNPoolLayer(**{"hidden1": 4, "hidden2": 4, "pool_size": 3, **arguments})
    assert message in str(error.value)


@pytest.mark.parametrize("padding", ["valid", "replicate"])
def test_patch_larger_than_map(padding):
    layer = RNNPoolLayer(4, 4, (3, 9), padding=padding)
    with pytest.raises(ValueError, match="`pool_size` must not exceed the map"):
        layer(np.zeros((1, 8, 8, 2), np.float32))


def test_wrong_rank_and_unknown_channels():
    with pytest.raises(ValueError):
        RNNPoolLayer(4, 4, 3)(np.zeros((8, 8, 2), np.float32))
    with pytest.raises(ValueError, match="known channels"):
        RNNPoolLayer(4, 4, 3).build((None, 8, 8, None))


@pytest.mark.parametrize("dtype", ["int32", "uint8", "complex64"])
def test_input_must_be_floating_point(dtype):
    with pytest.raises(ValueError, match=f"`inputs` must be floating point.*dtype={dtype}"):
        RNNPoolLayer(4, 4, 3)(np.zeros((1, 8, 8, 2), dtype))


def test_mode_is_the_one_asked_for():
    assert keras.Model.__module__.split(".")[0] == ("tf_keras" if is_legacy_keras() else "keras")

"""Float conversion: every kind of model and file, and results equal to Keras."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf import RNNPoolLayer, Runtime, convert
from rnnpool_tf._keras import keras
from rnnpool_tf.conversion import Graph, rnnpool_operators
from rnnpool_tf.conversion.rnnpool_op import CONSTANTS, read_options
from rnnpool_tf.geometry import PADDINGS
from tests.conversion.helpers import (
    SEED,
    image,
    images,
    layers,
    names,
    one_pool,
    pool,
    randomized,
)

# The operator and Keras add the same float32 products in another order: measured 2e-7 on states
# in [-1, 1]; the layers around it add as much, relative to their largest output.
TOLERANCE = 1e-6


def assert_equal_to_keras(runtime, model):
    x = images()
    expected = model(x, training=False).numpy()
    difference = np.abs(runtime.predict(x) - expected).max()
    assert difference <= TOLERANCE * max(1, np.abs(expected).max()), f"seed {SEED}"


def sequential():
    return keras.Sequential([image(), pool(), layers.Flatten(), layers.Dense(3)])


def two_layers():
    x = image()
    return keras.Model(x, RNNPoolLayer(4, 3, 2, padding="replicate")(pool(padding="same")(x)))


def layer_used_twice():
    x = image()
    shared = pool()
    return keras.Model(x, layers.Add()([shared(x), shared(layers.ReLU()(x))]))


def nested():
    x = image()
    return keras.Model(x, layers.Dense(2)(one_pool()(x)))


def subclassed():
    class Subclassed(keras.Model):
        def __init__(self):
            super().__init__()
            self.pool = pool()
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(self.pool(x))

    model = Subclassed()
    model(images(1))
    return model


def without_rnnpool():
    return keras.Sequential([image(), layers.Flatten(), layers.Dense(2)])


MODELS = {
    "sequential": (sequential, 1),
    "without_rnnpool": (without_rnnpool, 0),
    "two_layers": (two_layers, 2),
    "layer_used_twice": (layer_used_twice, 2),
    "nested": (nested, 1),
    "subclassed": (subclassed, 1),
    "zeta_nu": (lambda: one_pool(trainable_zeta_nu=True), 1),
    "piecewise_linear": (lambda: one_pool(gates="piecewise_linear"), 1),
    "piecewise_linear_zeta_nu": (
        lambda: one_pool(gates="piecewise_linear", trainable_zeta_nu=True),
        1,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_one_operator_per_call_and_keras_results(name):
    build, calls = MODELS[name]
    model = randomized(build())
    data = convert(model)
    assert names(data).count("RNNPool") == calls
    assert len(names(data)) < 12, f"expanded: {names(data)}"
    assert_equal_to_keras(Runtime(data), model)


def test_options_and_weights_arrive():
    x = image()
    pools = [pool(f"pool_{name}", name) for name in PADDINGS]
    joined = layers.Concatenate()([layers.GlobalAveragePooling2D()(layer(x)) for layer in pools])
    model = randomized(keras.Model(x, joined))
    before = [weight.numpy() for weight in model.weights]
    graph = Graph.from_bytes(convert(model))

    found = {operator.shape.geometry: operator for operator in rnnpool_operators(graph)}
    assert len(found) == len(pools)
    for layer in pools:
        operator = found[layer.geometry]
        assert operator.layer.startswith(layer.name) and not operator.quantized
        sizes = (operator.shape.channels, operator.shape.hidden1, operator.shape.hidden2)
        assert sizes == (3, layer.hidden1, layer.hidden2)
        for index, attribute in enumerate(CONSTANTS[:8], start=1):
            expected = getattr(layer, attribute).numpy().T  # row per unit
            np.testing.assert_array_equal(graph.constant(operator.operator.inputs[index]), expected)
    for weight, old in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), old, err_msg="the model was changed")


@pytest.mark.parametrize(
    "gates, more",
    [
        ("smooth", {"version": 1}),
        ("piecewise_linear", {"version": 2, "gates": "piecewise_linear"}),
    ],
)
def test_options_are_these_and_no_others(gates, more):
    """Smooth layers are written as before there were others, so that old readers take them."""
    (found,) = rnnpool_operators(Graph.from_bytes(convert(one_pool(gates=gates))))
    names_ = ("pool_height", "pool_width", "stride_height", "stride_width")
    geometry = dict(zip(names_, (4, 3, 3, 2), strict=True)) | {"padding": "valid"}
    assert read_options(found.operator) == geometry | more
    assert found.shape.gates == gates


@pytest.mark.parametrize("gates", ["smooth", "piecewise_linear"])
@pytest.mark.parametrize("kind", ["keras", "h5", "saved_model"])
def test_files(kind, tmp_path, gates):
    model = one_pool(gates=gates)
    path = tmp_path / {"keras": "m.keras", "h5": "m.h5", "saved_model": "folder"}[kind]
    model.export(path) if kind == "saved_model" else model.save(path)
    output = tmp_path / "model.tflite"
    data = convert(str(path), output)
    assert output.read_bytes() == data == convert(model)
    assert names(data).count("RNNPool") == 1
    assert_equal_to_keras(Runtime(output), model)


def test_open_batch_size():
    model = one_pool()
    runtime = Runtime(convert(model, batch_size=None))
    assert runtime.input_details[0].batch is None
    assert_equal_to_keras(runtime, model)


def test_several_inputs_keep_their_names():
    first, second = image(), keras.Input((2,), name="side")
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(pool()(first)), second])
    graph = Graph.from_bytes(convert(keras.Model([first, second], layers.Dense(2)(x))))
    (signature,) = graph.model.signatureDefs
    assert sorted(entry.name.decode() for entry in signature.inputs) == ["image", "side"]
    for entry in signature.inputs:
        expected = (1, 2) if entry.name == b"side" else (1, *first.shape[1:])
        assert graph.shape(entry.tensorIndex) == expected


def test_mixed_precision_is_refused():
    x = image()
    with pytest.raises(ValueError, match=r"must compute in float32.*computes in float16"):
        convert(keras.Model(x, pool(dtype="mixed_float16")(x)))

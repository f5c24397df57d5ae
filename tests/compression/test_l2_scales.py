"""Detectors in int8: the scale of L2Normalization moves into the heads, the rest is builtin."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf import Runtime, compression, convert
from rnnpool_tf._keras import keras
from rnnpool_tf.compression.l2_scales import fold_l2_scales
from rnnpool_tf.conversion import Graph
from rnnpool_tf.conversion.operator_order import reorder
from rnnpool_tf.layers import L2Normalization
from rnnpool_tf.models import face_m4

pytestmark = pytest.mark.legacy_keras

SEED = 20240613
SIZE = (48, 64, 1)
layers = keras.layers


def images(count: int = 8) -> np.ndarray:
    """Grey − 117.31, as the detectors take them."""
    return np.random.default_rng(SEED).uniform(-117, 138, (count, *SIZE)).astype(np.float32)


@pytest.fixture(scope="module")
def float_model():
    keras.utils.set_random_seed(SEED)
    model = face_m4(SIZE, outputs="levels")
    for index in range(3):  # scales as training leaves them: all different
        layer = model.get_layer(f"l2_{index}")
        (start,) = layer.get_weights()
        layer.set_weights([np.random.default_rng(SEED).uniform(0.5, 1.5, start.shape) * start])
    return model


@pytest.fixture(scope="module")
def qat(float_model):
    return compression.quantize(float_model, calibration=images())


@pytest.fixture(scope="module")
def data(qat):
    return convert(qat, fuse="none")


def test_folding_changes_no_output(float_model):
    folded = fold_l2_scales(float_model)
    assert folded.get_layer("l2_0").scale is None
    assert float_model.get_layer("l2_0").scale is not None
    assert len(float_model.weights) - len(folded.weights) == 3
    x = images(2)
    for ours, expected in zip(folded(x), float_model(x), strict=True):
        # Products of three float32 factors, rounded in another order and summed up.
        np.testing.assert_allclose(ours, expected, atol=2e-5 * np.abs(expected).max())


@pytest.mark.parametrize("head", ["conv", "depthwise", "dense"])
def test_every_kind_of_reader_takes_the_scale(head):
    keras.utils.set_random_seed(SEED)
    x = layers.Input((6, 6, 4))
    y = L2Normalization(3, name="l2")(x)
    y = {
        "conv": layers.Conv2D(3, 3, padding="same"),
        "depthwise": layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
        "dense": layers.Dense(3),
    }[head](y)
    model = keras.Model(x, y)
    model.get_layer("l2").set_weights([np.array([1.0, 2.0, 3.0, 4.0])])
    z = np.random.default_rng(SEED).normal(size=(2, 6, 6, 4)).astype(np.float32)
    np.testing.assert_allclose(fold_l2_scales(model)(z), model(z), atol=1e-5)  # float32 sums


def test_model_without_scales_is_not_copied():
    x = layers.Input((6, 6, 4))
    model = keras.Model(x, layers.ReLU()(L2Normalization()(x)))
    assert fold_l2_scales(model) is model


@pytest.mark.parametrize("reader", ["add", "shared", "output", "groups"])
def test_unfit_reader_is_named(reader):
    x = layers.Input((6, 6, 4))
    y = L2Normalization(3, name="l2")(x)
    conv = layers.Conv2D(4, 1, groups=2 if reader == "groups" else 1, name="head")
    outputs = {
        "add": lambda: layers.Add(name="sum")([x, y]),
        "shared": lambda: layers.Add()([conv(x), conv(y)]),
        "output": lambda: y,
        "groups": lambda: conv(y),
    }[reader]()
    named = {"add": "'sum' (Add)", "output": "the model's output"}.get(reader, "'head' (Conv2D)")
    with pytest.raises(ValueError) as error:
        compression.quantize(keras.Model(x, outputs))
    assert "Received: 'l2' of the model" in str(error.value)
    assert named in str(error.value)


def test_face_m4_becomes_all_int8_with_the_maps_in_order(data, float_model):
    graph = Graph.from_bytes(data)
    names = [graph.name_of(operator) for operator in graph.operators]
    assert names.count("RNNPool") == 1
    assert names.count("L2_NORMALIZATION") == 3
    assert not {"MUL", "QUANTIZE", "DEQUANTIZE"} & set(names)
    computed = {int(index) for operator in graph.operators for index in operator.outputs}
    assert {str(graph.dtype(index)) for index in computed} == {"int8"}
    shapes = [graph.shape(index) for index in graph.outputs]
    assert shapes == [(1, *shape[1:]) for shape in float_model.output_shape]


def test_heads_do_not_wait_for_the_backbone(data):
    graph = Graph.from_bytes(data)
    names = [graph.name_of(operator) for operator in graph.operators]
    last_block = max(i for i, name in enumerate(names) if name == "ADD")
    assert names.index("L2_NORMALIZATION") < last_block
    assert not reorder(graph).moved


def test_engines_agree_with_the_trained_network(qat, data):
    x = images(4)
    expected = qat.predict(x, verbose=0)
    runtime = Runtime(data, engine="tflm")
    reference = Runtime(data, reference_kernels=True).predict_quantized(x)
    quantized = runtime.predict_quantized(x)
    for index, (ours, theirs) in enumerate(zip(quantized, reference, strict=True)):
        np.testing.assert_array_equal(ours, theirs, err_msg=f"output {index}, seed {SEED}")
    for output, value, details in zip(
        expected, runtime.predict(x), runtime.output_details, strict=True
    ):
        steps = np.abs(output - value) / details.scale
        # Up to 20 layers rounded to 8 bits: steps add up, but not to 5 % of int8's range.
        assert steps.max() <= 12, details.name
        assert steps.mean() <= 2, details.name


def test_qat_model_of_the_detector_trains_and_reloads(tmp_path, float_model):
    qat = compression.quantize(float_model, calibration=images())
    qat.compile("sgd", "mse", run_eagerly=True)
    x = images(2)
    targets = [np.zeros((2, *shape[1:]), np.float32) for shape in qat.output_shape]
    before = qat.get_layer("quant_loc0").weights[0].numpy()
    assert np.isfinite(qat.train_on_batch(x, targets)).all()
    assert not np.array_equal(before, qat.get_layer("quant_loc0").weights[0].numpy())
    loaded = compression.load(compression.save(qat, tmp_path / "face.h5"), compile=False)
    for ours, expected in zip(loaded(x), qat(x), strict=True):
        np.testing.assert_array_equal(ours, expected)

"""The Visual Wake Words network against EdgeML's, and its twins."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf._keras import keras
from rnnpool_tf.models import load_edgeml_state_dict, visual_wake_words

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


@pytest.fixture(scope="module")
def arrays(golden):
    return golden("vww_fullmodel_randomweights.npz")


@pytest.fixture(scope="module")
def state_dict(arrays):
    return {name.removeprefix("sd/"): a for name, a in arrays.items() if name.startswith("sd/")}


@pytest.fixture(scope="module")
def edgeml_model(state_dict):
    model = visual_wake_words(padding="pytorch", trainable_zeta_nu=True)
    load_edgeml_state_dict(model, state_dict)
    return model


def test_golden_network(arrays, edgeml_model):
    x = (arrays["image_u8_hwc"].astype(np.float32) / 255 - MEAN) / STD
    names = ("stem_relu", "pool", "last_relu", "logits")
    outputs = [edgeml_model.get_layer(name).output for name in names]
    results = keras.Model(edgeml_model.input, outputs)(x[np.newaxis])
    stem, pool, features, logits = (np.asarray(result)[0] for result in results)
    # 1e-5: float32 sums in another order through 14 blocks; activations reach 6.
    assert np.abs(stem[..., 0] - arrays["stem_slice_c0"]).max() <= 1e-5
    assert np.abs(pool.transpose(2, 0, 1) - arrays["rnnpool_padded_chw"]).max() <= 1e-5
    assert np.abs(features.transpose(2, 0, 1) - arrays["features_chw"]).max() <= 1e-5
    assert np.abs(logits - arrays["logits"]).max() <= 1e-5


def test_prefixed_and_nested_state_dict(state_dict, edgeml_model):
    model = visual_wake_words(padding="pytorch", trainable_zeta_nu=True)
    nested = {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in state_dict.items()}}
    load_edgeml_state_dict(model, nested)
    for a, b in zip(model.get_weights(), edgeml_model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_constant_zeta_nu_loads_and_differs_little(arrays, state_dict):
    model = visual_wake_words(padding="pytorch")
    load_edgeml_state_dict(model, state_dict)
    x = (arrays["image_u8_hwc"].astype(np.float32) / 255 - MEAN) / STD
    logits = np.asarray(model(x[np.newaxis]))[0]
    # ζ = 1 − 2.3e-6 and ν = 2.3e-6 in the golden file, over 12 recurrent steps.
    assert np.abs(logits - arrays["logits"]).max() <= 1e-4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda sd: sd.pop("features.3.conv.2.weight"), "must hold the parameter 'features.3"),
        (lambda sd: sd.update(extra=np.zeros(3)), "parameters of this network only. Received"),
        (lambda sd: sd.update({"classifier.1.bias": np.zeros(5)}), "must fit the network"),
        (
            lambda sd: sd.update({"rnn_model.cell_rnn.cell.zeta": np.array([[2.0]])}),
            "trainable_zeta_nu=True",
        ),
    ],
    ids=["missing", "left_over", "shape", "zeta"],
)
def test_bad_state_dict_changes_nothing(state_dict, change, message):
    model = visual_wake_words(padding="pytorch")
    before = model.get_weights()
    broken = dict(state_dict)
    change(broken)
    with pytest.raises(ValueError) as error:
        load_edgeml_state_dict(model, broken)
    assert message in str(error.value)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "rgb"])
@pytest.mark.parametrize("size", [96, 128, 160, 192, 224])
def test_input_sizes(size, channels):
    model = visual_wake_words((size, size, channels))
    assert tuple(model.get_layer("pool").output.shape) == (None, size // 8, size // 8, 32)
    assert tuple(model.output_shape) == (None, 2)


@pytest.mark.parametrize("pooling", ["strided_conv", "max", "average"])
def test_twins_differ_in_the_pooling_only(pooling):
    ours, twin = visual_wake_words((96, 96, 3)), visual_wake_words((96, 96, 3), pooling=pooling)
    kinds = [[type(layer).__name__ for layer in model.layers] for model in (ours, twin)]
    assert kinds[0][:4] == kinds[1][:4] and kinds[0][5:] == kinds[1][-len(kinds[0][5:]) :]
    first = "block1_expand"
    assert ours.get_layer(first).input.shape == twin.get_layer(first).input.shape


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pooling": "median"}, "`pooling` must be one of"),
        ({"padding": "valid"}, "`padding` must be one of 'same', 'pytorch'"),
        ({"input_shape": (96, 96)}, "`input_shape` must be"),
        ({"input_shape": (8, 8, 3)}, "`pool_size` must not exceed the map"),
    ],
    ids=["pooling", "padding", "rank", "too_small"],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError) as error:
        visual_wake_words(**arguments)
    assert message in str(error.value)

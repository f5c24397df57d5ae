"""The face detectors: sizes, counts, and the two forms of their outputs."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rnnpool_tf._keras import keras
from rnnpool_tf.analysis import count
from rnnpool_tf.models import detection_levels, face_m4, face_qvga, join_levels, mobilenet_v2

SEED = 20240612
BUILDERS = {"face_m4": face_m4, "face_qvga": face_qvga}
GOLDEN = {"face_m4": "face_m4_320x240", "face_qvga": "face2_qvga_mono_320x240"}


@pytest.mark.parametrize("outputs", ["anchors", "levels"])
@pytest.mark.parametrize("name", BUILDERS)
def test_golden_counts(shared_dir, name, outputs):
    golden = json.loads((shared_dir / "golden" / "counts.json").read_text())[GOLDEN[name]]
    counted = count(BUILDERS[name](outputs=outputs))
    assert counted.weights == golden["weights"]
    assert counted.batch_norm == golden["bn"]
    assert counted.bias == golden["bias"]
    assert counted.madds == golden["madds"]
    assert counted.params == golden["params"]


@pytest.mark.parametrize("name", BUILDERS)
def test_parameters_equal_keras(name):
    model = BUILDERS[name]((64, 64, 1), trainable_zeta_nu=True)
    assert count(model).params == sum(int(np.prod(w.shape)) for w in model.trainable_weights)


@pytest.mark.parametrize("padding", ["same", "pytorch"])
@pytest.mark.parametrize(("height", "width"), [(240, 320), (320, 320), (96, 128)])
def test_levels_have_strides_8_8_16_16(height, width, padding):
    model = face_m4((height, width, 1), outputs="levels", padding=padding)
    shapes = [tuple(shape[1:]) for shape in model.output_shape]
    expected = []
    for stride in (8, 8, 16, 16):
        size = (height // stride, width // stride)
        expected += [(*size, 4), (*size, 2)]
    assert shapes == expected


@pytest.mark.parametrize("name", BUILDERS)
def test_anchors_are_the_levels_row_by_row(name):
    keras.utils.set_random_seed(SEED)
    joined = BUILDERS[name]((48, 64, 1))
    levels = detection_levels(joined)
    x = np.random.default_rng(SEED).normal(size=(2, 48, 64, 1)).astype(np.float32)
    loc, conf = (np.asarray(y) for y in joined(x))
    maps = [np.asarray(y) for y in levels(x)]
    rows = [y.reshape(2, -1, y.shape[-1]) for y in maps]
    np.testing.assert_array_equal(loc, np.concatenate(rows[0::2], 1))
    np.testing.assert_array_equal(conf, np.concatenate(rows[1::2], 1))
    assert loc.shape == (2, 2 * (6 * 8 + 3 * 4), 4)


def test_levels_of_either_form_are_those_of_the_builder():
    built = face_m4((48, 64, 1), outputs="levels")
    for model in (built, face_m4((48, 64, 1))):
        levels = detection_levels(model)
        assert levels.output_shape == built.output_shape
        assert {x.name for x in levels.layers} == {x.name for x in built.layers}
    with pytest.raises(ValueError, match="Received: 'mobilenet_v2' without the layer 'loc0'"):
        detection_levels(mobilenet_v2((32, 32, 1)))


def test_joining_levels_undoes_taking_them_apart():
    joined = face_m4((48, 64, 1))
    again = join_levels(detection_levels(joined))
    x = np.random.default_rng(SEED).normal(size=(1, 48, 64, 1)).astype(np.float32)
    for ours, expected in zip(again(x), joined(x), strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(expected))
    with pytest.raises(ValueError, match=r"must give two maps .* for each level"):
        join_levels(joined)


def test_any_image_size_with_one_model():
    model = face_m4((None, None, 1))
    keras.utils.set_random_seed(SEED)
    fixed = face_m4((64, 96, 1))
    fixed.set_weights(model.get_weights())
    x = np.random.default_rng(SEED).normal(size=(1, 64, 96, 1)).astype(np.float32)
    for ours, expected in zip(model(x), fixed(x), strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(expected))


def test_first_three_levels_are_normalised_and_level_0_keeps_the_best_background():
    model = face_m4((48, 64, 1), outputs="levels")
    for index, (start, channels) in enumerate(((10, 32), (8, 32), (5, 64))):
        layer = model.get_layer(f"l2_{index}")
        np.testing.assert_array_equal(layer.get_weights()[0], np.full(channels, start))
        assert model.get_layer(f"loc{index}").input is layer.output
    assert model.get_layer("conf0").output.shape[-1] == 4
    assert tuple(model.get_layer("max_out0").output.shape[1:]) == (6, 8, 2)


@pytest.mark.parametrize("form", ["keras", "h5", "config"])
def test_save_and_load(tmp_path, form):
    keras.utils.set_random_seed(SEED)
    model = face_m4((48, 64, 1))
    if form == "config":
        copy = keras.Model.from_config(model.get_config())
        copy.set_weights(model.get_weights())
    else:
        model.save(tmp_path / f"model.{form}")
        copy = keras.models.load_model(tmp_path / f"model.{form}")
    x = np.random.default_rng(SEED).normal(size=(1, 48, 64, 1)).astype(np.float32)
    for ours, expected in zip(copy(x), model(x), strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(expected))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"outputs": "boxes"}, "`outputs` must be one of 'anchors', 'levels'. Received"),
        ({"padding": "valid"}, "`padding` must be one of 'same', 'pytorch'"),
        ({"input_shape": (240, 320)}, "`input_shape` must be"),
        ({"input_shape": (12, 12, 1)}, "`pool_size` must not exceed the map"),
    ],
    ids=["outputs", "padding", "rank", "too_small"],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError) as error:
        face_m4(**arguments)
    assert message in str(error.value)

"""The face detectors: sizes, counts, their twins, and the two forms of their outputs."""

from __future__ import annotations

import functools
import json

import numpy as np
import pytest

from rnnpool_tf import models
from rnnpool_tf._keras import keras
from rnnpool_tf.analysis import count
from rnnpool_tf.models import (
    detection_levels,
    face_b,
    face_c,
    face_m4,
    face_quant,
    join_levels,
    mobilenet_v2,
)

SEED = 20240612
QVGA = ("face_m4", "face_qvga")
VGA = ("face_a", "face_b", "face_c", "face_quant")
NAMES = QVGA + VGA
STRIDES = {
    **dict.fromkeys(QVGA, (8, 8, 16, 16)),
    **dict.fromkeys(VGA, (4, 8, 16, 32, 64, 128)),
}
GOLDEN = {
    "face_c": "face_c_640x480",
    "face_quant": "face_quant_640x480",
    "face_m4": "face_m4_320x240",
    "face_qvga": "face2_qvga_mono_320x240",
}


@functools.cache
def built(name: str, height=48, width=64, outputs="anchors", pooling="rnnpool", padding="same"):
    """A network that no test changes."""
    keras.utils.set_random_seed(SEED)
    builder = getattr(models, name)
    shape = (height, width, channels(name))
    return builder(shape, outputs=outputs, pooling=pooling, padding=padding)


def channels(name: str) -> int:
    return 1 if name in QVGA else 3


def images(name: str, height=48, width=64) -> np.ndarray:
    shape = (2, height, width, channels(name))
    return np.random.default_rng(SEED).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_counts(shared_dir, name):
    golden = json.loads((shared_dir / "golden" / "counts.json").read_text())[GOLDEN[name]]
    counted = count(getattr(models, name)())
    assert counted.weights == golden["weights"]
    assert counted.batch_norm == golden["bn"]
    assert counted.bias == golden["bias"]
    assert counted.madds == golden["madds"]
    assert counted.params == golden["params"]


# From the rows of the paper's Tables 13 and 12, by hand.
@pytest.mark.parametrize(
    ("name", "params", "without_batch_norm", "madds", "madds_shared"),
    [
        ("face_a", 118_102, 115_222, 162_678_688, 132_458_656),
        ("face_b", 1_250_424, 1_230_264, 1_274_724_096, 1_225_761_216),
    ],
    ids=["face_a", "face_b"],
)
def test_counts_of_the_papers_tables(name, params, without_batch_norm, madds, madds_shared):
    counted = count(getattr(models, name)())
    assert counted.params == params
    assert counted.params - counted.batch_norm == without_batch_norm
    assert counted.madds == madds
    assert counted.madds_shared == madds_shared


@pytest.mark.parametrize("name", NAMES)
def test_parameters_equal_keras(name):
    model = getattr(models, name)((48, 64, channels(name)), trainable_zeta_nu=True)
    assert count(model).params == sum(int(np.prod(w.shape)) for w in model.trainable_weights)


def require_strides(name: str, height: int, width: int, padding: str):
    model = built(name, height, width, "levels", padding=padding)
    shapes = [tuple(shape[1:]) for shape in model.output_shape]
    expected = []
    for stride in STRIDES[name]:
        size = (-(-height // stride), -(-width // stride))
        expected += [(*size, 4), (*size, 2)]
    assert shapes == expected


@pytest.mark.parametrize("padding", ["same", "pytorch"])
@pytest.mark.parametrize("name", NAMES)
def test_levels_have_their_strides(name, padding):
    require_strides(name, 128, 256, padding)


@pytest.mark.parametrize(
    ("name", "height", "width"),
    [
        *(("face_m4", *size) for size in ((240, 320), (320, 320), (96, 128))),
        *(("face_quant", *size) for size in ((480, 640), (640, 640))),
    ],
)
def test_levels_at_the_papers_sizes(name, height, width):
    require_strides(name, height, width, "same")


@pytest.mark.parametrize("name", NAMES)
def test_anchors_are_the_levels_row_by_row(name):
    joined = built(name)
    levels = detection_levels(joined)
    x = images(name)
    loc, conf = (np.asarray(y) for y in joined(x))
    maps = [np.asarray(y) for y in levels(x)]
    rows = [y.reshape(2, -1, y.shape[-1]) for y in maps]
    np.testing.assert_array_equal(loc, np.concatenate(rows[0::2], 1))
    np.testing.assert_array_equal(conf, np.concatenate(rows[1::2], 1))
    assert loc.shape == (2, sum(-(-48 // s) * -(-64 // s) for s in STRIDES[name]), 4)


@pytest.mark.parametrize("name", NAMES)
def test_levels_of_either_form_are_those_of_the_builder(name):
    expected = built(name, outputs="levels")
    for model in (expected, built(name)):
        levels = detection_levels(model)
        assert levels.output_shape == expected.output_shape
        assert {x.name for x in levels.layers} == {x.name for x in expected.layers}


def test_levels_of_another_network():
    with pytest.raises(ValueError, match="Received: 'mobilenet_v2' without the layer 'loc0'"):
        detection_levels(mobilenet_v2((32, 32, 1)))


@pytest.mark.parametrize("name", ["face_m4", "face_quant"])
def test_joining_levels_undoes_taking_them_apart(name):
    joined = built(name)
    again = join_levels(detection_levels(joined))
    x = images(name)
    for ours, expected in zip(again(x), joined(x), strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(expected))
    with pytest.raises(ValueError, match=r"must give two maps .* for each level"):
        join_levels(joined)


@pytest.mark.parametrize("name", ["face_m4", "face_c", "face_quant"])
def test_any_image_size_with_one_model(name):
    model = built(name, None, None)
    x = images(name, 61, 90)
    fixed = built(name, 61, 90)
    for ours, expected in zip(model(x), fixed(x), strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(expected))


@pytest.mark.parametrize("name", NAMES)
def test_first_three_levels_are_normalised_and_level_0_keeps_the_best_background(name):
    model = built(name, outputs="levels")
    readers = [f"{head}0" for head in ("loc", "conf")]
    if name == "face_quant":
        readers = [f"{reader}_reduce" for reader in readers]
    for index, start in enumerate((10, 8, 5)):
        layer = model.get_layer(f"l2_{index}")
        (scale,) = layer.get_weights()
        np.testing.assert_array_equal(scale, np.full(layer.input.shape[-1], start))
        for reader in readers if index == 0 else (f"loc{index}", f"conf{index}"):
            assert model.get_layer(reader).input is layer.output
    assert not any(layer.name == "l2_3" for layer in model.layers)
    assert model.get_layer("conf0").output.shape[-1] == 4
    assert model.get_layer("max_out0").output.shape[-1] == 2


def test_heads_and_source_of_face_c_and_face_quant():
    sides = [built("face_c").get_layer(f"loc{level}").kernel_size[0] for level in range(6)]
    assert sides == [5, 5, 5, 1, 1, 3]
    quant = built("face_quant")
    assert quant.get_layer("l2_0").input is quant.get_layer("pool").input
    assert tuple(quant.get_layer("loc0").input.shape) == (None, 12, 16, 8)


@pytest.mark.parametrize("name", ["face_m4", "face_c", "face_quant"])
def test_twins_differ_in_the_pooling_only(name):
    ours, twin = built(name), built(name, pooling="strided_conv")
    assert (ours.name, twin.name) == (f"{name}_rnnpool", f"{name}_strided_conv")
    added = {"pool_bn", "pool_relu"}
    assert {x.name for x in twin.layers} - {x.name for x in ours.layers} == added
    pool = twin.get_layer("pool")
    assert (pool.kernel_size, pool.strides, pool.use_bias) == ((8, 8), (4, 4), False)
    assert pool.output.shape == ours.get_layer("pool").output.shape
    for layer in ours.layers:
        if layer.name != "pool" and not isinstance(layer, keras.layers.InputLayer):
            assert [w.shape for w in layer.weights] == [
                w.shape for w in twin.get_layer(layer.name).weights
            ]
    assert twin.output_shape == ours.output_shape


@pytest.mark.parametrize("form", ["keras", "h5", "config"])
@pytest.mark.parametrize("name", ["face_m4", "face_quant"])
def test_save_and_load(tmp_path, name, form):
    model = built(name)
    if form == "config":
        copy = keras.Model.from_config(model.get_config())
        copy.set_weights(model.get_weights())
    else:
        model.save(tmp_path / f"model.{form}")
        copy = keras.models.load_model(tmp_path / f"model.{form}")
    x = images(name)
    for ours, expected in zip(copy(x), model(x), strict=True):
        np.testing.assert_array_equal(np.asarray(ours), np.asarray(expected))


@pytest.mark.parametrize(
    ("builder", "arguments", "message"),
    [
        (face_m4, {"outputs": "boxes"}, "`outputs` must be one of 'anchors', 'levels'. Received"),
        (face_c, {"pooling": "max"}, "`pooling` must be one of 'rnnpool', 'strided_conv'. Rec"),
        (face_quant, {"padding": "valid"}, "`padding` must be one of 'same', 'pytorch'"),
        (face_b, {"input_shape": (240, 320)}, "`input_shape` must be"),
        (face_m4, {"input_shape": (12, 12, 1)}, "`pool_size` must not exceed the map"),
        (face_c, {"input_shape": (7, 64, 3)}, "`pool_size` must not exceed the map"),
    ],
    ids=["outputs", "pooling", "padding", "rank", "too_small", "too_small_without_stem"],
)
def test_bad_arguments(builder, arguments, message):
    with pytest.raises(ValueError) as error:
        builder(**arguments)
    assert message in str(error.value)

"""`compare_layers` and `rnnpool compare`: figures, matching, a planted bad layer, bad input."""

from __future__ import annotations

import functools
import io
import json
import math

import numpy as np
import pytest

from rnnpool_tf import Runtime, cli, compression, convert
from rnnpool_tf._keras import keras
from rnnpool_tf.analysis import LayerError, compare_layers
from rnnpool_tf.analysis.layer_errors import picture, table
from rnnpool_tf.analysis.layer_errors.measurement import BEST_SQNR
from tests.conversion.helpers import SEED, classify, image, images, layers, pool, randomized

PNG = b"\x89PNG"


def convolution(x, name: str, filters: int = 4):
    """Three layers that conversion fuses into one operator."""
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


@functools.cache
def model():
    x = image()
    y = pool()(convolution(convolution(x, "first"), "second"))
    z = convolution(y, "third", 24)
    made = randomized(keras.Model(x, classify(layers.Add(name="sum")([y, z]))))
    for layer in made.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.moving_variance.assign(np.abs(layer.moving_variance) + 0.1)
    return made


@functools.cache
def float32() -> bytes:
    return convert(model())


@functools.cache
def int8() -> bytes:
    return convert(model(), calibration=images(24), fuse="none")


def test_every_layer_in_the_order_of_execution():
    rows = compare_layers(float32(), int8(), images())
    assert [row.operator for row in rows] == [
        "input", "CONV_2D", "CONV_2D", "RNNPool", "CONV_2D", "ADD", "MEAN", "FULLY_CONNECTED",
    ]  # fmt: skip
    found = [row.layer.removesuffix("_1") for row in rows]
    assert found[:6] == ["image", "first_relu", "second_relu", "pool", "third_relu", "sum"]
    assert rows[3].shape == (4, 6, 24)
    assert (rows[3].scale, rows[3].zero_point) == (1 / 128, 0)
    for row in rows:
        assert 25 < row.sqnr_db < BEST_SQNR, row  # 8 bits, errors of a few layers
        assert 0 <= row.saturated < 0.01, row
        assert row.largest_error < 16 * row.scale, row
    assert rows[0].drop_db is None and rows[0].largest_error <= rows[0].scale


def test_figures_are_those_of_the_definition():
    rows = compare_layers(float32(), int8(), images(40))  # more than are run at a time
    real = Runtime(float32(), reference_kernels=True).predict(images(40))
    found = Runtime(int8(), reference_kernels=True).predict(images(40))
    error = real.astype(np.float64) - found
    expected = 10 * np.log10((real.astype(np.float64) ** 2).sum() / (error**2).sum())
    # `predict` dequantises in float32.
    assert rows[-1].sqnr_db == pytest.approx(expected, abs=1e-3)
    assert rows[-1].largest_error == pytest.approx(np.abs(error).max(), rel=1e-3)
    by_operator = {row.operator: row for row in rows}
    for operator, sources in (("MEAN", ["ADD"]), ("FULLY_CONNECTED", ["MEAN"])):
        worst = min(BEST_SQNR, *(by_operator[source].sqnr_db for source in sources))
        assert by_operator[operator].drop_db == worst - by_operator[operator].sqnr_db
    worst = min(rows[3].sqnr_db, rows[4].sqnr_db)  # of both that the sum adds
    assert by_operator["ADD"].drop_db == worst - by_operator["ADD"].sqnr_db


def test_a_bad_layer_is_named():
    bad = planted()
    data = convert(bad, calibration=images(24), fuse="none")
    rows = compare_layers(bad, data, images())
    worst = table.worst_drops(rows)[0]
    assert worst.layer.removesuffix("_1") == "second_relu", table.summary(rows)
    assert worst.drop_db > 10
    assert table.verdict(rows).startswith(f"Most accuracy goes at '{worst.layer}' (CONV_2D): ")
    (marked,) = [line for line in table.summary(rows).splitlines() if line.endswith("<- 1")]
    assert marked.startswith(worst.layer)


@functools.cache
def planted():
    """The model with a weight in every row of `second` that is 100 times the others.

    It multiplies a channel that is always 0, so the float model does not notice; the row's int8
    scale does.
    """
    bad = keras.models.clone_model(model())
    bad.set_weights(model().get_weights())
    beta = np.array(bad.get_layer("first_bn").beta)
    beta[0] = -1000
    bad.get_layer("first_bn").beta.assign(beta)
    kernel = np.array(bad.get_layer("second").kernel)
    kernel[:, :, 0] = 100 * np.abs(kernel).max()
    bad.get_layer("second").kernel.assign(kernel)
    return bad


def test_saturation_is_seen():
    rows = compare_layers(float32(), int8(), 4 * images())
    assert rows[0].saturated > 0.1
    assert table.worst_drops(rows)[0].saturated == 0  # what comes in is bad, but no layer's fault
    assert rows[0].sqnr_db < 15


def test_float_files_are_as_good_as_models(tmp_path):
    paths = tmp_path / "float.tflite", tmp_path / "int8.tflite"
    paths[0].write_bytes(float32())
    paths[1].write_bytes(int8())
    expected = compare_layers(model(), int8(), images())
    for float_model, int8_model in (paths, (float32(), int8())):
        assert compare_layers(float_model, int8_model, images()) == expected


@pytest.mark.legacy_keras
def test_quantisation_aware_model():
    qat = compression.quantize(model(), calibration=images(24))
    rows = compare_layers(model(), qat, images())
    expected = [(row.layer, row.operator) for row in compare_layers(model(), int8(), images())]
    assert [(row.layer, row.operator) for row in rows] == expected
    assert min(row.sqnr_db for row in rows) > 25
    bad = compression.quantize(planted(), calibration=images(24))
    assert table.worst_drops(compare_layers(planted(), bad, images()))[0].layer == "second_relu"


def test_output_without_a_name_and_requantisation():
    x = image()
    made = randomized(keras.Model(x, layers.Activation("sigmoid")(pool()(x))))
    rows = compare_layers(made, convert(made, calibration=images(24)), images())
    assert [row.operator for row in rows] == ["input", "RNNPool", "QUANTIZE", "LOGISTIC"]
    assert rows[1].layer == rows[2].layer and rows[3].layer == "output"
    assert all(row.sqnr_db > 30 for row in rows)


def test_exact_input():
    """Pixels on the input's own grid: the first layer is not blamed for infinity."""
    scale = Runtime(int8()).input_details[0].scale
    steps = np.random.default_rng(SEED).integers(-40, 40, images().shape)
    rows = compare_layers(float32(), int8(), (steps * np.float32(scale)).astype(np.float32))
    assert rows[0].sqnr_db > 100  # float32's own error, if any
    assert rows[1].drop_db == BEST_SQNR - rows[1].sqnr_db


def row(**values) -> LayerError:
    usual = dict(
        layer="a", operator="CONV_2D", shape=(2, 3), scale=0.5, zero_point=0, sqnr_db=30.0,
        drop_db=1.0, saturated=0.0, largest_error=0.25,
    )  # fmt: skip
    return LayerError(**{**usual, **values})


@pytest.mark.keras_free
def test_table_of_infinities():
    rows = [
        row(operator="input", sqnr_db=math.inf, drop_db=None),
        row(layer="b", sqnr_db=-math.inf, drop_db=math.inf, saturated=0.25),
        row(layer="c" * 40, drop_db=2.9),
    ]
    text = table.summary(rows)
    assert " exact " in text and "-inf" in text and f"…{'c' * 31} " in text
    assert table.verdict(rows).startswith("Most accuracy goes at 'b'")
    assert "25.00% of its values saturated" in table.verdict(rows)
    described = json.loads(json.dumps(table.as_json(rows), allow_nan=False))
    assert [one["sqnr_db"] for one in described["layers"]] == [None, None, 30.0]
    assert described["worst_drops"] == ["b"]
    assert table.verdict(rows[::2]).startswith("No layer is 3 dB or more below its inputs")


@pytest.mark.keras_free
def test_picture():
    pytest.importorskip("matplotlib")
    target = io.BytesIO()
    picture.draw([row(sqnr_db=math.inf), row(drop_db=20.0), row(sqnr_db=-math.inf)], target)
    assert target.getvalue().startswith(PNG)


def test_command(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    (tmp_path / "int8.tflite").write_bytes(int8())
    (tmp_path / "float.tflite").write_bytes(float32())
    np.save(tmp_path / "images.npy", images())
    arguments = [str(tmp_path / name) for name in ("float.tflite", "int8.tflite")]
    arguments = ["compare", *arguments, "--images", str(tmp_path / "images.npy")]
    assert cli.main([*arguments, "--plot", str(tmp_path / "p.png")]) == 0
    printed = capsys.readouterr().out
    assert printed.strip() == table.summary(compare_layers(float32(), int8(), images()))
    assert (tmp_path / "p.png").read_bytes().startswith(PNG)
    assert cli.main([*arguments, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["layers"]) == 8


def other_network():
    x = image()
    return randomized(keras.Model(x, layers.Dense(5, name="other")(pool(name="pond")(x))))


BAD = {
    "fused": (lambda: (float32(), convert(model(), calibration=images())), r'fuse="none".*ConvRNN'),
    "both_float": (lambda: (float32(), float32()), "`int8_model` must be an int8 model"),
    "both_int8": (lambda: (int8(), int8()), "`float_model` must be an unquantised, float32"),
    "no_model": (lambda: (float32(), b"garbage"), "must be a .tflite model"),
    "not_quantised": (lambda: (float32(), model()), "needs a quantisation-aware model"),
    "strangers": (lambda: (other_network(), int8()), "must be the same network"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_models(name):
    build, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        compare_layers(*build(), images())


@pytest.mark.parametrize("name", ["empty", "bytes", "shape", "not_a_number"])
def test_bad_images(name):
    bad = {
        "empty": (images()[:0], "`images` must be a floating point array.*at least one image"),
        "bytes": (np.zeros((1, 13, 14, 3), np.uint8), "`images` must be a floating point"),
        "shape": (images()[:, 1:], r"must have shape \[n, 13, 14, 3\]"),
        "not_a_number": (images() * np.nan, "NaN"),
    }
    with pytest.raises(ValueError, match=bad[name][1]):
        compare_layers(float32(), int8(), bad[name][0])


def test_missing_files(tmp_path, capsys):
    with pytest.raises(FileNotFoundError, match="`int8_model` must be an existing model"):
        compare_layers(float32(), tmp_path / "none.tflite", images())
    arguments = ["compare", "a.tflite", "b.tflite", "--images", str(tmp_path / "none.npy")]
    assert cli.main(arguments) == 1
    assert "none.npy" in capsys.readouterr().err

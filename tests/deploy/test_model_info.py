"""What an export accepts as a model."""

from __future__ import annotations

import pytest

from rnnpool_tf.deploy.model_info import QuantizedTensor, read_model
from tests.deploy.tiny_model import SIZE, tiny_model

pytestmark = pytest.mark.keras_free


@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "rgb"])
def test_facts_of_a_model(channels):
    info = read_model(tiny_model(channels=channels, labels=3))
    assert info.input == QuantizedTensor((SIZE, SIZE, channels), 1 / 128, 0)
    assert info.scores.shape == (3,)
    assert info.scores.zero_point == 3
    assert info.builtins == ("FULLY_CONNECTED", "RESHAPE")
    assert info.customs == ("RNNPool",)
    assert info.cmsis_nn_scratch == 0


def test_path_and_bytes_are_the_same(tmp_path):
    (tmp_path / "m.tflite").write_bytes(tiny_model())
    assert read_model(tmp_path / "m.tflite") == read_model(tiny_model())


def test_scratch_of_a_published_model(shared_dir):
    info = read_model(shared_dir / "data" / "reference_models" / "vww_96_int8.tflite")
    assert info.input.shape == (96, 96, 3)
    assert info.customs == ()
    # MobileNetV1-0.25: the widest depthwise convolution, 3 x 3 x 256 in int16, is the largest.
    assert info.cmsis_nn_scratch == 2 * 9 * 256


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: tiny_model(quantized=False), "int8 model.*Received: input of type float32"),
        (lambda: tiny_model(custom="FastGRNNBank"), r"'RNNPool'\]. Received: 'FastGRNNBank'"),
        (lambda: tiny_model(channels=2), r"one grey or RGB image.*\[1, 24, 24, 2\]"),
        (lambda: b"not a model at all", "not a TensorFlow Lite file"),
        (lambda: b"", "not a TensorFlow Lite file"),
        *((lambda n=n: tiny_model()[:n], "truncated|damaged") for n in (8, 100, 1500, 2400)),
    ],
    ids=["float", "custom", "channels", "text", "empty", "cut8", "cut100", "cut1500", "cut2400"],
)
def test_refused(model, message):
    with pytest.raises(ValueError, match=message):
        read_model(model())


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"`model` must be .*nowhere\.tflite"):
        read_model(tmp_path / "nowhere.tflite")

"""Wrong input to `convert()`: one sentence each, and nothing written."""

from __future__ import annotations

import re

import pytest

from rnnpool_tf import convert
from rnnpool_tf._keras import is_legacy_keras, keras
from tests.conversion.helpers import image, layers, one_pool, pool


def unbuilt():
    return keras.Sequential([pool()])


def foreign_keras():
    import keras as keras3
    import tf_keras

    return (keras3 if is_legacy_keras() else tf_keras).Sequential()


BAD_MODELS = {
    "unbuilt": (unbuilt, ValueError, "must be built.*Received: the unbuilt model"),
    "number": (lambda: 3, ValueError, "must be a Keras model or the path.*builtins.int"),
    "layer": (pool, ValueError, "must be a Keras model or the path.*RNNPoolLayer"),
    "other_keras": (foreign_keras, ValueError, "must be a model of this process's Keras"),
    "missing_file": (lambda: "nowhere.keras", FileNotFoundError, "no model.*nowhere.keras"),
}


@pytest.mark.parametrize("name", BAD_MODELS)
def test_bad_model(name, tmp_path):
    build, error, message = BAD_MODELS[name]
    with pytest.raises(error, match=message):
        convert(build(), tmp_path / "model.tflite")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("file", ["model.keras", "model.h5"])
@pytest.mark.parametrize("damage", ["garbage", "truncated"])
def test_damaged_file(file, damage, tmp_path):
    path = tmp_path / file
    keras.Sequential([image(), layers.Flatten()]).save(path)
    whole = path.read_bytes()
    path.write_bytes(b"garbage" * 20 if damage == "garbage" else whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=re.escape(str(path))):
        convert(path, tmp_path / "out.tflite")
    assert [entry.name for entry in tmp_path.iterdir()] == [file]


def test_folder_without_saved_model(tmp_path):
    with pytest.raises(ValueError, match="must hold a SavedModel"):
        convert(tmp_path)


def test_file_of_the_other_keras(tmp_path):
    import keras as keras3
    import tf_keras

    other = keras3 if is_legacy_keras() else tf_keras
    path = tmp_path / "model.keras"
    other.Sequential([other.Input((3,)), other.layers.Dense(2)]).save(path)
    with pytest.raises(ValueError, match=r"saved by Keras [23].*runs Keras [23].*TF_USE_LEGACY"):
        convert(path)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"inference_input_type": "uint8"}, "`inference_input_type` must be 'int8' or 'float32'"),
        ({"inference_output_type": None}, "`inference_output_type` must be 'int8' or 'float32'"),
        ({"batch_size": 0}, "`batch_size` must be a positive integer or None"),
        ({"batch_size": 1.0}, "`batch_size` must be a positive integer or None"),
        ({"quantize": True}, "needs a quantisation-aware model.*quantize=True"),
    ],
    ids=str,
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        convert(one_pool(), **arguments)


def test_bad_output(tmp_path):
    with pytest.raises(ValueError, match=r"`output` must be a file\. Received: the folder"):
        convert(one_pool(), tmp_path)
    with pytest.raises(FileNotFoundError, match="`output` must be in an existing folder"):
        convert(one_pool(), tmp_path / "nowhere" / "model.tflite")
    assert not list(tmp_path.iterdir())


def test_operator_that_tflite_does_not_have(tmp_path):
    import tensorflow as tf

    class Odd(layers.Layer):
        def call(self, x):
            return tf.raw_ops.Betainc(a=tf.abs(x), b=tf.abs(x), x=tf.sigmoid(x))

        def compute_output_shape(self, shape):
            return shape

    x = image()
    with pytest.raises(ValueError, match=r"TensorFlow's converter cannot convert.*Betainc"):
        convert(keras.Model(x, Odd()(pool()(x))), tmp_path / "model.tflite")
    assert not list(tmp_path.iterdir())

"""Representative data in all its forms, and wrong ones."""

from __future__ import annotations

import re

import numpy as np
import pytest
import tensorflow as tf

from rnnpool_tf import cli, compression, convert
from rnnpool_tf._keras import keras
from rnnpool_tf.conversion.calibration import CalibrationError, read_arrays, samples
from tests.conversion.helpers import image, images, names, one_pool, pool, randomized

IMAGE = tf.TensorSpec((1, 3, None, 2), tf.float32, name="image")
LEVEL = tf.TensorSpec((1, 4), tf.float32, name="level")
RNG = np.random.default_rng(8)
X = RNG.normal(size=(5, 3, 6, 2)).astype(np.float32)
Y = RNG.normal(size=(5, 4)).astype(np.float32)

ONE_INPUT = {
    "array": X,
    "float64": X.astype(np.float64),
    "tensor": tf.constant(X),
    "batches": [X[:2], X[2:]],
    "samples": list(X),
    "generator": (x for x in X),
    "labelled": [(X[:4], np.zeros(4)), (X[4:], np.zeros(1))],
    "by_name": {"image": X},
    "named_batches": [{"image": X}],
    "dataset": tf.data.Dataset.from_tensor_slices((X, np.zeros(5))).batch(2),
}
TWO_INPUTS = {
    "tuple": (X, Y),
    "list": [X, Y],
    "by_name": {"level": Y, "image": X},
    "batches": [(X[:2], Y[:2]), (X[2:], Y[2:])],
    "samples": list(zip(X, Y, strict=True)),
    "labelled": [((X, Y), np.zeros(5))],
    "named_and_labelled": [({"image": X, "level": Y}, np.zeros(5))],
    "dataset": tf.data.Dataset.from_tensor_slices({"image": X, "level": Y}).batch(3),
}


@pytest.mark.keras_free
@pytest.mark.parametrize("name", ONE_INPUT)
def test_one_input(name):
    found = list(samples(ONE_INPUT[name], [IMAGE]))
    assert [len(arrays) for arrays in found] == [1] * 5
    np.testing.assert_array_equal(np.concatenate([arrays[0] for arrays in found]), X)
    assert all(arrays[0].dtype == np.float32 for arrays in found)


@pytest.mark.keras_free
@pytest.mark.parametrize("name", TWO_INPUTS)
def test_two_inputs(name):
    found = list(samples(TWO_INPUTS[name], [IMAGE, LEVEL]))
    for position, expected in enumerate((X, Y)):
        joined = np.concatenate([arrays[position] for arrays in found])
        np.testing.assert_array_equal(joined, expected)


@pytest.mark.keras_free
def test_samples_of_one_colour_each_are_samples():
    flat = np.ones_like(X) * np.arange(5, dtype=np.float32)[:, None, None, None]
    assert len(list(samples(list(flat), [IMAGE]))) == 5


@pytest.mark.keras_free
def test_batches_are_filled_up_with_their_own_samples():
    found = [arrays[0] for arrays in samples(X, [IMAGE], batch_size=3)]
    np.testing.assert_array_equal(np.concatenate(found), X[[0, 1, 2, 3, 4, 3]])


BAD = {
    "nothing": (None, "must be an array of samples or an iterable.*NoneType"),
    "text": ("images.npy", "must be an array of samples or an iterable.*str"),
    "empty_array": (X[:0], "at least one sample"),
    "empty_list": ([], "at least one sample"),
    "no_batch": (X[0], r"must have the shape \('n', 3, None, 2\) of the input 'image'"),
    "wrong_height": ([X[:, :2]], r"must have the shape .*Received: shape=\(5, 2, 6, 2\)"),
    "not_arrays": ([3, 4], "one array for each of the inputs.*Received: int"),
    "bytes": ((127 * X).astype(np.uint8), "must be float32.*dtype=uint8"),
    "not_a_number": ([X, np.where(X.max() == X, np.nan, X)], "must be finite. Received: 1 values"),
    "infinite": (np.where(X.max() == X, np.inf, X), "must be finite"),
    "black": (
        [np.zeros_like(X), np.zeros_like(X)],
        r"must hold samples that differ .* nothing but 0",
    ),
    "unknown_name": ({"picture": X}, r"inputs \['image'\]. Received: \['picture'\]"),
}


@pytest.mark.keras_free
@pytest.mark.parametrize("name", BAD)
def test_bad_data(name):
    data, message = BAD[name]
    with pytest.raises(CalibrationError, match=message):
        list(samples(data, [IMAGE]))


@pytest.mark.keras_free
@pytest.mark.parametrize(
    "data, message",
    [
        ((X, Y[:4]), "as many samples for every input. Received: 4, 5"),
        (X, r"each of the inputs \['image', 'level'\]. Received: shape="),
        ([(X, Y, Y)], r"each of the inputs.*Received: shape="),
        ([()], "Received: a tuple of 0"),
    ],
    ids=["counts", "one", "three", "none"],
)
def test_bad_data_for_two_inputs(data, message):
    with pytest.raises(CalibrationError, match=message):
        list(samples(data, [IMAGE, LEVEL]))


@pytest.mark.parametrize("name", ["empty", "wrong shape", "not a number"])
def test_bad_data_reaches_the_user_and_leaves_no_file(name, tmp_path):
    data, message = {
        "empty": ([], "`calibration` must hold at least one sample"),
        "wrong shape": (images()[:, 1:], "`calibration` must have the shape"),
        "not a number": ([images(), images() * np.nan], "`calibration` must be finite"),
    }[name]
    with pytest.raises(ValueError, match=f"^{message}"):
        convert(one_pool(), tmp_path / "model.tflite", calibration=data)
    assert not list(tmp_path.iterdir())


def test_calibration_goes_with_int8():
    with pytest.raises(ValueError, match=r"`calibration` is for an int8.*quantize=False"):
        convert(one_pool(), calibration=images(), quantize=False)
    with pytest.raises(ValueError, match=r"or, without training, representative.*`calibration`"):
        convert(one_pool(), quantize=True)
    with pytest.raises(ValueError, match="needs RNNPool layers with trainable_zeta_nu=False"):
        convert(one_pool(trainable_zeta_nu=True), calibration=images())


@pytest.mark.legacy_keras
def test_quantisation_aware_model_has_its_ranges():
    x = image()
    qat = compression.quantize(randomized(keras.Model(x, pool()(x))), calibration=images())
    with pytest.raises(ValueError, match=r"`calibration` is for float models.*Received: '.*aware"):
        convert(qat, calibration=images())


def test_command(tmp_path, capsys):
    one_pool().save(tmp_path / "net.keras")
    np.save(tmp_path / "images.npy", images())
    np.savez(tmp_path / "images.npz", images())
    files = []
    for data in ("images.npy", "images.npz"):
        output = tmp_path / f"{data}.tflite"
        arguments = [str(tmp_path / "net.keras"), "--calibration", str(tmp_path / data)]
        assert cli.main(["convert", *arguments, "-o", str(output)]) == 0
        files.append(output.read_bytes())
    assert files[0] == files[1] == convert(tmp_path / "net.keras", calibration=images())
    assert sorted(names(files[0])) == ["ConvRNNPool", "FULLY_CONNECTED", "MEAN"]
    assert re.search(r"RNNPool 'pool.* int8", capsys.readouterr().out)


@pytest.mark.keras_free
def test_several_arrays_in_a_file(tmp_path):
    np.savez(tmp_path / "both.npz", image=X, level=Y)
    found = list(samples(read_arrays(tmp_path / "both.npz", "images"), [LEVEL, IMAGE]))
    np.testing.assert_array_equal(np.concatenate([arrays[0] for arrays in found]), Y)


@pytest.mark.parametrize("name", ["garbage", "empty", "objects", "missing", "not_with_tflite"])
def test_bad_file(name, tmp_path, capsys):
    path, model = tmp_path / "images.npy", tmp_path / "net.keras"
    model.write_bytes(b"not read before the images")
    if name == "objects":
        np.save(path, np.array([{}]), allow_pickle=True)
    elif name != "missing":
        path.write_bytes(b"" if name == "empty" else b"garbage" * 9)
    message = re.escape(str(path))
    if name == "not_with_tflite":
        model = tmp_path / "net.tflite"
        model.write_bytes(b"\0\0\0\0TFL3")
        message = "`--calibration` goes with a Keras model"
    assert cli.main(["convert", str(model), "--calibration", str(path)]) == 1
    assert re.search(message, capsys.readouterr().err)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(
        {path.name, model.name, "net.keras"} - ({path.name} if name == "missing" else set())
    )

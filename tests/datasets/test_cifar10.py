"""CIFAR-10 from its official files and from mosaics: the same pictures and labels."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.datasets import load_dataset
from rnnpool_tf.datasets.cifar10 import load_cifar10
from tests.datasets.cifar_files import binary_records, noise, write_archive, write_mosaics

pytestmark = pytest.mark.keras_free

TRAIN, TEST = 800, 400


@pytest.fixture(scope="module")
def pictures():
    images, labels = noise(TRAIN + TEST)
    return (images[:TRAIN], labels[:TRAIN]), (images[TRAIN:], labels[TRAIN:])


@pytest.fixture(params=["archive", "bin files", "mosaics"])
def folder(request, tmp_path, pictures):
    (images, labels), test = pictures
    half = TRAIN // 2
    files = {
        "data_batch_1.bin": binary_records(images[:half], labels[:half]),
        "data_batch_2.bin": binary_records(images[half:], labels[half:]),
        "test_batch.bin": binary_records(*test),
    }
    if request.param == "archive":
        write_archive(tmp_path / "cifar-10-binary.tar.gz", files)
    elif request.param == "bin files":
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
    else:
        write_mosaics(tmp_path / "cifar10_train_a.zip", images, labels, "train")
        write_mosaics(tmp_path / "cifar10_test.zip", *test, "test")
    return tmp_path


def test_every_layout_gives_the_same_pictures(folder, pictures):
    dataset = load_dataset(f"cifar10:{folder}", 32)
    for part, (images, labels) in zip((dataset.train, dataset.validation), pictures, strict=True):
        np.testing.assert_array_equal(part.images, images)
        np.testing.assert_array_equal(part.labels, labels)
    assert str(dataset) == "CIFAR-10: 800 training and 400 validation images of 10 classes"


def test_part_of_the_training_set_and_the_whole_test_set(folder, pictures):
    dataset = load_cifar10(folder, train_images=30)
    np.testing.assert_array_equal(dataset.train.images, pictures[0][0][:30])
    assert len(dataset.validation) == TEST


def test_shared_images(shared_dir):
    dataset = load_cifar10(shared_dir / "data" / "cifar10")
    assert dataset.train.images.shape == (20_000, 32, 32, 3)
    assert np.bincount(dataset.train.labels).tolist() == [2000] * 10
    assert np.bincount(dataset.validation.labels).tolist() == [1000] * 10


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "must hold cifar-10-binary.tar.gz"),
        ({"data_batch_1.bin": bytes(3073)}, "must hold cifar-10-binary.tar.gz"),
        ({"data_batch_1.bin": bytes(3073), "test_batch.bin": bytes(10)}, "Received: 10 bytes"),
        ({"data_batch_1.bin": b"\xff" * 3073, "test_batch.bin": bytes(3073)}, "must be 0 to 9"),
        ({"cifar-10-binary.tar.gz": b"no archive"}, "must be the archive as distributed"),
        (
            {"cifar10_train_a.zip": b"no zip", "cifar10_test.zip": b"no zip"},
            "must be zips of 640x640 pictures",
        ),
    ],
    ids=["empty", "no test set", "cut short", "wrong labels", "no archive", "no zip"],
)
def test_bad_files(tmp_path, files, message):
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError) as error:
        load_cifar10(tmp_path)
    assert message in str(error.value)


@pytest.mark.parametrize("spec", ["cifar10", "cifar10:a:b", "cifar10:nowhere"])
def test_bad_specifications(spec):
    with pytest.raises(ValueError):
        load_dataset(spec, 32)


def test_other_sizes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="at 32 pixels in colour"):
        load_dataset(f"cifar10:{tmp_path}", 96)


@pytest.mark.parametrize("count", [0, TRAIN + 1])
def test_more_pictures_than_there_are(folder, count):
    with pytest.raises(ValueError, match=f"Received: train_images={count}"):
        load_cifar10(folder, train_images=count)

"""Folders of classes as ImageNet has them, and the ten of ImageNet-10."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from rnnpool_tf.datasets import load_dataset
from rnnpool_tf.datasets.cifar10 import CLASSES
from rnnpool_tf.datasets.imagenet import CROP_AREA, IMAGENET_10, load_imagenet

pytestmark = pytest.mark.keras_free


def write(root, synsets, counts=(("train", 2), ("val", 1))):
    """Pictures whose red value is 20 times the place of their class in `synsets`."""
    for split, count in counts:
        for place, synset in enumerate(synsets):
            folder = root / split / synset
            folder.mkdir(parents=True)
            for index in range(count):
                file = io.BytesIO()
                Image.new("RGB", (20, 16), (20 * place, 0, 0)).save(file, "PNG")
                (folder / f"{index}.png").write_bytes(file.getvalue())
    return root


def test_all_classes_sorted(tmp_path):
    root = write(tmp_path / "imagenet", ["n3", "n1", "n2"])
    dataset = load_dataset(f"imagenet:{root}", 16, cache=tmp_path / "cache")
    assert dataset.classes == ("n1", "n2", "n3")
    assert dataset.crop_area == CROP_AREA
    assert dataset.train.labels.tolist() == [0, 0, 1, 1, 2, 2]
    red = dataset.validation.images[..., 0].mean(axis=(1, 2))
    np.testing.assert_array_equal(red, [20, 40, 0])


def test_imagenet_10_is_in_the_order_of_cifar10(tmp_path):
    root = write(tmp_path / "full", [*IMAGENET_10, "n00000001"])
    dataset = load_dataset(f"imagenet10:{root}", 16, cache=tmp_path / "cache")
    assert dataset.classes == CLASSES
    assert (len(dataset.train), len(dataset.validation)) == (20, 10)
    red = dataset.validation.images[..., 0].mean(axis=(1, 2))
    np.testing.assert_array_equal(red, 20 * dataset.validation.labels)


@pytest.mark.parametrize(
    ("counts", "synsets", "message"),
    [
        ((("train", 1),), None, "must have the subfolders train and val.*without val"),
        ((("train", 1), ("val", 0)), None, "each class must have pictures.*none in .*val/n1"),
        ((("train", 1), ("val", 1)), ["n1", "n9"], "none in .*train/n9"),
    ],
    ids=["no val", "empty class", "missing synset"],
)
def test_refused(tmp_path, counts, synsets, message):
    root = write(tmp_path / "imagenet", ["n1", "n2"], counts)
    with pytest.raises(ValueError, match=message):
        load_imagenet(root, 16, cache=tmp_path / "cache", synsets=synsets)
    assert not (tmp_path / "cache").exists()


def test_no_folder():
    with pytest.raises(ValueError, match=r"must be 'imagenet10:FOLDER'\. Received: 'imagenet10'"):
        load_dataset("imagenet10")

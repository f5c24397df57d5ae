"""Wake Vision through a stand-in for TensorFlow Datasets, which is not a dependency."""

from __future__ import annotations

import importlib.machinery
import sys
import types

import numpy as np
import pytest

from rnnpool_tf.datasets import load_dataset
from rnnpool_tf.datasets.wake_vision import load_wake_vision
from tests.datasets.sources import labels_of, picture

pytestmark = pytest.mark.keras_free


@pytest.fixture
def tfds(monkeypatch):
    """A module that serves pictures of alternating labels and remembers what it was asked for."""
    module = types.ModuleType("tensorflow_datasets")
    module.__spec__ = importlib.machinery.ModuleSpec("tensorflow_datasets", None)
    module.decode = types.SimpleNamespace(SkipDecoding=lambda: "encoded")
    module.calls = []

    def load(name, *, split, data_dir, as_supervised, decoders):
        module.calls.append((name, split, data_dir))
        assert as_supervised and decoders == {"image": "encoded"}
        count = int(split.partition("[:")[2].rstrip("]"))
        return [(picture(index % 2), np.int64(index % 2)) for index in range(count)]

    module.load, module.as_numpy = load, iter
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", module)
    return module


def test_counts_and_labels(tfds, tmp_path):
    dataset = load_dataset("wake_vision:6:4", 16, cache=tmp_path)
    assert tfds.calls == [
        ("wake_vision", "train_quality[:6]", None),
        ("wake_vision", "validation[:4]", None),
    ]
    for part, count in ((dataset.train, 6), (dataset.validation, 4)):
        assert len(part) == count
        np.testing.assert_array_equal(labels_of(part.images), part.labels)


def test_other_split_and_folder(tfds, tmp_path):
    load_wake_vision(16, 3, tmp_path, 2, 2, train_split="train_large", folder=tmp_path / "data")
    assert tfds.calls[0] == ("wake_vision", "train_large[:2]", tmp_path / "data")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"train_split": "train"}, "`train_split` must be one of 'train_quality', 'train_large'"),
        ({"train_images": 1}, r"`train_images` must be at least 2\. Received: train_images=1"),
        ({"validation_images": 0}, "`validation_images` must be at least 2"),
    ],
    ids=["split", "train images", "validation images"],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        load_wake_vision(**arguments)


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match="needs tensorflow_datasets, which is not installed"):
        load_wake_vision()

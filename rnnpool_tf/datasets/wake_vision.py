"""Wake Vision (Banbury et al., 2024): person or not, through TensorFlow Datasets."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator

from rnnpool_tf.datasets.examples import Entry, ImageDataset, build_dataset

TRAIN_SPLITS = ("train_quality", "train_large")


def load_wake_vision(
    image_size: int = 96,
    channels: int = 3,
    cache: str | os.PathLike | None = None,
    train_images: int = 20_000,
    validation_images: int = 2_000,
    *,
    train_split: str = "train_quality",
    folder: str | os.PathLike | None = None,
) -> ImageDataset:
    """The first pictures of Wake Vision's training and validation splits.

    TensorFlow Datasets prepares the set, which is large. The chosen pictures are held in memory,
    still compressed, until they are decoded.

    Args:
        image_size: Side of the network's input.
        channels: 3, or 1 for grey.
        cache: Folder for decoded pictures.
        train_images: Number of training pictures.
        validation_images: Number of validation pictures.
        train_split: "train_quality", or "train_large" with more pictures and less reliable labels.
        folder: Where TensorFlow Datasets keeps its data; None is its default.

    Raises:
        RuntimeError: tensorflow_datasets is not installed.
        ValueError: An unknown split, or fewer than two pictures.
    """
    if train_split not in TRAIN_SPLITS:
        raise ValueError(
            f"`train_split` must be one of {', '.join(map(repr, TRAIN_SPLITS))}. "
            f"Received: train_split={train_split!r}"
        )
    for name, count in (("train_images", train_images), ("validation_images", validation_images)):
        if count < 2:
            raise ValueError(f"`{name}` must be at least 2. Received: {name}={count}")
    if importlib.util.find_spec("tensorflow_datasets") is None:
        raise RuntimeError(
            "Wake Vision needs tensorflow_datasets, which is not installed: "
            "pip install tensorflow-datasets"
        )
    return build_dataset(
        "wake_vision",
        list(_entries(train_split, train_images, folder)),
        list(_entries("validation", validation_images, folder)),
        image_size,
        channels,
        cache,
    )


def _entries(split: str, count: int, folder: str | os.PathLike | None) -> Iterator[Entry]:
    import tensorflow_datasets as tfds

    pictures = tfds.load(
        "wake_vision",
        split=f"{split}[:{count}]",
        data_dir=folder,
        as_supervised=True,
        decoders={"image": tfds.decode.SkipDecoding()},
    )
    for index, (data, label) in enumerate(tfds.as_numpy(pictures)):
        data = bytes(data)
        yield Entry(f"{split}{index}", int(label), str(len(data)), lambda data=data: data)

"""One entry for every kind of data set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rnnpool_tf.datasets.cifar10 import SIZE, load_cifar10
from rnnpool_tf.datasets.coco import load_coco
from rnnpool_tf.datasets.examples import ImageDataset, check_input
from rnnpool_tf.datasets.folder import load_folder
from rnnpool_tf.datasets.imagenet import IMAGENET_10, load_imagenet
from rnnpool_tf.datasets.person_zip import load_person_zips
from rnnpool_tf.datasets.synthetic import synthetic_dataset
from rnnpool_tf.datasets.wake_vision import load_wake_vision


def load_dataset(
    spec: str | os.PathLike | Sequence[str | os.PathLike] = "synthetic",
    image_size: int = 96,
    channels: int = 3,
    *,
    seed: int = 0,
    cache: str | os.PathLike | None = None,
) -> ImageDataset:
    """Labelled pictures, with and without a person or of several classes, decoded to uint8 arrays.

    `spec` is one of

    * `"synthetic"` or `"synthetic:TRAIN:VALIDATION"`: that many generated pictures of `seed`;
    * a zip with a `labels.csv`, several (as a list or separated by commas), or their folder;
    * a folder with the subfolders `person` and `no_person`, below `train` and `val` or not;
    * `"cifar10:FOLDER"`: CIFAR-10 (`load_cifar10`), at 32×32 pixels in colour;
    * `"imagenet:FOLDER"`: a folder per class below `train` and `val` (`load_imagenet`);
      `"imagenet10:FOLDER"`: of those the ten of the paper's ImageNet-10;
    * `"wake_vision"` or `"wake_vision:TRAIN:VALIDATION"`: that many pictures of Wake Vision,
      through TensorFlow Datasets (`load_wake_vision`);
    * `"coco:IMAGES:INSTANCES.json"` or `"coco:IMAGES:INSTANCES.json:VALIDATION_IDS"`, where
      IMAGES and INSTANCES may be several, separated by commas.

    Decoded pictures are kept in `cache` (default: the user's cache directory) and read from there
    the next time. Raises `ValueError` with a sentence for a source that is missing or empty.

    >>> load_dataset("synthetic:4:2", image_size=16).validation.images.shape
    (2, 16, 16, 3)
    """
    check_input(image_size, channels)
    if isinstance(spec, str):
        kind, *rest = spec.split(":")
        if kind == "synthetic":
            return synthetic_dataset(image_size, channels, *_counts(spec, rest), seed=seed)
        if kind == "cifar10":
            return _cifar10(spec, rest, image_size, channels)
        if kind in ("imagenet", "imagenet10"):
            synsets = list(IMAGENET_10) if kind == "imagenet10" else None
            return load_imagenet(_folder(spec, rest), image_size, channels, cache, synsets)
        if kind == "wake_vision":
            return load_wake_vision(image_size, channels, cache, *_counts(spec, rest))
        if kind == "coco":
            return load_coco(*_coco_parts(spec, rest), image_size, channels, cache)
        spec = spec.split(",")
    paths = [Path(spec)] if isinstance(spec, os.PathLike) else [Path(part) for part in spec]
    if len(paths) == 1 and not paths[0].exists():
        raise ValueError(
            "`dataset` must be 'synthetic', 'cifar10:…', 'imagenet:…', 'imagenet10:…', "
            "'wake_vision', 'coco:…', an existing zip or an existing folder. "
            f"Received: {str(paths[0])!r}"
        )
    if len(paths) == 1 and paths[0].is_dir():
        zips = sorted(paths[0].glob("*.zip"))
        if not zips:
            return load_folder(paths[0], image_size, channels, cache)
        paths = zips
    return load_person_zips(paths, image_size, channels, cache)


def _counts(spec: str, rest: list[str]) -> list[int]:
    if len(rest) not in (0, 2) or not all(part.isdecimal() for part in rest):
        kind = spec.split(":")[0]
        raise ValueError(
            f"`dataset` must be '{kind}' or '{kind}:TRAIN:VALIDATION'. Received: {spec!r}"
        )
    return [int(part) for part in rest]


def _folder(spec: str, rest: list[str]) -> str:
    if len(rest) != 1 or not rest[0]:
        raise ValueError(f"`dataset` must be '{spec.split(':')[0]}:FOLDER'. Received: {spec!r}")
    return rest[0]


def _cifar10(spec: str, rest: list[str], image_size: int, channels: int) -> ImageDataset:
    if len(rest) != 1 or (image_size, channels) != (SIZE, 3):
        raise ValueError(
            f"`dataset` must be 'cifar10:FOLDER' at {SIZE} pixels in colour. Received: {spec!r} "
            f"with image_size={image_size}, channels={channels}"
        )
    return load_cifar10(rest[0])


def _coco_parts(spec: str, rest: list[str]) -> tuple[list[str], list[str], str | None]:
    if len(rest) not in (2, 3) or not all(rest):
        raise ValueError(
            "`dataset` must be 'coco:IMAGES:INSTANCES.json' or "
            f"'coco:IMAGES:INSTANCES.json:VALIDATION_IDS'. Received: {spec!r}"
        )
    return rest[0].split(","), rest[1].split(","), rest[2] if len(rest) == 3 else None

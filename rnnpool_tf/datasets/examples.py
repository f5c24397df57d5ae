"""Labelled pictures in memory, and the cache that keeps them decoded."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnpool_tf.datasets.preprocess import evaluation_crop, squash

# Training pictures are kept larger than the network's input, so that a random crop of a part of
# the picture still has detail to show.
TRAINING_OVERSIZE = 1.5
_CACHE_FORMAT = 1


@dataclass(frozen=True)
class Examples:
    """uint8 pictures `[N, S, S, C]`, labels int64 `[N]` and names, in one order.

    `aspects` float32 `[N]` is width / height of each original; the pictures of a training set
    are squashed to squares, and cropping them needs to know by how much.
    """

    images: np.ndarray
    labels: np.ndarray
    aspects: np.ndarray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class ImageDataset:
    """A training set (oversized, for random crops) and a validation set (ready at input size).

    `crop_area` is the range of a training crop's share of its picture; the default is the paper's.
    `classes` are the names of the labels 0, 1, …
    """

    name: str
    train: Examples
    validation: Examples
    crop_area: tuple[float, float] = (0.2, 1.0)
    classes: tuple[str, ...] = ("no person", "person")

    @property
    def image_size(self) -> int:
        return self.validation.images.shape[1]

    @property
    def channels(self) -> int:
        return self.validation.images.shape[3]

    def __str__(self) -> str:
        if len(self.classes) > 2:
            return (
                f"{self.name}: {len(self.train)} training and {len(self.validation)} validation "
                f"images of {len(self.classes)} classes"
            )
        train, validation = (
            f"{len(part)} ({part.labels.mean():.0%} {self.classes[1]})"
            for part in (self.train, self.validation)
        )
        return f"{self.name}: {train} training and {validation} validation images"


@dataclass(frozen=True)
class Entry:
    """One picture before decoding: its name, label, a stamp that changes when the file does, and
    a function returning the file's bytes."""

    name: str
    label: int
    stamp: str
    read: Callable[[], bytes]


def file_entry(path: Path, name: str, label: int) -> Entry:
    """The entry of a picture in a file of its own."""
    status = path.stat()
    return Entry(name, label, f"{status.st_size} {status.st_mtime_ns}", path.read_bytes)


def training_size(image_size: int) -> int:
    """Side of the stored training pictures for a network input of `image_size`."""
    return round(image_size * TRAINING_OVERSIZE)


def default_cache() -> Path:
    """`rnnpool_tf` in the user's cache directory."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "rnnpool_tf"


def check_input(image_size: int, channels: int) -> None:
    """Refuse sizes and channel counts that no dataset of this room can deliver."""
    if image_size < 8:
        raise ValueError(f"`image_size` must be at least 8. Received: image_size={image_size}")
    if channels not in (1, 3):
        raise ValueError(f"`channels` must be 1 (grey) or 3 (RGB). Received: channels={channels}")


def build_dataset(
    name: str,
    train: Sequence[Entry],
    validation: Sequence[Entry],
    image_size: int,
    channels: int,
    cache: str | os.PathLike | None = None,
    *,
    crop_area: tuple[float, float] = (0.2, 1.0),
    classes: tuple[str, ...] = ("no person", "person"),
) -> ImageDataset:
    """Decode both parts (or read them from the cache directory) and hand them over as arrays."""
    check_input(image_size, channels)
    for part, entries in (("training", train), ("validation", validation)):
        if not entries:
            raise ValueError(f"the dataset must have {part} images. Received: none in {name}")
        if len({entry.label for entry in entries}) < 2:
            raise ValueError(
                f"the {part} images must show several classes. Received: only label "
                f"{entries[0].label} in {name}"
            )
    folder = Path(cache) if cache is not None else default_cache()
    return ImageDataset(
        name,
        _decoded(train, squash, training_size(image_size), channels, folder),
        _decoded(validation, evaluation_crop, image_size, channels, folder),
        crop_area,
        classes,
    )


def _decoded(
    entries: Sequence[Entry], transform: Callable, size: int, channels: int, folder: Path
) -> Examples:
    """Pictures through `transform(image, size)`; stored in `folder` for the next time."""
    digest = hashlib.sha256(f"{_CACHE_FORMAT} {transform.__name__} {size} {channels}".encode())
    for entry in entries:
        digest.update(f"{entry.name}\0{entry.stamp}\n".encode())
    images = folder / f"{digest.hexdigest()[:24]}.npy"
    aspects = images.with_suffix(".aspects.npy")
    if not images.exists() or not aspects.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _decode(entries, transform, (len(entries), size, size, channels), images, aspects)
    labels = np.array([entry.label for entry in entries], np.int64)
    names = tuple(entry.name for entry in entries)
    return Examples(np.load(images, mmap_mode="r"), labels, np.load(aspects), names)


def _decode(
    entries: Sequence[Entry],
    transform: Callable,
    shape: tuple[int, int, int, int],
    images_path: Path,
    aspects_path: Path,
) -> None:
    """Decode into files; under temporary names first, so that no stop leaves a partial cache."""
    temporary = [path.with_suffix(f".{os.getpid()}.tmp") for path in (images_path, aspects_path)]
    try:
        images = np.lib.format.open_memmap(temporary[0], "w+", np.uint8, shape)
        aspects = np.lib.format.open_memmap(temporary[1], "w+", np.float32, shape[:1])

        def decode(index: int) -> None:
            image = _open(entries[index], shape[3])
            aspects[index] = image.width / image.height
            images[index] = np.asarray(transform(image, shape[1])).reshape(shape[1:])

        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            for _ in pool.map(decode, range(len(entries))):
                pass
        images.flush()
        aspects.flush()
        os.replace(temporary[1], aspects_path)
        os.replace(temporary[0], images_path)
    finally:
        for path in temporary:
            path.unlink(missing_ok=True)


def _open(entry: Entry, channels: int):
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(io.BytesIO(entry.read())).convert("L" if channels == 1 else "RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(
            f"every image of the dataset must be readable. Received: {entry.name} ({error})"
        ) from error

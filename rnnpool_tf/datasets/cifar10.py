"""CIFAR-10 (Krizhevsky, 2009): 32×32 pictures of ten classes, from the official binary files or
from mosaics."""

from __future__ import annotations

import csv
import io
import os
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rnnpool_tf.datasets.examples import Examples, ImageDataset

CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
SIZE = 32

_RECORD = 1 + 3 * SIZE * SIZE  # a label, then the red, green and blue plane
_TILES = 20  # per side of a mosaic
_BINARY = "cifar-10-binary.tar.gz"
# A picture has little to lose: crops keep at least half of it.
_CROP_AREA = (0.5, 1.0)


def load_cifar10(folder: str | os.PathLike, train_images: int | None = None) -> ImageDataset:
    """Training and test pictures of CIFAR-10 as one dataset; the test set is its validation part.

    Args:
        folder: Holds `cifar-10-binary.tar.gz` as its authors distribute it (or the `*.bin` files
            out of it); or zips whose names begin with `cifar10_train` and `cifar10_test`, with
            mosaics of 20×20 pictures in lossless files (400 per file, row by row, in order of
            their names `…_NNN`) and a table `labels.csv` with the columns `index` and `label`.
        train_images: Take that many training pictures, the first ones; None takes all. The first n
            of CIFAR-10 are nearly balanced.

    Returns:
        uint8 pictures [N, 32, 32, 3] with labels 0 to 9 (`CLASSES`).

    Raises:
        ValueError: No such files in the folder, damaged files, or fewer pictures than asked for.

    Example:

    >>> load_cifar10("cifar10").validation.images.shape  # doctest: +SKIP
    (10000, 32, 32, 3)
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"`folder` must be an existing folder. Received: '{folder}'")
    parts = _from_zips(folder) or _from_binary(folder)
    if parts is None:
        raise ValueError(
            f"`folder` must hold {_BINARY}, its .bin files, or cifar10_train*.zip and "
            f"cifar10_test*.zip. Received: '{folder}'"
        )
    (images, labels), test = parts
    if train_images is not None:
        if not 1 <= train_images <= len(images):
            raise ValueError(
                f"`train_images` must be from 1 to the {len(images)} there are. "
                f"Received: train_images={train_images}"
            )
        images, labels = images[:train_images], labels[:train_images]
    return ImageDataset(
        "CIFAR-10", _examples(images, labels), _examples(*test), _CROP_AREA, CLASSES
    )


def _examples(images: np.ndarray, labels: np.ndarray) -> Examples:
    return Examples(images, labels, np.ones(len(labels), np.float32), ())


def _from_zips(folder: Path):
    parts = []
    for word in ("train", "test"):
        found = [_read_zip(path) for path in sorted(folder.glob(f"cifar10_{word}*.zip"))]
        if not found:
            return None
        parts.append(tuple(np.concatenate(arrays) for arrays in zip(*found, strict=True)))
    return parts


def _read_zip(path: Path) -> tuple[np.ndarray, np.ndarray]:
    from PIL import Image, UnidentifiedImageError

    try:
        with zipfile.ZipFile(path) as archive:
            table = archive.read("labels.csv").decode()
            labels = {int(r["index"]): int(r["label"]) for r in csv.DictReader(io.StringIO(table))}
            pictures = {}
            for name in archive.namelist():
                if name == "labels.csv":
                    continue
                first = int(Path(name).stem.rpartition("_")[2]) * _TILES**2
                mosaic = np.asarray(Image.open(io.BytesIO(archive.read(name))).convert("RGB"))
                tiles = mosaic.reshape(_TILES, SIZE, _TILES, SIZE, 3).transpose(0, 2, 1, 3, 4)
                pictures |= dict(enumerate(tiles.reshape(-1, SIZE, SIZE, 3), start=first))
        order = sorted(labels)
        images = np.stack([pictures[index] for index in order])
    except (zipfile.BadZipFile, KeyError, ValueError, UnidentifiedImageError) as error:
        raise ValueError(
            "mosaics of CIFAR-10 must be zips of 640x640 pictures with labels.csv. "
            f"Received: '{path}' ({error})"
        ) from error
    return _checked(images, np.array([labels[index] for index in order], np.int64), path)


def _from_binary(folder: Path):
    records: dict[str, bytes] = dict(_binary_files(folder))
    train = [records[name] for name in sorted(records) if name.startswith("data_batch")]
    if not train or "test_batch.bin" not in records:
        return None
    return [
        _read_records(b"".join(train), folder),
        _read_records(records["test_batch.bin"], folder),
    ]


def _binary_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    archive = folder / _BINARY
    if archive.exists():
        try:
            with tarfile.open(archive) as files:
                for member in files:
                    if member.name.endswith(".bin"):
                        yield Path(member.name).name, files.extractfile(member).read()
        except (tarfile.TarError, EOFError, OSError) as error:
            raise ValueError(
                f"{_BINARY} must be the archive as distributed. Received: '{archive}' ({error})"
            ) from error
        return
    for path in folder.glob("*.bin"):
        yield path.name, path.read_bytes()


def _read_records(data: bytes, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    if not data or len(data) % _RECORD:
        raise ValueError(
            f"CIFAR-10's binary files must hold records of {_RECORD} bytes. "
            f"Received: {len(data)} bytes in '{folder}'"
        )
    records = np.frombuffer(data, np.uint8).reshape(-1, _RECORD)
    images = records[:, 1:].reshape(-1, 3, SIZE, SIZE).transpose(0, 2, 3, 1)
    return _checked(np.ascontiguousarray(images), records[:, 0].astype(np.int64), folder)


def _checked(images: np.ndarray, labels: np.ndarray, source: Path):
    if len(labels) == 0 or labels.min() < 0 or labels.max() >= len(CLASSES):
        raise ValueError(f"labels of CIFAR-10 must be 0 to 9. Received: others in '{source}'")
    return images, labels

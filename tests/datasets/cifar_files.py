"""CIFAR-10 in its two layouts, made of noise."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

SEED = 20241128


def noise(count: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 pictures [count, 32, 32, 3], and the labels 0, 1, … 9, 0, …"""
    images = np.random.default_rng(SEED).integers(0, 256, (count, 32, 32, 3), np.uint8)
    return images, np.arange(count) % 10


def binary_records(images: np.ndarray, labels: np.ndarray) -> bytes:
    """As CIFAR-10's authors write them: label, red plane, green plane, blue plane."""
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    return np.concatenate([labels[:, None].astype(np.uint8), planes], axis=1).tobytes()


def write_archive(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


def write_mosaics(path: Path, images: np.ndarray, labels: np.ndarray, word: str) -> None:
    """A zip of lossless 640×640 mosaics and labels.csv."""
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(len(images) // 400):
            tiles = images[400 * number :][:400].reshape(20, 20, 32, 32, 3)
            file = io.BytesIO()
            mosaic = tiles.transpose(0, 2, 1, 3, 4).reshape(640, 640, 3)
            Image.fromarray(mosaic).save(file, "PNG")
            archive.writestr(f"{word}_{number:03}.png", file.getvalue())
        rows = "".join(f"{index},{label}\n" for index, label in enumerate(labels))
        archive.writestr("labels.csv", "index,label\n" + rows)

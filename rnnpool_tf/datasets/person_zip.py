"""Zips of JPEG pictures with a `labels.csv` (columns `file,label,split`; 1 = person)."""

from __future__ import annotations

import csv
import io
import os
import zipfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rnnpool_tf.datasets.examples import Entry, ImageDataset, build_dataset


def load_person_zips(
    paths: Sequence[str | os.PathLike],
    image_size: int = 96,
    channels: int = 3,
    cache: str | os.PathLike | None = None,
) -> ImageDataset:
    """One dataset out of one or several zips, split into train / val as their tables say.

    Raises `ValueError` when a file is missing, is no zip, or has no usable `labels.csv`.
    """
    parts: dict[str, list[Entry]] = {"train": [], "val": []}
    for path in map(Path, paths):
        for split, entry in _entries(path):
            parts[split].append(entry)
    name = " + ".join(Path(path).stem for path in paths)
    return build_dataset(name, parts["train"], parts["val"], image_size, channels, cache)


def _entries(path: Path) -> list[tuple[str, Entry]]:
    if not path.is_file():
        raise ValueError(f"`dataset` must be an existing zip file. Received: {path}")
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise ValueError(f"`dataset` must be a zip file. Received: {path} ({error})") from error
    files = {info.filename: info for info in archive.infolist()}
    if "labels.csv" not in files:
        raise ValueError(f"the zip must contain labels.csv. Received: {path} without it")
    entries = []
    rows = csv.DictReader(io.StringIO(archive.read("labels.csv").decode("utf-8")))
    for line, row in enumerate(rows, start=2):
        file, label, split = (row.get(column) for column in ("file", "label", "split"))
        if file not in files or label not in ("0", "1") or split not in ("train", "val"):
            raise ValueError(
                "labels.csv must list files of the zip with label 0 or 1 and split train or val. "
                f"Received: line {line} of {path}: file={file!r}, label={label!r}, split={split!r}"
            )
        # The CRC makes the cache follow the picture, wherever the zip is and whenever it was saved.
        stamp = f"{files[file].CRC:08x}"
        read = partial(archive.read, file)
        entries.append((split, Entry(f"{path.stem}/{file}", int(label), stamp, read)))
    return entries

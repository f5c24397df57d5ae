"""COCO pictures labelled by the Visual Wake Words rule.

A picture is "person" if any of its person annotations covers more than 0.5 % of the picture's area
(Chowdhery et al., 2019, "Visual Wake Words Dataset", section 3); all others are "no person".
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from rnnpool_tf.datasets.examples import Entry, ImageDataset, build_dataset, file_entry
from rnnpool_tf.datasets.folder import hold_out

MIN_PERSON_AREA = 0.005
VALIDATION_PART = 0.07


def load_coco(
    images: str | os.PathLike | Sequence[str | os.PathLike],
    instances: str | os.PathLike | Sequence[str | os.PathLike],
    validation_ids: str | os.PathLike | None = None,
    image_size: int = 96,
    channels: int = 3,
    cache: str | os.PathLike | None = None,
) -> ImageDataset:
    """COCO pictures from one or several folders with their `instances_*.json`.

    The paper pools train2014 and val2014 and validates on the 8,059 "minival" ids: pass both
    folders, both JSON files and a file with those ids (a JSON list or one id per line) as
    `validation_ids`. Without it, 7 % of each class are held out. Pictures that a JSON lists but
    no folder holds are left out.

    The decoded pictures take `N * (1.5 * image_size)**2 * channels` bytes in the cache (7 GB for
    all of COCO at 96 x 96 RGB) and are mapped into memory, not read at once.
    """
    folders, files = _paths(images), _paths(instances)
    for folder in folders:
        if not folder.is_dir():
            raise ValueError(f"`images` must be an existing folder. Received: {folder}")
    labels = {}
    for file in files:
        labels |= visual_wake_words_labels(_read_json(file), str(file))
    entries: dict[int, Entry] = {}
    for image_id, (name, label) in sorted(labels.items()):
        found = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if found is not None:
            entries[image_id] = file_entry(found, name, label)
    if not entries:
        raise ValueError(
            f"`images` must hold pictures that the annotations list. Received: none of "
            f"{len(labels)} in {', '.join(map(str, folders))}"
        )
    if validation_ids is None:
        train, validation = hold_out(list(entries.values()), VALIDATION_PART)
    else:
        chosen = _read_ids(Path(validation_ids))
        train = [entry for image_id, entry in entries.items() if image_id not in chosen]
        validation = [entry for image_id, entry in entries.items() if image_id in chosen]
    return build_dataset("coco", train, validation, image_size, channels, cache)


def visual_wake_words_labels(
    annotations: dict, source: str = "annotations"
) -> dict[int, tuple[str, int]]:
    """`{image id: (file name, 0 or 1)}` for the contents of an `instances_*.json`."""
    try:
        person = {row["id"] for row in annotations["categories"] if row["name"] == "person"}
        pictures = {row["id"]: row for row in annotations["images"]}
        with_person = set()
        for row in annotations["annotations"]:
            picture = pictures[row["image_id"]]
            smallest = MIN_PERSON_AREA * picture["width"] * picture["height"]
            if row["category_id"] in person and row["area"] > smallest:
                with_person.add(row["image_id"])
        return {key: (row["file_name"], int(key in with_person)) for key, row in pictures.items()}
    except (KeyError, TypeError) as error:
        raise ValueError(
            "`instances` must be COCO instance annotations (images, annotations, categories). "
            f"Received: {source}, which fails at {error}"
        ) from error


def _paths(value) -> list[Path]:
    return [Path(value)] if isinstance(value, (str, os.PathLike)) else [Path(one) for one in value]


def _read_json(path: Path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"`instances` must be a JSON file. Received: {path} ({error})") from error


def _read_ids(path: Path) -> set[int]:
    try:
        text = path.read_text()
        return set(map(int, json.loads(text) if text.lstrip().startswith("[") else text.split()))
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(
            f"`validation_ids` must be a file of image ids. Received: {path} ({error})"
        ) from error

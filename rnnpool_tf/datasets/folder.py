"""A folder of pictures sorted into person/ and no_person/."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from pathlib import Path

from rnnpool_tf.datasets.examples import Entry, ImageDataset, build_dataset, file_entry

CLASS_FOLDERS = {
    0: ("no_person", "no-person", "noperson", "non_person", "nonperson", "notperson", "not_person"),
    1: ("person",),
}
SPLIT_FOLDERS = {"train": ("train", "training"), "val": ("val", "valid", "validation", "test")}
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
VALIDATION_PART = 0.2


def load_folder(
    root: str | os.PathLike,
    image_size: int = 96,
    channels: int = 3,
    cache: str | os.PathLike | None = None,
) -> ImageDataset:
    """Pictures below `root/person` and `root/no_person` (other spellings: CLASS_FOLDERS).

    `root/train/person`, `root/val/person` and so on give the split. Without that level a fifth
    of each class, chosen by a checksum of the file names, becomes the validation set.
    """
    root = Path(root)
    if not root.is_dir():
        raise ValueError(f"`dataset` must be an existing folder. Received: {root}")
    splits = {name: child_folder(root, aliases) for name, aliases in SPLIT_FOLDERS.items()}
    if all(splits.values()):
        parts = {name: _labelled(folder, root) for name, folder in splits.items()}
    else:
        train, validation = hold_out(_labelled(root, root), VALIDATION_PART)
        parts = {"train": train, "val": validation}
    return build_dataset(root.name, parts["train"], parts["val"], image_size, channels, cache)


def hold_out(entries: Sequence[Entry], part: float) -> tuple[list[Entry], list[Entry]]:
    """Split off `part` of each class (at least one picture), always the same for these names."""
    held: set[str] = set()
    for label in (0, 1):
        names = [entry.name for entry in entries if entry.label == label]
        names.sort(key=lambda name: (zlib.crc32(name.encode()), name))
        held.update(names[: max(1, round(part * len(names)))])
    return (
        [entry for entry in entries if entry.name not in held],
        [entry for entry in entries if entry.name in held],
    )


def _labelled(folder: Path, root: Path) -> list[Entry]:
    entries = []
    for label, aliases in CLASS_FOLDERS.items():
        found = child_folder(folder, aliases)
        if found is None:
            raise ValueError(
                f"`dataset` must contain the subfolders person and no_person (or "
                f"{', '.join(CLASS_FOLDERS[0][1:])}). Received: {folder} without {aliases[0]}"
            )
        files = sorted(file for file in found.rglob("*") if file.suffix.lower() in SUFFIXES)
        if not files:
            raise ValueError(
                f"each class must have pictures ({', '.join(SUFFIXES)}). Received: none in {found}"
            )
        entries += [file_entry(file, file.relative_to(root).as_posix(), label) for file in files]
    return entries


def child_folder(folder: Path, aliases: Sequence[str]) -> Path | None:
    """The subfolder that has one of these names, in whatever case."""
    for child in sorted(folder.iterdir()):
        if child.is_dir() and child.name.lower() in aliases:
            return child
    return None

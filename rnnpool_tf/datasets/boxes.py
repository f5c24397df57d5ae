"""Pictures with boxes around faces, heads or whatever a detector shall find."""

from __future__ import annotations

import io
import json
import os
import threading
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


def decode_picture(encoded: bytes, name: str) -> np.ndarray:
    """A JPEG, PNG or other picture as uint8 (height, width, 3).

    Raises:
        ValueError: It cannot be read; the message calls it `name`.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        return np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB"))
    except (UnidentifiedImageError, OSError) as error:
        reason = "no picture format that is known" if "identify" in str(error) else error
        raise ValueError(f"a picture must be readable. Received: '{name}' ({reason})") from error


@dataclass(frozen=True)
class BoxExample:
    """One picture, still encoded, and its boxes.

    Attributes:
        name: Of the picture within its data set.
        read: Returns the bytes of its JPEG or PNG file.
        boxes: float32 (N, 4): x1, y1, x2, y2 in pixels, all of positive width and height.
        ignored: bool (N,): boxes that evaluation neither expects nor counts as errors.
    """

    name: str
    read: Callable[[], bytes]
    boxes: np.ndarray
    ignored: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))

    def __post_init__(self) -> None:
        boxes = np.asarray(self.boxes, np.float32).reshape(-1, 4)
        ignored = np.asarray(self.ignored, bool)
        if not len(ignored):
            ignored = np.zeros(len(boxes), bool)
        if ignored.shape != (len(boxes),):
            raise ValueError(
                f"`ignored` must have a value for each of the {len(boxes)} boxes of '{self.name}'. "
                f"Received: shape {ignored.shape}"
            )
        proper = np.isfinite(boxes).all(1) & (boxes[:, 2:] > boxes[:, :2]).all(1)
        object.__setattr__(self, "boxes", boxes[proper])
        object.__setattr__(self, "ignored", ignored[proper])

    def image(self) -> np.ndarray:
        """The decoded picture, uint8 (height, width, 3)."""
        return decode_picture(self.read(), self.name)


@dataclass(frozen=True)
class BoxDataset:
    """Training and validation pictures with boxes."""

    name: str
    train: tuple[BoxExample, ...]
    validation: tuple[BoxExample, ...]

    def __str__(self) -> str:
        parts = (
            f"{len(part)} {name} images with {sum(len(example.boxes) for example in part)} boxes"
            for part, name in ((self.train, "training"), (self.validation, "validation"))
        )
        return f"{self.name}: {' and '.join(parts)}"


_SPLITS = {"train": "train", "val": "validation", "validation": "validation", "test": "validation"}


def load_boxes_json(source: str | os.PathLike) -> BoxDataset:
    """Pictures and boxes described by one JSON file.

    Args:
        source: A zip or a folder that holds the pictures and `annotations.json`: a list with an
            object for each picture, with `file` (path below the source), `boxes_xywh` (left, top,
            width and height in pixels of each box; boxes without area are dropped) and `split`
            ("train" or "val"; a key that begins with "split_" will do). More keys are ignored.

    Returns:
        The data set, in the order of the list.

    Raises:
        ValueError: No such file, an entry that is not as described, or a missing picture.

    Example:

    >>> load_boxes_json("scut_head_b_qvga.zip").validation[0].boxes.shape  # doctest: +SKIP
    (26, 4)
    """
    source = Path(source)
    read, exists = _reader(source)
    try:
        rows = json.loads(read("annotations.json"))
    except (KeyError, FileNotFoundError):
        raise ValueError(f"`source` must hold annotations.json. Received: '{source}'") from None
    except ValueError as error:
        raise ValueError(
            f"annotations.json must be JSON. Received: '{source}' ({error})"
        ) from error
    parts: dict[str, list[BoxExample]] = {"train": [], "validation": []}
    for index, row in enumerate(rows if isinstance(rows, list) else [rows]):
        part, example = _example(row, index, source, read)
        if not exists(example.name):
            raise ValueError(
                f"every picture of annotations.json must be there. Received: entry {index} of "
                f"'{source}': no file '{example.name}'"
            )
        parts[part].append(example)
    return BoxDataset(source.stem, tuple(parts["train"]), tuple(parts["validation"]))


def _reader(source: Path) -> tuple[Callable[[str], bytes], Callable[[str], bool]]:
    """Reads a file of the folder or zip `source` by its name; says whether there is one."""
    if source.is_dir():
        return (lambda name: (source / name).read_bytes()), (lambda name: (source / name).is_file())
    if not source.is_file() or not zipfile.is_zipfile(source):
        raise ValueError(f"`source` must be an existing folder or zip. Received: '{source}'")
    archive, lock = zipfile.ZipFile(source), threading.Lock()
    names = frozenset(archive.namelist())

    def read(name: str) -> bytes:
        with lock:
            return archive.read(name)

    return read, names.__contains__


def _example(row, index: int, source: Path, read) -> tuple[str, BoxExample]:
    try:
        file = row["file"]
        split = next(row[key] for key in row if key == "split" or key.startswith("split_"))
        part = _SPLITS[split]
        boxes = np.array(row["boxes_xywh"], np.float32).reshape(-1, 4)
        if not isinstance(file, str):
            raise TypeError("file")
    except (KeyError, TypeError, ValueError, StopIteration):
        raise ValueError(
            "every entry of annotations.json must have a file, a split (train or val) and "
            "boxes_xywh with four numbers per box. "
            f"Received: entry {index} of '{source}': {str(row)[:100]}"
        ) from None
    boxes[:, 2:] += boxes[:, :2]
    return part, BoxExample(file, lambda: read(file), boxes)

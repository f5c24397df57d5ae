"""SCUT-HEAD (part A or B) in its official layout, that of PASCAL VOC."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np

from rnnpool_tf.datasets.boxes import BoxDataset, BoxExample

# Lists of training and validation pictures, the first pair that exists.
_SPLITS = (("trainval", "test"), ("train", "val"))
_SIDES = ("xmin", "ymin", "xmax", "ymax")


def load_scut_head(folder: str | os.PathLike) -> BoxDataset:
    """Pictures of classrooms and crowds with a box around every head.

    Pictures are not read before an example asks for them. Boxes without area are dropped; those
    marked as difficult are `ignored` in evaluation.

    Args:
        folder: Holds `Annotations/*.xml`, `JPEGImages/*.jpg` and, in `ImageSets/Main`, the lists
            `trainval.txt` and `test.txt`, or else `train.txt` and `val.txt`. Corners are kept as
            they are written.

    Raises:
        ValueError: A list, annotation or picture that is missing or malformed, with its name.

    Example:

    >>> print(load_scut_head("SCUT_HEAD_Part_B"))  # doctest: +SKIP
    """
    folder = Path(folder)
    lists = folder / "ImageSets" / "Main"
    for names in _SPLITS:
        files = [lists / f"{name}.txt" for name in names]
        if all(file.is_file() for file in files):
            return BoxDataset(folder.name, *(_examples(folder, file) for file in files))
    raise ValueError(
        "`folder` must have ImageSets/Main with trainval.txt and test.txt, or train.txt and "
        f"val.txt. Received: '{folder}'"
    )


def _examples(folder: Path, names: Path) -> tuple[BoxExample, ...]:
    return tuple(
        _example(folder, line.strip())
        for line in names.read_text(encoding="utf-8").splitlines()
        if line.strip()
    )


def _example(folder: Path, name: str) -> BoxExample:
    picture = folder / "JPEGImages" / f"{name}.jpg"
    if not picture.is_file():
        raise ValueError(f"every listed picture must exist. Received: no file '{picture}'")
    annotation = folder / "Annotations" / f"{name}.xml"
    try:
        heads = ElementTree.parse(annotation).getroot().findall("object")
        boxes = [[float(head.find("bndbox").find(side).text) for side in _SIDES] for head in heads]
        ignored = [int(head.findtext("difficult") or 0) > 0 for head in heads]
    except (OSError, ElementTree.ParseError, AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            "every annotation must be XML with a bndbox of xmin, ymin, xmax, ymax for each object. "
            f"Received: '{annotation}' ({error})"
        ) from error
    return BoxExample(picture.name, picture.read_bytes, np.reshape(boxes, (-1, 4)), ignored)

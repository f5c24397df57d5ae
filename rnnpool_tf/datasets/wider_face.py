"""WIDER FACE in its official layout."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnnpool_tf.datasets.boxes import BoxDataset, BoxExample

# Of a face's line: x y w h blur expression illumination invalid occlusion pose.
_NUMBERS = 10
_INVALID = 7


class WiderAnnotation(NamedTuple):
    """What an annotation file says of one picture.

    Attributes:
        name: `event/name.jpg`.
        boxes: float32 (N, 4): left, top, width, height in pixels of every line, also of those
            without area: WIDER's evaluation counts lines.
        invalid: bool (N,): faces that the annotators could not make out.
    """

    name: str
    boxes: np.ndarray
    invalid: np.ndarray


def load_wider_face(folder: str | os.PathLike) -> BoxDataset:
    """WIDER FACE: 12,880 training and 3,226 validation pictures.

    Pictures are not read, let alone decoded, before an example asks for them. Boxes without area
    are dropped. Faces marked as invalid are trained on (as EdgeML and S3FD do) but `ignored`, so
    that an evaluation neither expects nor punishes them; the official evaluation goes by lists of
    its own (`rnnpool_tf.vision.wider_evaluation`).

    Args:
        folder: Holds `WIDER_train/images`, `WIDER_val/images` and `wider_face_split` with
            `wider_face_train_bbx_gt.txt` and `wider_face_val_bbx_gt.txt`.

    Raises:
        ValueError: A file or picture that is missing, or a line that is not as described in
            WIDER's readme; with file and line.

    Example:

    >>> print(load_wider_face("WIDER_FACE"))  # doctest: +SKIP
    """
    folder = Path(folder)
    return BoxDataset(folder.name, *(_examples(folder, split) for split in ("train", "val")))


def _examples(folder: Path, split: str) -> tuple[BoxExample, ...]:
    source = folder / "wider_face_split" / f"wider_face_{split}_bbx_gt.txt"
    images = folder / f"WIDER_{split}" / "images"
    examples = []
    for name, boxes, invalid in read_wider_annotations(source):
        path = images / name
        if not path.is_file():
            raise ValueError(
                f"every picture of {source.name} must exist. Received: no file '{path}'"
            )
        corners = np.concatenate((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]), 1)
        examples.append(BoxExample(name, path.read_bytes, corners, invalid))
    return tuple(examples)


def read_wider_annotations(path: str | os.PathLike) -> list[WiderAnnotation]:
    """The pictures of `wider_face_train_bbx_gt.txt` or `wider_face_val_bbx_gt.txt`, in order.

    A picture is a line with its name, one with the number of faces and one for each face; after a
    zero follows one line of zeros, which is no face (a file without that line is read as well).

    Raises:
        ValueError: No such file, or a malformed line (with its number).
    """
    path = Path(path)
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"`path` must be an annotation file of WIDER FACE. Received: '{path}' ({error})"
        ) from error
    while lines and not lines[-1].strip():
        lines.pop()
    annotations, position = [], 0

    def malformed(line: int, wanted: str) -> ValueError:
        found = repr(lines[line][:80]) if line < len(lines) else "the end of the file"
        return ValueError(f"line {line + 1} of {path} must be {wanted}. Received: {found}")

    while position < len(lines):
        name = lines[position].strip()
        if not name.endswith(".jpg"):
            raise malformed(position, "the name of a .jpg file")
        text = lines[position + 1].strip() if position + 1 < len(lines) else ""
        if not text.isdecimal():
            raise malformed(position + 1, f"the number of faces of {name}")
        position += 2
        faces = []
        for _ in range(int(text)):
            numbers = _numbers(lines, position)
            if numbers is None:
                raise malformed(position, f"{_NUMBERS} numbers of a face of {name}")
            faces.append(numbers)
            position += 1
        if not faces and _numbers(lines, position) is not None:
            position += 1
        faces = np.reshape(faces, (-1, _NUMBERS)).astype(np.float32)
        annotations.append(WiderAnnotation(name, faces[:, :4], faces[:, _INVALID] > 0))
    return annotations


def _numbers(lines: list[str], position: int) -> list[float] | None:
    """The ten numbers of a line; None if it is another one, or behind the last."""
    try:
        numbers = [float(part) for part in lines[position].split()]
    except IndexError:
        return None
    except ValueError:
        return None
    return numbers if len(numbers) == _NUMBERS else None

"""Average precision on WIDER FACE by its official protocol: easy, medium and hard faces."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnnpool_tf.vision.average_precision import Curve, precision_recall_curve


class WiderSubset(NamedTuple):
    """The faces of all validation pictures, and which of them one difficulty asks for.

    Attributes:
        faces: By picture (`event/name.jpg`): float64 (N, 4), x1, y1, x2, y2 in pixels, of every
            annotated face, also of those without area.
        wanted: By picture: bool (N,). The others are ignored.
    """

    faces: dict[str, np.ndarray]
    wanted: dict[str, np.ndarray]


def wider_curve(
    detections: Mapping[str, np.ndarray], subset: WiderSubset, *, most_faces: int | None = None
) -> Curve:
    """The precision and recall of detections on one subset.

    As WIDER's own program does it: scores are stretched to 0 … 1 over all pictures, boxes include
    their last pixel (so both sides are 1 longer when they are compared), a face is found at an IoU
    of 0.5, and the curve has 1,000 points, whose `scores` are in the detector's unit again.

    Args:
        detections: By picture (`event/name.jpg`): float (N, 5), score, x1, y1, x2, y2 in pixels.
            A picture that is missing has none.
        subset: From `load_wider_subset`.
        most_faces: Take only pictures with at most so many faces; 3 in the paper. Faces of every
            difficulty count, invalid ones included, but those without area do not. Scores are
            then stretched over these pictures.

    Raises:
        ValueError: A picture that the subset does not know, or an array of another shape.
    """
    unknown = sorted(set(detections) - set(subset.faces))
    if unknown:
        raise ValueError(
            "`detections` must be named as the validation pictures, event/name.jpg. "
            f"Received: {unknown[0]!r} and {len(unknown) - 1} more that are none"
        )
    names = [
        name
        for name, faces in subset.faces.items()
        if most_faces is None or (faces[:, 2:] > faces[:, :2]).all(1).sum() <= most_faces
    ]
    found = [_closed(np.asarray(detections.get(name, _NOTHING), np.float64)) for name in names]
    lowest, range_ = _score_range(found)
    found = [np.concatenate(((x[:, :1] - lowest) / range_, x[:, 1:]), 1) for x in found]
    curve = precision_recall_curve(
        found,
        [subset.faces[name] + (0, 0, 1, 1) for name in names],
        [~subset.wanted[name] for name in names],
    )
    return Curve(curve.recall, curve.precision, curve.scores * range_ + lowest)


def load_wider_subset(
    path: str | os.PathLike, annotations: str | os.PathLike | None = None
) -> WiderSubset:
    """One difficulty of the validation set.

    Args:
        path: `wider_easy_val.mat`, `wider_medium_val.mat` or `wider_hard_val.mat` of WIDER's
            evaluation tools, or the same indices as JSON: an object with, for each picture
            (`event/name.jpg`), the list of its wanted faces, counted from 1. Pictures that the
            object does not name have none.
        annotations: `wider_face_val_bbx_gt.txt`, needed with JSON; a .mat holds the faces.

    Raises:
        ValueError: No such file, or another content.
        RuntimeError: A .mat, and scipy is not installed.

    >>> load_wider_subset("wider_hard_val.mat")  # doctest: +SKIP
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"`path` must be an existing .mat or .json file. Received: '{path}'")
    if path.suffix == ".mat":
        faces, indices = _read_mat(path)
    elif annotations is None:
        raise ValueError(f"`annotations` must be given with a JSON file. Received: '{path}'")
    else:
        faces, indices = _read_annotations(annotations), _read_json(path)
    wanted = {name: np.zeros(len(boxes), bool) for name, boxes in faces.items()}
    for name, rows in indices.items():
        if name not in faces or not all(1 <= row <= len(faces[name]) for row in rows):
            raise ValueError(
                "every index must be that of an annotated face, from 1. "
                f"Received: {list(rows)[:10]} for {name!r} in '{path}'"
            )
        wanted[name][np.asarray(rows, int) - 1] = True
    return WiderSubset(faces, wanted)


_NOTHING = np.zeros((0, 5))
# What reading and walking through another or a damaged .mat raises.
_NOT_THAT_MAT = (AttributeError, KeyError, NotImplementedError, OSError, TypeError, ValueError)


def _closed(boxes: np.ndarray) -> np.ndarray:
    """Detections whose right and lower pixel belong to the box; none that is not finite."""
    if boxes.ndim != 2 or boxes.shape[1] != 5:
        raise ValueError(
            "`detections` must be arrays of shape (N, 5): score, x1, y1, x2, y2. "
            f"Received: shape {boxes.shape}"
        )
    return boxes[np.isfinite(boxes).all(1)] + (0, 0, 0, 1, 1)


def _score_range(found: list[np.ndarray]) -> tuple[float, float]:
    """The lowest score and how far above it the highest is; 1 where that is nothing."""
    scores = np.concatenate([np.zeros(0), *(boxes[:, 0] for boxes in found)])
    if not len(scores):
        return 0.0, 1.0
    return float(scores.min()), float(np.ptp(scores)) or 1.0


def _corners(boxes) -> np.ndarray:
    """Left, top, width, height to corners, float64."""
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    return np.concatenate((boxes[:, :2], boxes[:, :2] + boxes[:, 2:]), 1)


def _read_annotations(path: str | os.PathLike) -> dict[str, np.ndarray]:
    from rnnpool_tf.datasets.wider_face import read_wider_annotations

    return {one.name: _corners(one.boxes) for one in read_wider_annotations(path)}


def _read_json(path: Path) -> dict[str, list[int]]:
    try:
        indices = json.loads(path.read_text())
        if not all(isinstance(row, int) for rows in indices.values() for row in rows):
            raise TypeError("an index that is no integer")
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(
            f"`path` must be a JSON object of lists of integers. Received: '{path}' ({error})"
        ) from error
    return indices


def _read_mat(path: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Faces and wanted indices by picture, from cells of cells (events, pictures)."""
    if importlib.util.find_spec("scipy") is None:
        raise RuntimeError(
            f"'{path}' needs scipy, which is not installed: pip install scipy; or give the indices "
            "as JSON"
        )
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    faces, indices = {}, {}
    try:
        content = loadmat(path)
        cells = (content[key] for key in ("event_list", "file_list", "face_bbx_list", "gt_list"))
        for event, files, boxes, rows in zip(*(cell.ravel() for cell in cells), strict=True):
            pictures = zip(files.ravel(), boxes.ravel(), rows.ravel(), strict=True)
            for file, box, row in pictures:
                name = f"{event.item()}/{file.item()}.jpg"
                faces[name] = _corners(box)
                indices[name] = row.ravel().astype(int)
    except (*_NOT_THAT_MAT, MatReadError) as error:
        raise ValueError(
            f"`path` must be a .mat of WIDER's evaluation tools. Received: '{path}' ({error})"
        ) from error
    return faces, indices

"""Precision, recall and average precision of detections in a set of images (NumPy alone)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Curve:
    """Precision and recall at falling thresholds of the score.

    Attributes:
        recall: float64 (points,): found faces by faces; nan if there is no face to find.
        precision: float64 (points,): found faces by detections that count; 1 where none counts.
        scores: float64 (points,): detections with at least this score count.
    """

    recall: np.ndarray
    precision: np.ndarray
    scores: np.ndarray

    @property
    def average_precision(self) -> float:
        """Area under the envelope of precision over recall (PASCAL VOC 2010); nan without faces.

        The envelope at a recall is the highest precision at this or any higher recall.
        """
        if np.isnan(self.recall).any():
            return float("nan")
        envelope = np.maximum.accumulate(self.precision[::-1])[::-1]
        return float(np.sum(np.diff(self.recall, prepend=0.0) * envelope))


def precision_recall_curve(
    detections: Sequence[np.ndarray],
    truths: Sequence[np.ndarray],
    ignored: Sequence[np.ndarray] | None = None,
    *,
    iou: float = 0.5,
    thresholds: int | None = 1000,
) -> Curve:
    """The curve of one detector on a set of images.

    In each image a detection belongs to the face that it overlaps most. It has found this face if
    their IoU is at least `iou` and no detection of a higher score has found it before; a
    detection that belongs to an ignored face (at that IoU) does not count; any other is an error.
    This is the matching of WIDER FACE's evaluation.

    Args:
        detections: Of each image, float (N, 5): score, x1, y1, x2, y2. Rows with a value that is
            not finite are dropped. Any order.
        truths: Of each image, float (M, 4): x1, y1, x2, y2 of its faces, in the same unit.
        ignored: Of each image, bool (M,): faces that need not be found. None: no face.
        iou: Overlap from which a face is found.
        thresholds: Number of points of the curve, at scores 1 − 1/n, 1 − 2/n, …, 0, for which
            scores must lie between 0 and 1 (1,000 in WIDER FACE's evaluation). None is the exact
            curve: a point where nothing counts (score inf) and one for every score that occurs.

    Returns:
        The curve. Without a face to find its recall is nan; without a detection it is 0.

    Raises:
        ValueError: Lists of different lengths, arrays of other shapes, or a score outside 0 … 1
            with `thresholds`.

    Example: of two faces one is found, and one detection finds nothing.

    >>> truths = [np.array([[0, 0, 10, 10], [20, 0, 30, 10]])]
    >>> detections = [np.array([[0.9, 1, 0, 11, 10], [0.8, 50, 50, 60, 60]])]
    >>> curve = precision_recall_curve(detections, truths, thresholds=None)
    >>> curve.recall.tolist(), curve.precision.tolist(), curve.average_precision
    ([0.0, 0.5, 0.5], [1.0, 1.0, 0.5], 0.5)
    """
    detections, truths, ignored = _checked(detections, truths, ignored)
    results = [_matched(*image, iou) for image in zip(detections, truths, ignored, strict=True)]
    scores, found = (np.concatenate(parts) for parts in zip(_NOTHING, *results, strict=True))
    faces = int(sum(np.count_nonzero(~one) for one in ignored))

    if thresholds is None:
        points = np.append(np.unique(scores), np.inf)[::-1]
    elif thresholds < 1:
        raise ValueError(f"`thresholds` must be at least 1 or None. Received: {thresholds}")
    else:
        points = 1 - np.arange(1, thresholds + 1) / thresholds
        if len(scores) and not (scores.min() >= 0 and scores.max() <= 1):
            raise ValueError(
                "scores must be from 0 to 1 (`thresholds=None` takes any). "
                f"Received: scores from {scores.min():g} to {scores.max():g}"
            )
    order = np.argsort(-scores, kind="stable")
    counted = np.searchsorted(-scores[order], -points, side="right")
    found = np.concatenate(([0], np.cumsum(found[order])))[counted]
    recall = found / faces if faces else np.full(len(points), np.nan)
    precision = np.where(counted > 0, found / np.maximum(counted, 1), 1.0)
    return Curve(recall, precision, points)


_NOTHING = (np.zeros(0), np.zeros(0, bool))


def _matched(detections, truths, ignored, iou: float) -> tuple[np.ndarray, np.ndarray]:
    """Score and success of the detections of one image that count, by falling score."""
    detections = detections[np.isfinite(detections).all(1)]
    detections = detections[np.argsort(-detections[:, 0], kind="stable")]
    scores = detections[:, 0]
    if not len(truths) or not len(scores):
        return scores, np.zeros(len(scores), bool)
    overlaps = pairwise_iou(detections[:, 1:], truths)
    face = overlaps.argmax(1)
    meets = overlaps.max(1) >= iou
    # The first detection, by score, of each face that some detection meets.
    rows = np.flatnonzero(meets)
    _, first = np.unique(face[rows], return_index=True)
    found = np.zeros(len(scores), bool)
    found[rows[first]] = True
    counts = ~(meets & ignored[face])
    return scores[counts], found[counts]


def pairwise_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of the boxes `a` (N, 4) with `b` (M, 4), corner form: (N, M).

    0 where both are empty. The same as `rnnpool_tf.vision.boxes.iou`, in NumPy.
    """
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    intersection = np.maximum(sides, 0).prod(-1)
    areas = (box_areas(a)[:, None] + box_areas(b)) - intersection
    return np.divide(intersection, areas, out=np.zeros_like(intersection), where=areas > 0)


def box_areas(boxes: np.ndarray) -> np.ndarray:
    """Areas (N,) of boxes (N, 4) in corner form; 0 for a box whose corners are exchanged."""
    return np.maximum(boxes[:, 2:] - boxes[:, :2], 0).prod(-1)


def _checked(detections, truths, ignored):
    """The three lists as arrays of the shapes that are documented."""
    detections, truths = list(detections), list(truths)
    ignored = [np.zeros(len(one), bool) for one in truths] if ignored is None else list(ignored)
    if not len(detections) == len(truths) == len(ignored):
        raise ValueError(
            "`detections`, `truths` and `ignored` must have an array for each image. "
            f"Received: {len(detections)}, {len(truths)} and {len(ignored)} arrays"
        )
    detections = [_rows(one, 5, "detections") for one in detections]
    truths = [_rows(one, 4, "truths") for one in truths]
    ignored = [np.asarray(one, bool) for one in ignored]
    for boxes, mask in zip(truths, ignored, strict=True):
        if mask.shape != boxes.shape[:1]:
            raise ValueError(
                "`ignored` must have a value for each face of `truths`. "
                f"Received: shapes {mask.shape} and {boxes.shape}"
            )
    return detections, truths, ignored


def _rows(array, columns: int, name: str) -> np.ndarray:
    array = np.asarray(array, np.float64)
    if array.size == 0:
        return np.zeros((0, columns))
    if array.ndim != 2 or array.shape[1] != columns:
        raise ValueError(
            f"`{name}` must be arrays of shape (N, {columns}). Received: shape {array.shape}"
        )
    return array

"""Faces from a detector's int8 maps in NumPy: the specification of the C++ box decoder.

A detector has, per level, a map of offsets `loc` [h, w, 4] and one of class scores `conf` [h, w, 2]
(background, face), and a square anchor per cell, centred at ((column + 0.5) * stride,
(row + 0.5) * stride) pixels. Anchors are numbered over the levels, each row by row. Qn means:
real value = integer * 2**-n; box coordinates are Q4, sixteenths of a pixel, and ``>>`` rounds
towards minus infinity.

==================  =========  =================================================================
value               type       from
==================  =========  =================================================================
logit               int32 Q16  ``(q_face - q_background) * logit_step``, below 2**31 in size
side of a box       uint16 Q4  ``sizes[q + 128]``, from 1 to 65,535
anchor's centre     int32 Q4   ``(2 * column + 1) * stride * 8``, at most 2**19
box's centre        int64 Q20  ``(anchor << 16) + (q - zero_point) * centre_step``, below 2**37
corner              int32 Q4   ``x1 = (centre - (side << 15) + 2**15) >> 16``; ``x2 = x1 + side``
==================  =========  =================================================================

`DetectionLevel` has `logit_step`, `centre_step` and `sizes`, rounded on the host; they contain the
scales and the variances 0.1 and 0.2. A softmax over two scores is the sigmoid of their difference,
so the logit ranks boxes as the probability does, over all levels.

1. Anchors whose logit is larger than the threshold pass.
2. The `candidates` best of them are kept, larger logits first, of equal ones the lower anchor
   first. The others are dropped, and counted.
3. In that order, a candidate becomes a detection unless its box overlaps the box of one before it
   too much: ``(intersection << 15) > iou_threshold_q15 * union``, in int64; areas are below 2**32.
4. It ends with `detections` of them. None at all is an ordinary result.

Boxes are not clipped to the image, as in EdgeML: a face at the border keeps its shape, and clipping
is left to whoever draws. A side that saturates leaves the centre where it is. None is below 1, so
no area is 0 and every intersection over union is defined. Integers have no NaN: maps of any content
give a result.

Against the same decoding in real numbers, a coordinate differs by at most 0.752 of a sixteenth of a
pixel where no side saturates at 1 or 65,535: 1/2 from the shift, 1/4 from half the side,
255 * 2**-17 from `centre_step`. A logit differs by at most 255 * 2**-17 = 0.002 from `logit_step`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnpool_tf.integer.detection_setup import (
    LARGEST_EXTENT,
    STEPS,
    DetectionLevel,
    DetectionSettings,
)
from rnnpool_tf.integer.tables import MINUS_SIGMOID_Q17, SIGMOID_ENTRIES

__all__ = ["DetectionLevel", "DetectionSettings", "Detections", "decode_detections"]

MAX_LEVELS = 8


@dataclass(frozen=True, eq=False)
class Detections:
    """Faces, best first.

    Attributes:
        boxes: int32 [n, 4]: x1, y1, x2, y2 in sixteenths of a pixel, not clipped.
        logits: int32 [n]: of the face probability, Q16.
        dropped: Anchors that passed the threshold beyond the capacity for candidates.
    """

    boxes: np.ndarray
    logits: np.ndarray
    dropped: int

    def __len__(self) -> int:
        return len(self.logits)

    @property
    def scores(self) -> np.ndarray:
        """Face probabilities, float64 [n]."""
        return (1 + np.tanh(self.logits / 2.0**17)) / 2

    @property
    def probabilities_q15(self) -> np.ndarray:
        """Face probabilities as a device computes them, int32 [n] in Q15.

        From the int8 operator's table of sigmoids; within 0.001 of `scores`.
        """
        middle = SIGMOID_ENTRIES // 2
        index = np.clip((self.logits >> 9) + middle, 0, SIGMOID_ENTRIES - 1)
        return (2 - MINUS_SIGMOID_Q17[index]) >> 2

    @property
    def pixels(self) -> np.ndarray:
        """`boxes` in pixels, float64 [n, 4]."""
        return self.boxes / STEPS


def decode_detections(
    levels: Sequence[DetectionLevel],
    maps: Sequence[np.ndarray],
    *,
    score_threshold: float = 0.05,
    iou_threshold: float = 0.3,
    candidates: int = 5000,
    detections: int = 750,
) -> Detections:
    """Decodes the maps of one image and removes boxes that overlap better ones.

    Source: Saha et al., 2020, §5.2, after S3FD (Zhang et al., 2017); numbers by EdgeML.

    Args:
        levels: 1 to 8 levels.
        maps: loc0, conf0, loc1, conf1, …: int8 [h, w, 4] and [h, w, 2] of each level; height and
            width times the stride are at most 32,768.
        score_threshold: Faces with a larger probability are kept; 0.05 for QVGA models, 0.01 for
            VGA ones.
        iou_threshold: A box goes whose intersection over union with a better one is larger.
        candidates: How many of the best boxes are compared at all.
        detections: How many faces there can be.

    Returns:
        `Detections`, best first.

    Raises:
        ValueError: Wrong number, dtype or shape of maps, or a malformed argument.

    Example::

        level = DetectionLevel(8, 16, 0.05, 0, 0.1, 0)
        loc, conf = np.zeros((30, 40, 4), np.int8), np.zeros((30, 40, 2), np.int8)
        conf[:, :, 1] = -50
        conf[2, 3, 1] = 20
        decode_detections([level], [loc, conf]).pixels  # [[20, 12, 36, 28]]
    """
    settings = DetectionSettings(score_threshold, iou_threshold, candidates, detections)
    check_maps(levels, maps)
    logits, boxes = [], []
    for level, loc, conf in zip(levels, maps[::2], maps[1::2], strict=True):
        logits.append(_logits(level, conf))
        boxes.append(_boxes(level, loc))
    logits, boxes = np.concatenate(logits), np.concatenate(boxes)

    passed = np.flatnonzero(logits > settings.logit_threshold)
    # A stable sort: of equal logits the lower anchor stays first.
    order = np.argsort(-logits[passed], kind="stable")
    best = passed[order][: settings.candidates]
    kept = best[_without_overlaps(boxes[best], settings)]
    return Detections(
        boxes[kept].astype(np.int32), logits[kept].astype(np.int32), len(passed) - len(best)
    )


def check_maps(levels: Sequence[DetectionLevel], maps: Sequence[np.ndarray]) -> None:
    """Raises ValueError unless `maps` are those of `levels`; see `decode_detections`."""
    if not 1 <= len(levels) <= MAX_LEVELS:
        raise ValueError(f"`levels` must be 1 to {MAX_LEVELS} levels. Received: {len(levels)}")
    if len(maps) != 2 * len(levels):
        raise ValueError(
            f"`maps` must be two for each of {len(levels)} levels, loc and conf. "
            f"Received: {len(maps)} maps"
        )
    for index, level in enumerate(levels):
        if not isinstance(level, DetectionLevel):
            raise ValueError(
                f"`levels` must hold DetectionLevel objects. Received: {type(level).__name__}"
            )
        loc, conf = maps[2 * index : 2 * index + 2]
        for name, array, values in (("loc", loc, 4), ("conf", conf, 2)):
            if (
                not isinstance(array, np.ndarray)
                or array.dtype != np.int8
                or array.ndim != 3
                or array.shape[2] != values
            ):
                raise ValueError(
                    f"{name} of level {index} in `maps` must be an int8 array of shape "
                    f"[height, width, {values}]. Received: "
                    f"{getattr(array, 'dtype', type(array).__name__)} with shape {np.shape(array)}"
                )
        if loc.shape[:2] != conf.shape[:2]:
            raise ValueError(
                f"loc and conf of level {index} in `maps` must have one height and width. "
                f"Received: {loc.shape} and {conf.shape}"
            )
        sides = [cells * level.stride for cells in loc.shape[:2]]
        if min(sides) < 1 or max(sides) > LARGEST_EXTENT:
            raise ValueError(
                f"level {index} in `maps` must cover 1 to {LARGEST_EXTENT} pixels in height and "
                f"width. Received: shape={loc.shape}, stride={level.stride}"
            )


def _logits(level: DetectionLevel, conf: np.ndarray) -> np.ndarray:
    """Q16 [h * w], int64."""
    wide = conf.reshape(-1, 2).astype(np.int64)
    return (wide[:, 1] - wide[:, 0]) * level.logit_step


def _boxes(level: DetectionLevel, loc: np.ndarray) -> np.ndarray:
    """Q4 [h * w, 4]: x1, y1, x2, y2, int64."""
    rows, columns = np.indices(loc.shape[:2])
    cells = np.stack([columns, rows], axis=-1).reshape(-1, 2)
    anchors = (2 * cells + 1) * level.stride * (STEPS // 2)
    wide = loc.reshape(-1, 4).astype(np.int64)
    centres = (anchors << 16) + (wide[:, :2] - level.loc_zero_point) * level.centre_step
    sides = level.sizes[wide[:, 2:] + 128].astype(np.int64)
    corners = (centres - (sides << 15) + (1 << 15)) >> 16
    return np.concatenate([corners, corners + sides], axis=1)


def _without_overlaps(boxes: np.ndarray, settings: DetectionSettings) -> list[int]:
    """Greedy non-maximum suppression: indices of the boxes that stay."""
    kept: list[int] = []
    for index, box in enumerate(boxes):
        if len(kept) == settings.detections:
            break
        if not np.any(_overlap(box, boxes[kept], settings.iou_threshold_q15)):
            kept.append(index)
    return kept


def _overlap(box: np.ndarray, others: np.ndarray, threshold_q15: int) -> np.ndarray:
    """Whether the box's intersection over union with each of the others exceeds the threshold."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    intersection = np.prod(np.maximum(sides, 0), axis=1)
    union = np.prod(box[2:] - box[:2]) + np.prod(others[:, 2:] - others[:, :2], axis=1)
    return (intersection << 15) > threshold_q15 * (union - intersection)

"""Detection at several sizes of a picture, merged by box voting (RNNPool's WIDER FACE figures)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from rnnpool_tf.vision.average_precision import pairwise_iou

Detect = Callable[[np.ndarray], np.ndarray]

# Pixels to which a picture is enlarged at most, so that WIDER's largest fit into memory.
LARGEST_AREA = 1700 * 1200
# Sides in pixels of the picture: a shrunk pass may find larger faces, an enlarged one smaller.
_LEAST_SIDE, _MOST_SIDE = 30, 100
SMALLEST_SCORE = 0.05


def multi_scale_detect(detect: Detect, image: np.ndarray) -> np.ndarray:
    """The faces of one picture from passes at several sizes and one of its mirror image.

    With m² = 1700·1200 / (height·width) the passes are, in this order,

    * min(m, 1), as it is and mirrored;
    * one half (or m/2 if m is less than 3/4), of which boxes with a longer side above 30 stay;
    * if m is above 1: min(2, m), then doubled while below m, then m itself, of which boxes with a
      shorter side below 100 stay; otherwise the mean of m and the size before, of which boxes with
      a longer side above 30 stay.

    Sides are in pixels of the picture. All boxes with a score of at least 0.05 vote (`vote`).
    Source: EdgeML's WIDER FACE test, after S3FD.

    Args:
        detect: Takes a picture, uint8 (h, w, 3), of any size and returns float (N, 5): score and
            corners x1, y1, x2, y2 in its pixels; a `Detector` with `area=math.inf`, which pads
            pictures of sizes that its network does not take. A box that no other box, of this
            pass or another one, supports is discarded.
        image: uint8 (height, width, 3), RGB.

    Returns:
        float64 (N, 5), at most 750 rows, by falling score: score, x1, y1, x2, y2 in pixels.

    Example: a detector that finds one face and, half as sure, one that is slightly larger.

    >>> def detect(image):
    ...     h, w = image.shape[:2]
    ...     left, right = w / 4, w * 3 / 4
    ...     return np.array([[0.8, left, 0, right, h / 2], [0.4, left, 0, right, h * 0.8]])
    >>> multi_scale_detect(detect, np.zeros((120, 160, 3), np.uint8)).round(1).tolist()
    [[0.8, 40.0, 0.0, 120.0, 72.0]]
    """
    image = _checked(image)
    most = math.sqrt(LARGEST_AREA / (image.shape[0] * image.shape[1]))
    first = min(most, 1.0)
    found = [_scaled(detect, image, first), _mirrored(detect, image, first)]

    shrunk = 0.5 if most >= 0.75 else 0.5 * most
    boxes = _scaled(detect, image, shrunk)
    found.append(boxes[_sides(boxes).max(1) > _LEAST_SIDE])

    scales = enlarged_scales(most, shrunk)
    boxes = np.concatenate([_scaled(detect, image, scale) for scale in scales])
    sides = _sides(boxes)
    if most > 1:
        found.append(boxes[sides.min(1) < _MOST_SIDE])
    else:
        found.append(boxes[sides.max(1) > _LEAST_SIDE])
    return vote(np.concatenate(found))


def enlarged_scales(most: float, shrunk: float) -> list[float]:
    """The sizes of the passes that look for small faces, for the factors `most` and `shrunk`.

    >>> enlarged_scales(5.0, 0.5), enlarged_scales(1.5, 0.5), enlarged_scales(0.75, 0.25)
    ([2.0, 4.0, 5.0], [1.5], [0.5])
    """
    if most <= 1:
        return [(shrunk + most) / 2]
    scales = [min(2.0, most)]
    while scales[-1] * 2 < most:
        scales.append(scales[-1] * 2)
    return [*scales, most] if most > 2 else scales


def vote(boxes: np.ndarray, iou: float = 0.3, keep: int = 750) -> np.ndarray:
    """Merges boxes that overlap: each group becomes one box, a group of one is discarded.

    A group is the box of the highest score that is left and all that overlap it with an IoU of at
    least `iou`. Its corners are the mean weighted by score, its score is the highest. Source:
    Gidaris and Komodakis, ICCV 2015, §4.2, as S3FD uses it.

    Args:
        boxes: float (N, 5): score, x1, y1, x2, y2. Rows with a value that is not finite are
            dropped.
        iou: Overlap that makes a group.
        keep: Groups at most, those of the highest scores.

    Returns:
        float64 (at most `keep`, 5), by falling score.

    >>> vote(np.array([[0.9, 0, 0, 10, 10], [0.3, 0, 0, 10, 14], [0.8, 50, 50, 60, 60]]))
    array([[ 0.9,  0. ,  0. , 10. , 11. ]])
    """
    boxes = _rows(boxes)
    boxes = boxes[np.isfinite(boxes).all(1)]
    boxes = boxes[np.argsort(-boxes[:, 0], kind="stable")]
    merged = []
    while len(boxes) and len(merged) < keep:
        member = pairwise_iou(boxes[:1, 1:], boxes[:, 1:])[0] >= iou
        member[0] = True  # also if it is empty, and overlaps nothing
        group, boxes = boxes[member], boxes[~member]
        weights = group[:, 0]
        if len(group) > 1 and weights.sum() > 0:
            merged.append((group[0, 0], *(weights @ group[:, 1:] / weights.sum())))
    return np.reshape(merged, (-1, 5))


def _scaled(detect: Detect, image: np.ndarray, scale: float) -> np.ndarray:
    """What `detect` finds in the picture resized by `scale`, in pixels of `image`."""
    from PIL import Image

    height, width = image.shape[:2]
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    if size != (width, height):
        resized = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)
        boxes = _rows(detect(np.asarray(resized)))
    else:
        boxes = _rows(detect(image))
    boxes = boxes[boxes[:, 0] >= SMALLEST_SCORE]
    return boxes * (1, width / size[0], height / size[1], width / size[0], height / size[1])


def _mirrored(detect: Detect, image: np.ndarray, scale: float) -> np.ndarray:
    boxes = _scaled(detect, np.ascontiguousarray(image[:, ::-1]), scale)
    boxes[:, 1], boxes[:, 3] = image.shape[1] - boxes[:, 3], image.shape[1] - boxes[:, 1]
    return boxes


def _sides(boxes: np.ndarray) -> np.ndarray:
    return boxes[:, 3:] - boxes[:, 1:3]


def _rows(boxes) -> np.ndarray:
    boxes = np.asarray(boxes, np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 5:
        raise ValueError(
            f"boxes must be of shape (N, 5): score, x1, y1, x2, y2. Received: shape {boxes.shape}"
        )
    return boxes


def _checked(image) -> np.ndarray:
    image = np.asarray(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ValueError(
            "`image` must be uint8 of shape (height, width, 3). "
            f"Received: {image.dtype} of shape {image.shape}"
        )
    return image

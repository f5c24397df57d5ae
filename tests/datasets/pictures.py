"""A picture with coloured rectangles, and what shows of them after an augmentation."""

from __future__ import annotations

import numpy as np

BACKGROUND = 90
BOXES = np.array([[30, 40, 62, 70], [150, 100, 190, 141], [100, 10, 124, 36]], np.float32)


def rectangles(height: int = 200, width: int = 260, boxes: np.ndarray = BOXES) -> np.ndarray:
    """uint8 (height, width, 3): white rectangles at `boxes` on a dark grey ground."""
    image = np.full((height, width, 3), BACKGROUND, np.uint8)
    for x1, y1, x2, y2 in boxes.astype(int):
        image[y1:y2, x1:x2] = 255
    return image


def seen_box(bright: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Corners in pixels of the bright part around `box` (relative), from a mask (height, width).

    Only what lies within 6 pixels of the box is looked at, so that other rectangles do not count.
    """
    height, width = bright.shape
    x1, y1, x2, y2 = box * (width, height, width, height)
    left, top = max(int(x1) - 6, 0), max(int(y1) - 6, 0)
    rows, columns = np.nonzero(bright[top : int(y2) + 7, left : int(x2) + 7])
    assert len(rows), "nothing bright is where the box says"
    return np.array(
        [columns.min() + left, rows.min() + top, columns.max() + left + 1, rows.max() + top + 1]
    )

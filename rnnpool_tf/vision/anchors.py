"""Anchors: one square per cell of every detection level (Saha et al., 2020, §5.2, after S3FD)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class AnchorLevel(NamedTuple):
    """One detection level.

    Attributes:
        stride: Pixels from one cell to the next.
        size: Side of the cell's square anchor in pixels.
    """

    stride: int
    size: int


QVGA_LEVELS = (AnchorLevel(8, 8), AnchorLevel(8, 16), AnchorLevel(16, 32), AnchorLevel(16, 48))
VGA_LEVELS = tuple(AnchorLevel(stride, 4 * stride) for stride in (4, 8, 16, 32, 64, 128))
# Scores above which a box counts in the paper's evaluation (EdgeML's decoding).
QVGA_SCORE_THRESHOLD, VGA_SCORE_THRESHOLD = 0.05, 0.01


def make_anchors(levels: Sequence[AnchorLevel], height: int, width: int) -> np.ndarray:
    """All anchors of an image, in the order of the networks' outputs.

    Args:
        levels: Of the network.
        height: Of the image in pixels.
        width: Of the image in pixels.

    Returns:
        float32 (anchors, 4): centre x, centre y, width, height as parts of the image's width and
        height; level by level, each row by row. Nothing is clipped to the image.

    Raises:
        ValueError: A size that is not a multiple of 8, of which the detectors' RNNPool layers make
            maps with fewer cells than strides; or no level, or one without extent.

    >>> make_anchors(QVGA_LEVELS, 240, 320).shape
    (3000, 4)
    """
    if min(height, width) < 1 or height % 8 or width % 8:
        raise ValueError(
            "`height` and `width` must be multiples of 8, of which a detector's maps have a cell "
            f"for every stride. Received: height={height}, width={width}"
        )
    if not levels or any(min(level) < 1 for level in levels):
        raise ValueError(
            "`levels` must be at least one pair of a positive stride and a positive size. "
            f"Received: levels={levels}"
        )
    anchors = []
    for stride, size in levels:
        # A map has a cell for every begun stride: its convolutions are padded.
        rows, columns = -(-height // stride), -(-width // stride)
        cy, cx = np.meshgrid(np.arange(rows) + 0.5, np.arange(columns) + 0.5, indexing="ij")
        box = (cx * stride / width, cy * stride / height, size / width, size / height)
        anchors.append(np.stack(np.broadcast_arrays(*box), -1).reshape(-1, 4))
    return np.concatenate(anchors).astype(np.float32)

"""Anchors against the reference's and against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.vision.anchors import QVGA_LEVELS, VGA_LEVELS, make_anchors

pytestmark = pytest.mark.keras_free


def test_reference(golden):
    expected = golden("face_multibox_match_loss.npz")["priors_cxcywh"]
    np.testing.assert_array_equal(make_anchors(QVGA_LEVELS, 320, 320), expected)


@pytest.mark.parametrize(
    ("levels", "height", "width", "count"),
    [
        (QVGA_LEVELS, 240, 320, 3000),
        (VGA_LEVELS, 480, 640, 25600),
        (VGA_LEVELS, 640, 640, 34125),
        (VGA_LEVELS, 72, 136, 18 * 34 + 9 * 17 + 5 * 9 + 3 * 5 + 2 * 3 + 1 * 2),
    ],
)
def test_every_cell_has_its_anchor(levels, height, width, count):
    expected = []
    for stride, size in levels:
        for row in range((height + stride - 1) // stride):
            for column in range((width + stride - 1) // stride):
                cx, cy = (column + 0.5) * stride / width, (row + 0.5) * stride / height
                expected.append((cx, cy, size / width, size / height))
    anchors = make_anchors(levels, height, width)
    assert anchors.dtype == np.float32 and len(anchors) == count
    np.testing.assert_array_equal(anchors, np.float32(expected))


@pytest.mark.parametrize("size", [(0, 320), (240, 0), (-8, 8), (244, 320), (240, 321)])
def test_sizes_that_the_networks_do_not_take(size):
    with pytest.raises(ValueError, match="must be multiples of 8"):
        make_anchors(QVGA_LEVELS, *size)


@pytest.mark.parametrize("levels", [(), ((0, 8),), ((8, 0),)], ids=["none", "stride", "size"])
def test_levels_without_extent(levels):
    with pytest.raises(ValueError, match="`levels` must be at least one pair of a positive stride"):
        make_anchors(levels, 240, 320)

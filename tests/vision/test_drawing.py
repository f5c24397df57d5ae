"""Frames on pictures, also where a box leaves the picture."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.vision.drawing import FOUND, draw_boxes, side_by_side

pytestmark = pytest.mark.keras_free


def test_frame_is_where_the_box_is():
    drawn = np.asarray(draw_boxes(np.zeros((40, 60, 3), np.uint8), [[10, 5, 30, 25]]))
    rows, columns = np.nonzero((drawn == FOUND).all(-1))
    assert (columns.min(), rows.min(), columns.max(), rows.max()) == (10, 5, 30, 25)
    assert (drawn[6:25, 11:30] == 0).all()


@pytest.mark.parametrize(
    "boxes",
    [[], [[-50, -50, 500, 500]], [[70, 50, 90, 80]], [[5, 5, 5, 5]], [[1e9, -1e9, 1e9, 1e9]]],
    ids=["none", "all around", "outside", "without area", "far away"],
)
def test_every_box_can_be_drawn(boxes):
    scores = np.linspace(0, 1, len(boxes))
    picture = draw_boxes(np.zeros((40, 60, 3), np.uint8), np.array(boxes), scores=scores)
    assert picture.size == (60, 40)


def test_side_by_side_holds_all():
    pictures = [draw_boxes(np.zeros((40, 60, 3), np.uint8), []) for _ in range(3)]
    row = side_by_side(pictures, ("a", "b", "c"))
    assert row.width >= 180 and row.height > 40

"""Lines and shapes: reproducible, labelled by what is drawn, and refused where impossible."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.datasets.canvas import Canvas
from rnnpool_tf.datasets.probe_pictures import (
    ORIENTATIONS,
    SHAPES,
    line_pictures,
    many_line_pictures,
    shape_pictures,
)

pytestmark = pytest.mark.keras_free

KINDS = {
    "lines": (line_pictures, 9, (1, 1)),
    "many lines": (many_line_pictures, 9, (1, 4)),
    "shapes": (shape_pictures, 5, (1, 5)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [32, 64])
def test_shapes_labels_and_seeds(kind, size):
    draw, classes, (fewest, most) = KINDS[kind]
    pictures = draw(40, size, seed=3)
    assert pictures.images.shape == (40, size, size, 1)
    assert pictures.images.dtype == np.uint8
    assert pictures.labels.shape == (40, len(pictures.classes)) == (40, classes)
    counts = pictures.labels.sum(axis=1)
    assert (counts.min(), counts.max()) == (fewest, most)
    later = draw(10, size, seed=3, first=30)
    np.testing.assert_array_equal(later.images, pictures.images[30:])
    np.testing.assert_array_equal(later.labels, pictures.labels[30:])
    assert not np.array_equal(draw(1, size, seed=4).images, pictures.images[:1])


def test_a_line_has_the_orientation_of_its_label():
    pictures = line_pictures(60, 64, seed=1)
    for image, label in zip(pictures.images[..., 0], pictures.labels, strict=True):
        rows, columns = np.nonzero(image > 150)
        # The longer principal axis of the bright pixels, angles counted as in a drawing.
        spread = np.cov(np.stack([columns, -rows]))
        along = np.linalg.eigh(spread)[1][:, -1]
        angle = np.degrees(np.arctan2(along[1], along[0])) % 180
        error = (angle - ORIENTATIONS[int(np.argmax(label))] + 90) % 180 - 90
        assert abs(error) < 8  # less than half of what lies between two classes


def test_a_shape_fills_its_part_of_the_circle():
    """Area over that of the circle through the corners: n / (2 π) · sin(2 π / n)."""
    for name, corners in zip(SHAPES[1:], (3, 4, 5, 6), strict=True):
        angles = np.pi / 2 + np.pi / corners + 2 * np.pi * np.arange(corners) / corners
        canvas = Canvas(np.zeros((200, 200, 1), np.float32))
        canvas.polygon(0.5 + 0.4 * np.stack([np.cos(angles), np.sin(angles)], 1), 1.0)
        expected = corners / 2 * np.sin(2 * np.pi / corners) * 0.4**2
        assert canvas.pixels.mean() == pytest.approx(expected, rel=0.01), name  # soft edges


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0}, r"`count` must be at least 1\. Received: count=0"),
        ({"count": 1, "size": 8}, r"`size` must be at least 16\. Received: size=8"),
        ({"count": 1, "first": -1}, "`first` must be at least 0"),
        ({"count": "a"}, r"`count` must be an integer\. Received: count='a'"),
        ({"count": 1, "size": 32.5}, r"`size` must be an integer\. Received: size=32\.5"),
    ],
    ids=["count", "size", "first", "no number", "no integer"],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        line_pictures(**arguments)

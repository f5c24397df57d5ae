"""Passes at several sizes, and box voting against plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.vision.average_precision import pairwise_iou
from rnnpool_tf.vision.multi_scale import enlarged_scales, multi_scale_detect, vote

pytestmark = pytest.mark.keras_free

FACE = np.array([20.0, 30, 50, 70])


def slow_vote(boxes, iou, keep) -> list[list[float]]:
    left = sorted(boxes.tolist(), key=lambda row: -row[0])
    merged = []
    while left:
        best = np.array([left[0]])
        near = [r for r in left[1:] if pairwise_iou(best[:, 1:], np.array([r[1:]]))[0, 0] >= iou]
        group = [left[0], *near]
        left = [row for row in left[1:] if row not in near]
        if len(group) > 1:
            total = sum(row[0] for row in group)
            corners = [sum(row[0] * row[i] for row in group) / total for i in range(1, 5)]
            merged.append([group[0][0], *corners])
    return merged[:keep]


@pytest.mark.parametrize("keep", [3, 750])
@pytest.mark.parametrize("iou", [0.3, 0.6])
def test_voting_equals_plain_loops(iou, keep):
    for seed in range(3):
        print(f"seed {seed}")
        rng = np.random.default_rng(seed)
        corner = np.repeat(rng.uniform(0, 300, (25, 2)), 6, 0) + rng.normal(0, 3, (150, 2))
        boxes = np.concatenate((corner, corner + rng.uniform(15, 30, (150, 2))), 1)
        boxes = np.concatenate((rng.uniform(0.05, 1, (150, 1)), boxes), 1)
        expected = slow_vote(boxes, iou, keep)
        # Sums in another order.
        np.testing.assert_allclose(vote(boxes, iou, keep), expected, rtol=1e-12)
        assert 3 <= len(expected) <= keep


@pytest.mark.parametrize(
    "boxes",
    [np.zeros((0, 5)), [[0.9, 0, 0, 9, 9]], [[0.9, 5, 5, 5, 5], [np.nan, 0, 0, 1, 1]]],
    ids=["none", "one", "empty and nan"],
)
def test_voting_without_a_group(boxes):
    assert vote(np.array(boxes)).shape == (0, 5)


class Recorder:
    """A detector that finds a fixed face of the picture, twice, wherever the picture is shown.

    The face is found through the picture's white rectangle.
    """

    def __init__(self):
        self.sizes = []

    def __call__(self, image):
        self.sizes.append(image.shape[:2])
        rows, columns = np.nonzero(image.mean(2) > 128)
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        return np.array([[0.9, *box], [0.6, *box], [0.04, 0, 0, 5, 5], [0.03, 0, 0, 5, 5]])


def picture(height: int, width: int, box=FACE) -> np.ndarray:
    image = np.zeros((height, width, 3), np.uint8)
    x1, y1, x2, y2 = box.astype(int)
    image[y1:y2, x1:x2] = 255
    return image


def test_the_passes_of_a_picture_and_their_boxes():
    detect = Recorder()
    (found,) = multi_scale_detect(detect, picture(600, 850))  # m = 2
    assert detect.sizes == [(600, 850), (600, 850), (300, 425), (1200, 1700)]
    assert found[0] == 0.9
    # Mirrored back and scaled back, all agree to a pixel of the picture at half its size.
    np.testing.assert_allclose(found[1:], FACE, atol=2)


@pytest.mark.parametrize(
    ("size", "passes"),
    [
        ((300, 425), [1, 1, 0.5, 2, 4]),  # m = 4: the doubling that reaches m is m's own pass
        ((200, 340), [1, 1, 0.5, 2, 4, (1200 * 1700 / (200 * 340)) ** 0.5]),
        ((1200, 1700), [1, 1, 0.5, 0.75]),
        ((2400, 3400), [0.5, 0.5, 0.25, 0.375]),  # m = 1/2
        ((1000, 1500), [1, 1, 0.5, 1.36**0.5]),
    ],
    ids=lambda value: str(value) if isinstance(value, tuple) else "",
)
def test_sizes_of_passes(size, passes):
    detect = Recorder()
    multi_scale_detect(detect, picture(*size, box=FACE * 2))
    assert [h for h, _ in detect.sizes] == [round(size[0] * scale) for scale in passes]


def test_enlarged_sizes():
    assert enlarged_scales(2.0, 0.5) == [2]
    assert enlarged_scales(4.5, 0.5) == [2, 4, 4.5]
    assert enlarged_scales(9.0, 0.5) == [2, 4, 8, 9]
    assert enlarged_scales(1.0, 0.5) == [0.75]


def constant_size(box):
    """Finds one box of the original picture, whatever its size (600 × 850) was changed to."""

    def detect(image):
        scale = image.shape[1] / 850
        return np.array([[0.9, *(np.array(box) * scale)]])

    return detect


@pytest.mark.parametrize(
    ("box", "votes"),
    [
        # Symmetric boxes, so that the mirrored pass agrees.
        ((415, 100, 435, 120), 3),  # small: not from the shrunk pass
        ((405, 100, 445, 140), 4),
        ((325, 100, 525, 300), 3),  # large: not from the enlarged pass
    ],
    ids=["small", "middle", "large"],
)
def test_passes_look_for_faces_of_their_size(box, votes, monkeypatch):
    given = []
    monkeypatch.setattr("rnnpool_tf.vision.multi_scale.vote", lambda boxes: given.append(boxes))
    multi_scale_detect(constant_size(box), np.zeros((600, 850, 3), np.uint8))
    np.testing.assert_allclose(given[0], [[0.9, *box]] * votes)


def test_nothing_found():
    found = multi_scale_detect(lambda image: np.zeros((0, 5)), np.zeros((40, 30, 3), np.uint8))
    assert found.shape == (0, 5)


@pytest.mark.parametrize("size", [(1, 1), (1, 5000)])
def test_extreme_pictures(size):
    found = multi_scale_detect(
        lambda image: np.array([[1.0, 0, 0, 1, 1]]), np.zeros((*size, 3), np.uint8)
    )
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)],
    ids=["grey", "float", "empty"],
)
def test_bad_pictures(image):
    with pytest.raises(ValueError, match="`image` must be uint8 of shape"):
        multi_scale_detect(lambda image: np.zeros((0, 5)), image)


def test_bad_detectors():
    with pytest.raises(ValueError, match=r"boxes must be of shape \(N, 5\)"):
        multi_scale_detect(lambda image: np.zeros((3, 4)), np.zeros((8, 8, 3), np.uint8))

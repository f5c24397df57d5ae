"""Forms, overlaps and coding of boxes."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.vision.average_precision import pairwise_iou
from rnnpool_tf.vision.boxes import decode, encode, iou, to_centres, to_corners

pytestmark = pytest.mark.keras_free


def random_corners(rng, count: int) -> np.ndarray:
    first = rng.uniform(-0.2, 0.9, (count, 2))
    return np.concatenate((first, first + rng.uniform(0.01, 0.5, (count, 2))), 1).astype(np.float32)


def test_forms_are_inverse():
    corners = random_corners(np.random.default_rng(0), 50)
    centres = to_centres(corners).numpy()
    np.testing.assert_allclose(centres[:, 2:], corners[:, 2:] - corners[:, :2])
    # Two roundings of numbers below 1.5.
    np.testing.assert_allclose(to_corners(centres), corners, atol=3e-7)


def test_overlaps_equal_plain_loops():
    rng = np.random.default_rng(1)
    a, b = random_corners(rng, 20), random_corners(rng, 30)
    overlaps = iou(a, b).numpy()
    for i in range(len(a)):
        for j in range(len(b)):
            sides = np.minimum(a[i, 2:], b[j, 2:]) - np.maximum(a[i, :2], b[j, :2])
            common = max(sides[0], 0) * max(sides[1], 0)
            both = np.prod(a[i, 2:] - a[i, :2]) + np.prod(b[j, 2:] - b[j, :2]) - common
            assert overlaps[i, j] == pytest.approx(common / both, abs=1e-6)  # float32
    np.testing.assert_allclose(overlaps, pairwise_iou(a, b), atol=1e-6)


def test_empty_boxes_have_no_overlap():
    assert iou(np.zeros((1, 4), np.float32), np.zeros((2, 4), np.float32)).numpy().tolist() == [
        [0, 0]
    ]


def test_decoding_inverts_encoding():
    rng = np.random.default_rng(2)
    corners, anchors = random_corners(rng, 100), to_centres(random_corners(rng, 100))
    # exp and log of float32, on offsets up to about 500.
    np.testing.assert_allclose(decode(encode(corners, anchors), anchors), corners, atol=2e-6)


def test_the_code_of_a_box():
    anchor = np.array([[0.5, 0.5, 0.2, 0.4]], np.float32)
    box = np.array([[0.42, 0.3, 0.62, 0.7]], np.float32)  # shifted by a tenth of the width
    np.testing.assert_allclose(encode(box, anchor), [[1, 0, 0, 0]], atol=1e-5)
    twice = np.array([[0.3, 0.5 - 0.2 * np.e, 0.7, 0.5 + 0.2 * np.e]], np.float32)
    expected = [[0, 0, 5 * np.log(2), 5]]
    np.testing.assert_allclose(encode(twice, anchor), expected, atol=1e-5)

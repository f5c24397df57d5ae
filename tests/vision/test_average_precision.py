"""Precision, recall and average precision against plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rnnpool_tf.vision.average_precision import pairwise_iou, precision_recall_curve

pytestmark = pytest.mark.keras_free

NO_DETECTIONS, NO_FACES = np.zeros((0, 5)), np.zeros((0, 4))
FACE = np.array([[0.0, 0.0, 10.0, 10.0]])


def slow_iou(a, b) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(width, 0) * max(height, 0)
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / both if both > 0 else 0.0


def slow_counts(detections, truths, ignored, least, iou) -> tuple[int, int]:
    """Faces found and detections that count, taking detections with at least `least`."""
    found = counted = 0
    for rows, faces, skip in zip(detections, truths, ignored, strict=True):
        taken = set()
        for row in sorted(rows, key=lambda row: -row[0]):
            if row[0] < least:
                continue
            overlaps = [slow_iou(row[1:], face) for face in faces]
            best = max(range(len(faces)), key=overlaps.__getitem__) if overlaps else None
            if best is not None and overlaps[best] >= iou:
                if skip[best]:
                    continue
                if best not in taken:
                    taken.add(best)
                    found += 1
            counted += 1
    return found, counted


def slow_average_precision(recall, precision) -> float:
    area, before = 0.0, 0.0
    for index, value in enumerate(recall):
        area += (value - before) * max(precision[index:])
        before = value
    return area


def scene(seed: int):
    """Images with random faces, some ignored, and detections near faces or anywhere."""
    print(f"seed {seed}")
    rng = np.random.default_rng(seed)
    detections, truths, ignored = [], [], []
    for _ in range(12):
        corner = rng.uniform(0, 100, (rng.integers(0, 9), 2))
        faces = np.concatenate((corner, corner + rng.uniform(4, 30, corner.shape)), 1)
        near = np.repeat(faces, rng.integers(0, 4), 0)
        near = near + rng.normal(0, 2.5, near.shape)
        corner = rng.uniform(0, 100, (rng.integers(0, 5), 2))
        far = np.concatenate((corner, corner + rng.uniform(4, 30, corner.shape)), 1)
        boxes = np.concatenate((near, far))
        # Scores of two digits: many are equal, within images and between them.
        scores = rng.integers(0, 101, len(boxes)) / 100
        detections.append(np.concatenate((scores[:, None], boxes), 1))
        truths.append(faces)
        ignored.append(rng.uniform(size=len(faces)) < 0.3)
    return detections, truths, ignored


@pytest.mark.parametrize("thresholds", [None, 7, 1000])
@pytest.mark.parametrize("iou", [0.3, 0.5])
def test_curve_equals_plain_loops(thresholds, iou):
    for seed in range(4):
        detections, truths, ignored = scene(seed)
        curve = precision_recall_curve(detections, truths, ignored, iou=iou, thresholds=thresholds)
        faces = sum(int((~mask).sum()) for mask in ignored)
        expected = [slow_counts(detections, truths, ignored, s, iou) for s in curve.scores[::20]]
        np.testing.assert_array_equal(curve.recall[::20], [f / faces for f, _ in expected])
        np.testing.assert_array_equal(
            curve.precision[::20], [f / n if n else 1.0 for f, n in expected]
        )
        slow = slow_average_precision(curve.recall.tolist(), curve.precision.tolist())
        # Sums in another order.
        assert curve.average_precision == pytest.approx(slow, abs=1e-12)
        assert 0 < slow < 1


def test_order_of_images_and_detections_does_not_matter():
    detections, truths, ignored = scene(9)
    rng = np.random.default_rng(9)
    reference = precision_recall_curve(detections, truths, ignored, thresholds=None)
    order = rng.permutation(len(truths))
    shuffled = precision_recall_curve(
        [rng.permutation(detections[i]) for i in order],
        [truths[i] for i in order],
        [ignored[i] for i in order],
        thresholds=None,
    )
    np.testing.assert_array_equal(shuffled.recall, reference.recall)
    np.testing.assert_array_equal(shuffled.precision, reference.precision)


def test_perfect_detections():
    detections = [np.concatenate(([[0.7]], FACE), 1)] * 3
    curve = precision_recall_curve(detections, [FACE] * 3)
    assert curve.average_precision == 1
    assert len(curve.scores) == 1000 and curve.scores[-1] == 0


def test_a_face_is_found_once():
    twice = np.array([[0.9, 0, 0, 10, 10], [0.8, 0, 0, 10, 9.0]])
    curve = precision_recall_curve([twice], [FACE], thresholds=None)
    assert curve.precision.tolist() == [1, 1, 0.5] and curve.recall.tolist() == [0, 1, 1]


def test_ignored_faces_count_neither_way():
    faces = np.concatenate((FACE, FACE + 50))
    rows = np.array([[0.9, 50, 50, 60, 60], [0.8, 0, 0, 10, 10], [0.7, 50, 50, 60, 61]])
    ignored = np.array([False, True])
    curve = precision_recall_curve([rows], [faces], [ignored], thresholds=None)
    assert curve.average_precision == 1 and curve.scores.tolist() == [math.inf, 0.8]


def test_rows_that_are_not_finite_are_dropped():
    good = np.array([[0.5, 0, 0, 10, 10]])
    bad = np.array([[np.nan, 0, 0, 10, 10], [0.9, np.nan, 0, 10, 10], [0.9, 0, 0, np.inf, 10]])
    curves = [
        precision_recall_curve([rows], [FACE], thresholds=None)
        for rows in (good, np.concatenate((bad, good)))
    ]
    assert curves[0].average_precision == curves[1].average_precision == 1
    assert curves[1].scores.tolist() == [math.inf, 0.5]


@pytest.mark.parametrize("thresholds", [None, 10])
def test_nothing_detected(thresholds):
    curve = precision_recall_curve([NO_DETECTIONS], [FACE], thresholds=thresholds)
    assert curve.average_precision == 0 and not curve.recall.any()


@pytest.mark.parametrize("images", [0, 1])
@pytest.mark.parametrize("thresholds", [None, 10])
def test_no_face_to_find(images, thresholds):
    rows = [np.array([[0.5, 0, 0, 1, 1]])] * images
    curve = precision_recall_curve(rows, [NO_FACES] * images, thresholds=thresholds)
    assert math.isnan(curve.average_precision)


def test_detections_in_images_without_faces_are_errors():
    rows = np.array([[0.9, 0, 0, 10, 10]])
    curve = precision_recall_curve([rows, rows], [FACE, NO_FACES], thresholds=None)
    assert curve.precision.tolist() == [1, 0.5] and curve.recall.tolist() == [0, 1]


def test_empty_boxes_overlap_nothing():
    empty = np.array([[5.0, 5, 5, 5], [8, 8, 2, 2]])
    assert not pairwise_iou(empty, empty).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([NO_DETECTIONS], []), "an array for each image. Received: 1, 0 and 0"),
        (([np.zeros((2, 4))], [FACE]), r"`detections` must be arrays of shape \(N, 5\)"),
        (([NO_DETECTIONS], [np.zeros(4)]), r"`truths` must be arrays of shape \(N, 4\)"),
        (([NO_DETECTIONS], [FACE], [np.zeros(2, bool)]), "`ignored` must have a value for each"),
        (([np.array([[1.5, 0, 0, 1, 1]])], [FACE]), "scores must be from 0 to 1"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        precision_recall_curve(*arguments)
    with pytest.raises(ValueError, match="`thresholds` must be at least 1"):
        precision_recall_curve([], [], thresholds=0)

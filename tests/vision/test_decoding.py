"""From outputs to boxes, and what happens to outputs that mean nothing."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnpool_tf.vision.anchors import QVGA_LEVELS, make_anchors
from rnnpool_tf.vision.boxes import decode, encode, to_corners
from rnnpool_tf.vision.decoding import detections

SEED = 20261128
ANCHORS = make_anchors(QVGA_LEVELS, 240, 320)


def reference(loc, conf, anchors, threshold, iou, limit=750):
    """One box after the other, in float64."""
    loc, conf, anchors = (np.asarray(x, np.float64) for x in (loc, conf, anchors))
    scores = 1 / (1 + np.exp(conf[:, 0] - conf[:, 1]))
    centre = anchors[:, :2] + 0.1 * loc[:, :2] * anchors[:, 2:]
    half = anchors[:, 2:] * np.exp(0.2 * loc[:, 2:]) / 2
    boxes = np.concatenate((centre - half, centre + half), 1)
    kept = []
    for index in np.argsort(-scores, kind="stable"):
        if not scores[index] > threshold or len(kept) == limit:
            break
        if all(overlap(boxes[index], boxes[other]) <= iou for other in kept):
            kept.append(index)
    return np.concatenate((scores[kept, None], boxes[kept]), 1)


def overlap(a, b):
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    intersection = sides.prod()
    return intersection / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - intersection)


@pytest.mark.parametrize("seed", range(SEED, SEED + 5))
def test_equals_one_box_after_the_other(seed):
    print(f"seed {seed}")
    rng = np.random.default_rng(seed)
    anchors = make_anchors(QVGA_LEVELS, 64, 80)
    loc = rng.normal(size=(len(anchors), 4)).astype(np.float32)
    conf = rng.normal(scale=2, size=(len(anchors), 2)).astype(np.float32)
    received = detections(loc, conf, anchors, score_threshold=0.3)
    expected = reference(loc, conf, anchors, 0.3, 0.3)
    assert received.shape == expected.shape
    np.testing.assert_allclose(received, expected, atol=2e-6)  # float32 against float64


def test_encoding_is_undone():
    rng = np.random.default_rng(SEED)
    centres = np.concatenate((rng.uniform(size=(3000, 2)), rng.uniform(0.01, 1, (3000, 2))), 1)
    boxes = to_corners(tf.constant(centres, tf.float32))
    np.testing.assert_allclose(decode(encode(boxes, ANCHORS), ANCHORS), boxes, atol=2e-6)


def outputs(scores: dict[int, float] | None = None):
    """Nothing found anywhere but at some anchors."""
    loc = np.zeros((len(ANCHORS), 4), np.float32)
    conf = np.tile(np.float32([10, -10]), (len(ANCHORS), 1))
    for anchor, score in (scores or {}).items():
        conf[anchor] = (0, score)
    return loc, conf


def test_nothing_found_is_an_empty_array():
    assert detections(*outputs(), ANCHORS, score_threshold=0.05).shape == (0, 5)


def test_boxes_over_the_border_are_kept_whole():
    found = detections(*outputs({2700: 3.0}), ANCHORS, score_threshold=0.05)
    assert found.shape == (1, 5)
    assert found[0, 1] < 0 and found[0, 2] < 0  # 48 pixels around the first cell of 16


@pytest.mark.parametrize("value", [np.nan, np.inf], ids=str)
@pytest.mark.parametrize("where", ["score", "box"])
def test_values_that_are_no_numbers_are_dropped(value, where):
    loc, conf = outputs({5: 3.0, 1500: 2.0})
    # Softmax makes NaN of an infinite score, decoding an infinite side of an infinite stretch.
    (conf if where == "score" else loc)[5, -1] = value
    found = detections(loc, conf, ANCHORS, score_threshold=0.05)
    assert found[:, 0] == pytest.approx([1 / (1 + np.exp(-2.0))])


def test_limits_of_candidates_and_results():
    anchors = make_anchors(QVGA_LEVELS[:1], 240, 320)  # side by side
    count = len(anchors)
    loc = np.zeros((count, 4), np.float32)
    conf = np.stack((np.zeros(count), np.linspace(1, 2, count)), 1).astype(np.float32)
    everything = detections(loc, conf, anchors, score_threshold=0.05, limit=5000)
    assert len(everything) == count == 1200
    assert len(detections(loc, conf, anchors, score_threshold=0.05)) == 750
    few = detections(loc, conf, anchors, score_threshold=0.05, candidates=10)
    np.testing.assert_array_equal(few, everything[:10])


def test_equal_scores_keep_the_order_of_anchors():
    found = detections(*outputs({700: 1.0, 3: 1.0, 90: 1.0}), ANCHORS, score_threshold=0.05)
    centres = (found[:, 1:3] + found[:, 3:]) / 2
    np.testing.assert_allclose(centres, ANCHORS[[3, 90, 700], :2], atol=1e-6)


def test_outputs_that_do_not_go_with_the_anchors_are_refused():
    loc, conf = outputs()
    with pytest.raises(ValueError, match=r"must have the shapes .*Received: \(2999, 4\)"):
        detections(loc[1:], conf, ANCHORS, score_threshold=0.05)

"""Which anchor has to find which face: the reference's targets, and plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.vision.anchors import QVGA_LEVELS, make_anchors
from rnnpool_tf.vision.boxes import decode, encode, iou, to_corners
from rnnpool_tf.vision.matching import match

pytestmark = pytest.mark.keras_free

ANCHORS = make_anchors(QVGA_LEVELS, 96, 128)


def slow_match(boxes, anchors) -> tuple[list[int], list[bool]]:
    """The face of each anchor and whether it is to be found there, step by step."""
    overlaps = iou(boxes, to_corners(anchors)).numpy()
    face_of = [0] * len(anchors)
    positive = [False] * len(anchors)
    for anchor in range(len(anchors)):
        for face in range(len(boxes)):
            if overlaps[face, anchor] > overlaps[face_of[anchor], anchor]:
                face_of[anchor] = face
        positive[anchor] = overlaps[face_of[anchor], anchor] >= np.float32(0.35)
    second = [
        (-overlaps[face_of[anchor], anchor], anchor)
        for anchor in range(len(anchors))
        if 0.1 < overlaps[face_of[anchor], anchor] < np.float32(0.35)
    ]
    forced = set()
    for face in range(len(boxes)):
        anchor = int(np.argmax(overlaps[face]))
        forced.add(anchor)
        face_of[anchor], positive[anchor] = face, True
    best = overlaps.max(1)
    count = (int((best >= np.float32(0.35)).sum()) + int((best >= 0.5).sum())) // 2
    candidates = [anchor for _, anchor in sorted(second) if anchor not in forced]
    for anchor in candidates[:count]:
        positive[anchor] = True
    return face_of, positive


def random_faces(rng, count: int) -> np.ndarray:
    sides = rng.uniform(4, 60, (count, 1)) * rng.uniform(0.7, 1.4, (count, 2)) / (128, 96)
    first = rng.uniform(-0.05, 0.95, (count, 2))
    return np.concatenate((first, first + sides), 1).astype(np.float32)


@pytest.mark.parametrize("image", [0, 1])
def test_reference(golden, image):
    arrays = golden("face_multibox_match_loss.npz")
    anchors = arrays["priors_cxcywh"]
    offsets, positive = (x.numpy() for x in match(arrays[f"gt{image}"][:, :4], anchors))
    expected = arrays["conf_target"][image] > 0
    np.testing.assert_array_equal(positive, expected)
    # float32 arithmetic in another order.
    np.testing.assert_allclose(
        offsets[expected], arrays["loc_target"][image][expected], rtol=1e-6, atol=1e-6
    )
    boxes = arrays[f"gt{image}"][:, :4]
    overlap = iou(boxes, to_corners(anchors)).numpy()
    added = positive & (overlap.max(0) < np.float32(0.35))
    added[overlap.argmax(1)] = False
    assert added.sum() == arrays["stage2_added"].reshape(-1)[image]


@pytest.mark.parametrize("count", [1, 2, 5, 20])
def test_plain_loops(count):
    for seed in range(5):
        print(f"seed {seed}")
        boxes = random_faces(np.random.default_rng((seed, count)), count)
        offsets, positive = (x.numpy() for x in match(boxes, ANCHORS))
        face_of, expected = slow_match(boxes, ANCHORS)
        np.testing.assert_array_equal(positive, expected)
        np.testing.assert_array_equal(
            offsets[positive], encode(boxes[face_of], ANCHORS).numpy()[positive]
        )


def test_no_face():
    offsets, positive = match(np.zeros((0, 4), np.float32), ANCHORS)
    assert not positive.numpy().any() and np.isfinite(offsets).all()


def test_a_thousand_faces():
    boxes = random_faces(np.random.default_rng(3), 1000)
    offsets, positive = (x.numpy() for x in match(boxes, ANCHORS))
    assert np.isfinite(offsets).all()
    best = iou(boxes, to_corners(ANCHORS)).numpy().argmax(1)
    assert positive[best].all()


@pytest.mark.parametrize("corner", [(-0.04, -0.04), (0.97, 0.97), (-0.04, 0.5)])
def test_a_face_at_the_border_has_an_anchor(corner):
    box = np.float32([[*corner, corner[0] + 0.07, corner[1] + 0.07]])
    offsets, positive = match(box, ANCHORS)
    rows = positive.numpy()
    assert rows.any()
    # Offsets of positive anchors lead to the whole face, what is outside included.
    found = decode(offsets, ANCHORS).numpy()[rows]
    np.testing.assert_allclose(found, np.repeat(box, len(found), 0), atol=1e-5)


def test_a_face_outside_of_every_anchor_has_one_nevertheless():
    _, positive = match(np.float32([[3.0, 3.0, 3.1, 3.1]]), ANCHORS)
    assert positive.numpy().sum() == 1


def test_of_two_faces_with_one_best_anchor_the_later_gets_it():
    anchor = to_corners(ANCHORS[40:41]).numpy()[0]
    first = anchor
    second = anchor + np.float32([0, 0, 0.002, 0.002])  # overlaps the anchor less
    offsets, positive = match(np.stack((first, second)), ANCHORS)
    assert positive.numpy()[40]
    found = decode(offsets, ANCHORS).numpy()[40]
    np.testing.assert_allclose(found, second, atol=1e-6)

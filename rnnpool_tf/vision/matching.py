"""Which anchor has to find which face: the targets of training."""

from __future__ import annotations

import tensorflow as tf

from rnnpool_tf.vision.boxes import encode, iou, to_corners

# Overlaps above which an anchor may be added in the second stage, belongs to a face, and counts
# as a good match (RNNPool's detectors, after S3FD §3.2).
LOW, POSITIVE, GOOD = 0.1, 0.35, 0.5


def match(boxes: tf.Tensor, anchors: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Assigns the faces of one image to its anchors.

    1. An anchor belongs to the face it overlaps most if their IoU is at least 0.35. The best
       anchor of each face belongs to it in any case; of two faces with the same best anchor, to
       the later one.
    2. Small faces overlap no anchor that well. So N anchors with an IoU between 0.1 and 0.35 are
       added, those with the highest; N is the mean, rounded down, of the number of faces whose
       best IoU is at least 0.35 and of those where it is at least 0.5.

    Args:
        boxes: Corner form, float32 (faces, 4), of positive width and height; may be none.
        anchors: Centre form, float32 (anchors, 4).

    Returns:
        Offsets float32 (anchors, 4), meaningless (but finite) where the anchor has no face, and
        bool (anchors,): has a face.

    Source: Saha et al., 2020, appendix F; the order of the steps is EdgeML's.
    """
    faces = tf.shape(boxes)[0]
    # A box that overlaps nothing at the end, so that an image without faces needs no other code.
    boxes = tf.concat((boxes, [[0.0, 0.0, 1.0, 1.0]]), 0)
    overlaps = iou(boxes[:-1], to_corners(anchors))
    overlaps = tf.concat((overlaps, -tf.ones((1, tf.shape(anchors)[0]))), 0)

    face_of = tf.argmax(overlaps, 0, tf.int32)
    overlap = tf.reduce_max(overlaps, 0)
    best_anchor = tf.argmax(overlaps[:-1], 1, tf.int32)
    forced = tf.math.unsorted_segment_max(tf.range(faces), best_anchor, tf.shape(anchors)[0])
    is_forced = forced >= 0  # Segments without a member hold the smallest integer.
    face_of = tf.where(is_forced, forced, face_of)

    positive = is_forced | (overlap >= POSITIVE)
    best = tf.reduce_max(overlaps[:-1], 1)
    added = (_count(best >= POSITIVE) + _count(best >= GOOD)) // 2
    eligible = ~positive & (overlap > LOW)
    order = tf.argsort(tf.where(eligible, overlap, -1.0), direction="DESCENDING", stable=True)
    added = tf.minimum(added, _count(eligible))
    second = tf.scatter_nd(order[:added, tf.newaxis], tf.ones(added, tf.int32), tf.shape(overlap))
    return encode(tf.gather(boxes, face_of), anchors), positive | (second > 0)


def _count(mask: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(mask, tf.int32))

"""From a detector's outputs to boxes: softmax, threshold, non-maximum suppression."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from rnnpool_tf.vision.boxes import decode

IOU_THRESHOLD = 0.3
CANDIDATES = 5000
DETECTIONS = 750


def detections(
    loc: tf.Tensor,
    conf: tf.Tensor,
    anchors: tf.Tensor,
    *,
    score_threshold: float,
    iou_threshold: float = IOU_THRESHOLD,
    candidates: int = CANDIDATES,
    limit: int = DETECTIONS,
) -> np.ndarray:
    """Decodes the outputs for one image.

    Args:
        loc: Offsets, (anchors, 4).
        conf: Logits of background and face, (anchors, 2).
        anchors: Centre form, (anchors, 4).
        score_threshold: Boxes with at most this score are dropped.
        iou_threshold: Boxes whose IoU with a better one exceeds this are dropped.
        candidates: Boxes that take part in the suppression, the best ones.
        limit: Largest number of boxes returned.

    Returns:
        float32 (N, 5), best first: score (0 … 1), x1, y1, x2, y2 in parts of the image, not
        clipped to it. Anchors whose score or box is no finite number are dropped.

    Raises:
        ValueError: Other shapes.

    Source: Saha et al., 2020, appendix F; the numbers are EdgeML's.

    >>> anchor = tf.constant([[0.5, 0.5, 0.2, 0.2]])
    >>> conf = tf.constant([[0.0, 3.0]])
    >>> detections(tf.zeros((1, 4)), conf, anchor, score_threshold=0.05).round(2)
    array([[0.95, 0.4 , 0.4 , 0.6 , 0.6 ]], dtype=float32)
    """
    shapes = [tuple(tensor.shape) for tensor in (loc, conf, anchors)]
    count = shapes[2][0] if shapes[2] else 0
    if shapes != [(count, 4), (count, 2), (count, 4)]:
        raise ValueError(
            "`loc`, `conf` and `anchors` must have the shapes (anchors, 4), (anchors, 2) and "
            f"(anchors, 4). Received: {shapes[0]}, {shapes[1]} and {shapes[2]}"
        )
    boxes = decode(loc, anchors)
    scores = tf.nn.softmax(conf)[:, 1]
    # A NaN is not above any threshold.
    usable = (scores > score_threshold) & tf.reduce_all(tf.math.is_finite(boxes), 1)
    scores, boxes = scores[usable], boxes[usable]
    best = tf.argsort(scores, direction="DESCENDING", stable=True)[:candidates]
    scores, boxes = tf.gather(scores, best), tf.gather(boxes, best)
    kept = tf.image.non_max_suppression(boxes, scores, limit, iou_threshold)
    rows = tf.concat((tf.gather(scores, kept)[:, tf.newaxis], tf.gather(boxes, kept)), 1)
    return rows.numpy()

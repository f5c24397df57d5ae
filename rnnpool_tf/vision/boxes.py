"""Boxes: their two forms, their overlap, and how the network codes them relative to anchors.

Corner form is (x1, y1, x2, y2), centre form (centre x, centre y, width, height); both in parts of
the image's width and height, so that 0 … 1 is inside.
"""

from __future__ import annotations

import tensorflow as tf

# What a network's offsets are multiplied by before they shift and stretch an anchor (SSD).
CENTRE_VARIANCE = 0.1
SIZE_VARIANCE = 0.2


def to_corners(boxes: tf.Tensor) -> tf.Tensor:
    """Centre form (…, 4) to corner form.

    >>> to_corners(tf.constant([[0.5, 0.5, 0.2, 0.4]])).numpy().round(3)
    array([[0.4, 0.3, 0.6, 0.7]], dtype=float32)
    """
    centre, half = boxes[..., :2], boxes[..., 2:] / 2
    return tf.concat((centre - half, centre + half), -1)


def to_centres(boxes: tf.Tensor) -> tf.Tensor:
    """Corner form (…, 4) to centre form."""
    first, last = boxes[..., :2], boxes[..., 2:]
    return tf.concat(((first + last) / 2, last - first), -1)


def iou(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Intersection over union of every box of `a` with every box of `b`.

    Args:
        a: Corner form, (N, 4).
        b: Corner form, (M, 4).

    Returns:
        (N, M), from 0 to 1; 0 where both boxes are empty.

    >>> iou(tf.constant([[0., 0., 2., 2.]]), tf.constant([[1., 0., 3., 2.]])).numpy().round(3)
    array([[0.333]], dtype=float32)
    """
    a, b = a[:, tf.newaxis], b[tf.newaxis]
    sides = tf.minimum(a[..., 2:], b[..., 2:]) - tf.maximum(a[..., :2], b[..., :2])
    intersection = tf.reduce_prod(tf.maximum(sides, 0), -1)
    return tf.math.divide_no_nan(intersection, _area(a) + _area(b) - intersection)


def encode(boxes: tf.Tensor, anchors: tf.Tensor) -> tf.Tensor:
    """The offsets that a network should give for `boxes` at `anchors`.

    Args:
        boxes: Corner form, (…, 4), of positive width and height.
        anchors: Centre form, (…, 4).

    Returns:
        (…, 4): shift of the centre in tenths of the anchor's sides, and the natural logarithm of
        the ratio of sides, times five.
    """
    boxes = to_centres(boxes)
    shift = (boxes[..., :2] - anchors[..., :2]) / (CENTRE_VARIANCE * anchors[..., 2:])
    stretch = tf.math.log(boxes[..., 2:] / anchors[..., 2:]) / SIZE_VARIANCE
    return tf.concat((shift, stretch), -1)


def decode(offsets: tf.Tensor, anchors: tf.Tensor) -> tf.Tensor:
    """The boxes (corner form) that a network's offsets mean: the inverse of `encode`."""
    centre = anchors[..., :2] + CENTRE_VARIANCE * offsets[..., :2] * anchors[..., 2:]
    size = anchors[..., 2:] * tf.exp(SIZE_VARIANCE * offsets[..., 2:])
    return to_corners(tf.concat((centre, size), -1))


def _area(boxes: tf.Tensor) -> tf.Tensor:
    return tf.reduce_prod(boxes[..., 2:] - boxes[..., :2], -1)

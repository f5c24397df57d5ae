"""Training pictures of the QVGA detectors: one fixed size, grey, no face above 48×48 pixels."""

from __future__ import annotations

import tensorflow as tf

from rnnpool_tf.datasets.colour_distortion import distort_colours, to_grey
from rnnpool_tf.datasets.preprocess import normalization

SIZE = (320, 320)
LARGEST_FACE = 48
_SLACK = 20  # pixels by which the padded picture may miss the shape of the result


def augment_qvga(image: tf.Tensor, boxes: tf.Tensor, seed: tf.Tensor, size: tuple[int, int] = SIZE):
    """One random training example of a picture.

    Colours are distorted; one side is padded until the picture has the shape of `size`, missing it
    by up to 20 pixels; a picture whose largest face exceeds 48×48 pixels is shrunk until it does
    not, and put at a random place of a canvas of at least `size` if that leaves it smaller; the
    result is resized to `size`, mirrored in half of the cases, and made grey. What surrounds the
    picture has the mean colour, 0 for the network (it is not distorted). Source: EdgeML's QVGA
    recipe, which pads to squares of 320; here all geometry is one resampling.

    Args:
        image: uint8 (height, width, 3).
        boxes: float32 (N, 4): x1, y1, x2, y2 in pixels.
        seed: Two integers, shape (2,).
        size: (height, width) of the result in pixels.

    Returns:
        float32 (height, width, 1), the network's input; float32 (N, 4), the boxes in parts of it.
    """
    seeds = tf.random.experimental.stateless_split(seed, 2)
    draws = tf.random.stateless_uniform((4,), seeds[0])
    distorted = distort_colours(tf.cast(image, tf.float32), seeds[1])

    original = tf.cast(tf.shape(image)[:2], tf.float32)
    result = tf.constant(size, tf.float32)
    # The canvas that has the shape of the result, and its longer side not quite.
    canvas = result * tf.reduce_max(original / result)
    padded = tf.cast(original < canvas, tf.float32)
    canvas = tf.maximum(original, canvas + padded * (2 * draws[0] - 1) * _SLACK)
    sides = boxes[:, 2:] - boxes[:, :2]
    largest = tf.sqrt(tf.reduce_max(tf.concat((tf.reduce_prod(sides, 1), [1.0]), 0)))
    shrink = tf.minimum(1.0, LARGEST_FACE / largest)
    canvas *= shrink
    canvas *= tf.maximum(1.0, tf.reduce_max(result / canvas))
    # In pixels of the result:
    target = tf.cast(tf.round(original * shrink * result / canvas), tf.int32)
    target = tf.clip_by_value(target, 1, size)
    space = tf.constant(size) - target
    offset = tf.cast(tf.floor(draws[1:3] * tf.cast(space + 1, tf.float32)), tf.int32)
    grey, boxes = place(distorted, boxes, target, offset, size)
    mirrored = draws[3] < 0.5
    return tf.where(mirrored, grey[:, ::-1], grey), tf.where(mirrored, mirror(boxes), boxes)


def fit_qvga(image: tf.Tensor, boxes: tf.Tensor, size: tuple[int, int] = SIZE):
    """The picture in the middle of the network's input, as large as it fits, aspect kept.

    Args, Returns: as `augment_qvga`, without anything random.
    """
    original = tf.cast(tf.shape(image)[:2], tf.float32)
    scale = tf.reduce_min(tf.constant(size, tf.float32) / original)
    target = tf.clip_by_value(tf.cast(tf.round(original * scale), tf.int32), 1, size)
    offset = (tf.constant(size) - target) // 2
    return place(tf.cast(image, tf.float32), boxes, target, offset, size)


def place(image, boxes, target, offset, size):
    """An RGB picture resized to `target`, at `offset` of a mean-coloured grey input of `size`."""
    grey = normalization("faces")(to_grey(tf.image.resize(image, target, antialias=True)))
    after = tf.constant(size) - target - offset
    grey = tf.pad(grey, [(offset[0], after[0]), (offset[1], after[1]), (0, 0)])
    factor = tf.cast(target, tf.float32) / tf.cast(tf.shape(image)[:2], tf.float32)
    return tf.ensure_shape(grey, (*size, 1)), place_boxes(boxes, factor, offset, size)


def place_boxes(boxes, factor, offset, size):
    """Boxes (N, 4) in parts of `size`, of a picture stretched by `factor` and put at `offset`.

    `factor`, `offset` and `size` are pairs (y, x).
    """
    # From (y, x) to (x, y, x, y):
    factor, shift, sides = (
        tf.tile(tf.reverse(tf.cast(pair, tf.float32), (0,)), (2,))
        for pair in (factor, offset, tf.constant(size))
    )
    return (boxes * factor + shift) / sides


def mirror(boxes: tf.Tensor) -> tf.Tensor:
    """Relative boxes (N, 4) of the picture with left and right exchanged."""
    x1, y1, x2, y2 = tf.unstack(boxes, axis=1)
    return tf.stack((1 - x2, y1, 1 - x1, y2), 1)

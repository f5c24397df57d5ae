"""Which part of a picture becomes a training picture of the VGA detectors.

A window is float32 (y, x, height, width) in pixels of the picture, all whole numbers; it may reach
beyond the picture. Nothing here touches a pixel.
"""

from __future__ import annotations

import tensorflow as tf

from rnnpool_tf.vision.anchors import VGA_LEVELS
from rnnpool_tf.vision.boxes import iou

# Sides in pixels that a chosen face is scaled towards.
ANCHORS = tuple(level.size for level in VGA_LEVELS)
DRAWS = 50  # windows that are tried
CANDIDATES = 5  # crops among which one is chosen; the first has the largest possible size
SMALLEST_CROP = 0.3  # of that size
SMALLEST_AREA = 36  # square pixels of the result; smaller faces are not trained on
LARGEST = 12000  # pixels: side of a square as large as the picture may be made
_ENOUGH = 0.7  # IoU of a face larger than the window with it


def whole_window(original: tf.Tensor, size: tuple[int, int]) -> tf.Tensor:
    """The window of the shape of `size` with the whole picture in its middle.

    Args:
        original: float32 (height, width) of the picture.
        size: (height, width) of the result.

    Returns:
        float32 (y, x, height, width) in pixels of the picture, all whole numbers.
    """
    result = tf.constant(size, tf.float32)
    # Less a thousandth: a side that is meant to be whole must not become a pixel longer.
    sides = tf.math.ceil(result * tf.reduce_max(original / result) - 1e-3)
    return tf.concat((tf.floor((original - sides) / 2), sides), 0)


def anchor_window(original, boxes, seed, size: tuple[int, int]) -> tf.Tensor:
    """A window of `size` of the picture, scaled so that one of its faces suits an anchor.

    The face is any; the anchor any up to one larger than that nearest to the face (in pixels of the
    picture); the face gets the anchor's size times 2^u, u from −1 to 1. Of 50 windows that contain
    the face (or lie within it, or around the whole picture) one is taken that holds a whole face or
    overlaps one with an IoU above 0.7. Source: S3FD's "data-anchor-sampling" as EdgeML has it.

    Args:
        original: float32 (height, width) of the picture.
        boxes: float32 (N, 4): x1, y1, x2, y2 in pixels.
        seed: Two integers, shape (2,).
        size: (height, width) of the result.

    Returns:
        float32 (y, x, height, width) in pixels of the picture, all whole numbers; height and
        width are 0 if no window was found.
    """
    seeds = tf.random.experimental.stateless_split(seed, 2)
    draws = tf.random.stateless_uniform((3,), seeds[0])
    places = tf.random.stateless_uniform((DRAWS, 3), seeds[1])
    result = tf.constant(size, tf.float32)
    # An extra box, so that a picture without faces needs no other code.
    face = tf.concat((boxes, [[0.0, 0.0, 1.0, 1.0]]), 0)[_index(draws[0], tf.shape(boxes)[0])]
    side = tf.sqrt(tf.reduce_prod(face[2:] - face[:2]))
    anchors = tf.constant(ANCHORS, tf.float32)
    nearest = tf.argmin(tf.abs(anchors - side), output_type=tf.int32)
    target = anchors[_index(draws[1], tf.minimum(nearest + 2, len(ANCHORS)))]
    scale = target / side * 2 ** (2 * draws[2] - 1)
    scale = tf.minimum(scale, LARGEST / tf.sqrt(tf.reduce_prod(original)))

    sides = tf.maximum(tf.round(result / scale), 1)
    first, last = tf.reverse(face[:2], (0,)), tf.reverse(face[2:], (0,))
    # From one end to the other all windows contain the face, or lie within one that is larger.
    ends = tf.where(
        tf.reduce_any(sides < original), (last - sides, first), (original - sides, 0 * sides)
    )
    corners = tf.floor(ends[0] + places[:, :2] * (ends[1] - ends[0]))
    windows = tf.concat((corners, tf.broadcast_to(sides, (DRAWS, 2))), 1)
    accepted = _holds_a_face(windows, boxes) | (_largest_iou(windows, boxes) > _ENOUGH)
    return _one_of(windows, accepted, places[:, 2])


def crop_window(original, boxes, seed, size: tuple[int, int]) -> tf.Tensor:
    """A window of the shape of `size` within the picture that holds at least one whole face.

    One of up to five: of the largest size that fits into the picture and four times of 0.3 to
    1.0 of it; each the first of 50 draws that holds a face. Source: EdgeML's recipe, after SSD.

    Args, Returns: as `anchor_window`.
    """
    seeds = tf.random.experimental.stateless_split(seed, 2)
    draws = tf.random.stateless_uniform((CANDIDATES, DRAWS, 3), seeds[0])
    result = tf.constant(size, tf.float32)
    part = SMALLEST_CROP + (1 - SMALLEST_CROP) * draws[1:, :, :1]
    part = tf.concat((tf.ones((1, DRAWS, 1)), part), 0)
    sides = tf.maximum(tf.floor(part * result * tf.reduce_min(original / result)), 1)
    corners = tf.floor(draws[..., 1:] * (original - sides + 1))
    corners = tf.clip_by_value(corners, 0, original - sides)
    windows = tf.concat((corners, sides), 2)
    accepted = _holds_a_face(tf.reshape(windows, (-1, 4)), boxes)
    accepted = tf.reshape(accepted, (CANDIDATES, DRAWS))
    first = tf.argmax(accepted, 1)
    chances = tf.random.stateless_uniform((CANDIDATES,), seeds[1])
    return _one_of(tf.gather(windows, first, batch_dims=1), tf.reduce_any(accepted, 1), chances)


def _one_of(windows, accepted, chances):
    """The accepted window (N, 4) of the highest chance; sides of 0 if there is none."""
    best = tf.argmax(tf.where(accepted, chances, -1))
    found = tf.cast(accepted[best], tf.float32)
    return windows[best] * tf.stack((1.0, 1.0, found, found))


def _index(draw, count):
    """A random index below `count`, from a number in 0 … 1; 0 where there is nothing to choose."""
    index = tf.cast(tf.floor(draw * tf.cast(count, tf.float32)), tf.int32)
    return tf.clip_by_value(index, 0, tf.maximum(count - 1, 0))


def _corners(windows):
    """(…, y, x, height, width) to (…, x1, y1, x2, y2)."""
    first = tf.reverse(windows[..., :2], (-1,))
    return tf.concat((first, first + tf.reverse(windows[..., 2:], (-1,))), -1)


def _holds_a_face(windows, boxes):
    """bool (windows,): a whole face lies in it."""
    windows = _corners(windows)[:, tf.newaxis]
    inside = (windows[..., :2] <= boxes[:, :2]) & (windows[..., 2:] >= boxes[:, 2:])
    return tf.reduce_any(tf.reduce_all(inside, 2), 1)


def _largest_iou(windows, boxes):
    """float32 (windows,): with the face that overlaps most; 0 without faces."""
    return tf.reduce_max(tf.pad(iou(_corners(windows), boxes), ((0, 0), (0, 1))), 1)


def kept_faces(window, boxes, size):
    """bool (N,): the centre is in the window and the face large enough in the result."""
    sides = window[2:]
    window = _corners(window)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = tf.reduce_all((centres > window[:2]) & (centres < window[2:]), 1)
    shown = tf.minimum(boxes[:, 2:], window[2:]) - tf.maximum(boxes[:, :2], window[:2])
    scale = tf.math.divide_no_nan(tf.constant(size, tf.float32), sides)
    area = tf.reduce_prod(tf.maximum(shown, 0), 1) * tf.reduce_prod(scale)
    return inside & (area > SMALLEST_AREA)

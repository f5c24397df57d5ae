"""Training pictures of the VGA detectors: colour crops of faces of every size."""

from __future__ import annotations

import tensorflow as tf

from rnnpool_tf.datasets.colour_distortion import distort_colours
from rnnpool_tf.datasets.preprocess import normalization
from rnnpool_tf.datasets.qvga_augmentation import mirror, place_boxes
from rnnpool_tf.datasets.vga_windows import anchor_window, crop_window, kept_faces, whole_window

SIZE = (640, 640)
FILTERS = ("bilinear", "bicubic", "area", "nearest", "lanczos3")


def augment_vga(image: tf.Tensor, boxes: tf.Tensor, seed: tf.Tensor, size: tuple[int, int] = SIZE):
    """One random training example of a picture.

    A window of the picture is chosen, in half of the cases so that a random face gets about the
    size of a random anchor (`anchor_window`), otherwise one that is smaller than the picture
    (`crop_window`). It is resized to `size` by one of five filters, its colours are distorted, and
    it is mirrored in half of the cases. Faces whose centre lies in the window and that have more
    than 36 square pixels in the result stay; if none does, the whole picture with all its faces is
    the example, as `fit_vga` places it. What lies outside of the picture has the mean colour, 0
    for the network.

    Source: EdgeML's recipe, after S3FD, §3.3. There colours are distorted before cropping, so that
    contrast is changed about the mean of the whole picture; a window beyond the right or lower
    border is stretched instead of filled; and a picture without faces is replaced by another.

    Only the window is resized, however large the scaled picture would be.

    Args:
        image: uint8 (height, width, 3).
        boxes: float32 (N, 4): x1, y1, x2, y2 in pixels.
        seed: Two integers, shape (2,).
        size: (height, width) of the result in pixels.

    Returns:
        float32 (height, width, 3), the network's input; float32 (N, 4), the boxes in parts of it.
    """
    seeds = tf.random.experimental.stateless_split(seed, 3)
    draws = tf.random.stateless_uniform((3,), seeds[0])
    original = tf.cast(tf.shape(image)[:2], tf.float32)
    window, is_anchor = tf.cond(
        draws[0] < 0.5,
        lambda: (anchor_window(original, boxes, seeds[1], size), True),
        lambda: (crop_window(original, boxes, seeds[1], size), False),
    )
    kept = kept_faces(window, boxes, size)
    usable = tf.reduce_any(kept)
    window = tf.where(usable, window, whole_window(original, size))
    boxes = tf.boolean_mask(boxes, kept | ~usable)

    pixels, boxes = _place(image, boxes, window, size, FILTERS, draws[1], seeds[2])
    # Faces that a crop cuts are cut with it; an anchor's window leaves them whole.
    boxes = tf.where(usable & ~is_anchor, tf.clip_by_value(boxes, 0, 1), boxes)
    mirrored = draws[2] < 0.5
    return tf.where(mirrored, pixels[:, ::-1], pixels), tf.where(mirrored, mirror(boxes), boxes)


def fit_vga(image: tf.Tensor, boxes: tf.Tensor, size: tuple[int, int] = SIZE):
    """The picture in the middle of the network's input, as large as it fits, aspect kept.

    Args, Returns: as `augment_vga`, without anything random.
    """
    window = whole_window(tf.cast(tf.shape(image)[:2], tf.float32), size)
    return _place(image, boxes, window, size, FILTERS[:1])


def _place(image, boxes, window, size, filters, draw=0.0, seed=None):
    """A window (y, x, height, width) of the picture as the network's input, and its boxes.

    `draw` in 0 … 1 chooses among `filters`; colours are distorted if there is a seed.
    """
    sides = tf.cast(tf.shape(image)[:2], tf.float32)
    first = tf.clip_by_value(window[:2], 0, sides - 1)
    last = tf.clip_by_value(window[:2] + window[2:], first + 1, sides)
    # What of it is picture, in pixels of the result: only this is resized.
    scale = tf.constant(size, tf.float32) / window[2:]
    begin, end = (
        tf.cast(tf.round((corner - window[:2]) * scale), tf.int32) for corner in (first, last)
    )
    begin = tf.clip_by_value(begin, 0, tf.constant(size) - 1)
    end = tf.clip_by_value(end, begin + 1, size)
    top, left = tf.unstack(tf.cast(first, tf.int32))
    bottom, right = tf.unstack(tf.cast(last, tf.int32))
    part = tf.cast(image[top:bottom, left:right], tf.float32)
    resized = [
        lambda name=name: tf.image.resize(part, end - begin, name, antialias=True)
        for name in filters
    ]
    part = tf.switch_case(tf.cast(draw * len(filters), tf.int32), resized)
    # Cubic and Lanczos filters overshoot.
    part = tf.clip_by_value(part, 0, 255)
    if seed is not None:
        part = distort_colours(part, seed)
    after = tf.constant(size) - end
    padding = [(begin[0], after[0]), (begin[1], after[1]), (0, 0)]
    pixels = tf.pad(normalization("faces")(part), padding)

    factor = tf.cast(end - begin, tf.float32) / (last - first)
    offset = tf.cast(begin, tf.float32) - first * factor
    return tf.ensure_shape(pixels, (*size, 3)), place_boxes(boxes, factor, offset, size)

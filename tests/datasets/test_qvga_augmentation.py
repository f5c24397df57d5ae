"""Grey training pictures: boxes follow the picture, no face is large, seeds decide."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

from rnnpool_tf.datasets.qvga_augmentation import LARGEST_FACE, augment_qvga, fit_qvga
from tests.datasets.pictures import BOXES, rectangles, seen_box

pytestmark = pytest.mark.keras_free

SIZES = [(320, 320), (240, 320)]
MEAN = 0.299 * 123 + 0.587 * 117 + 0.114 * 104


@functools.lru_cache
def traced(size):
    """`augment_qvga` as a graph for pictures of any size, as the pipeline runs it."""
    image = tf.TensorSpec((None, None, 3), tf.uint8)
    signature = [image, tf.TensorSpec((None, 4)), tf.TensorSpec((2,), tf.int64)]
    return tf.function(lambda *inputs: augment_qvga(*inputs, size), signature)


def augmented(image, boxes, seed, size=(320, 320)):
    pixels, boxes = traced(size)(image, boxes, (seed, 3))
    return pixels.numpy(), boxes.numpy()


@pytest.mark.parametrize("size", SIZES)
def test_boxes_follow_the_picture(size):
    for seed in range(12):
        print(f"seed {seed}")
        pixels, boxes = augmented(rectangles(), BOXES, seed, size)
        assert pixels.shape == (*size, 1) and boxes.shape == (3, 4)
        # Half way between ground and rectangle, whatever was done to the light.
        bright = pixels[..., 0] > (pixels.max() + np.median(pixels)) / 2
        for box in boxes:
            found = seen_box(bright, box)
            # An edge is found to a pixel or, smoothed by the resampling, to a half more.
            np.testing.assert_allclose(found, box * np.tile(size[::-1], 2), atol=1.5)


def test_half_of_the_pictures_are_mirrored():
    first_is_left = [
        boxes[0, 0] < boxes[1, 0]
        for boxes in (augmented(rectangles(), BOXES, seed)[1] for seed in range(40))
    ]
    assert 10 < sum(first_is_left) < 30


@pytest.mark.parametrize("side", [20, 49, 120, 190])
def test_no_face_is_larger_than_48_pixels(side):
    box = np.array([[10, 5, 10 + side, 5 + side], [0, 0, 8, 8]], np.float32)
    for seed in range(5):
        _, boxes = augmented(rectangles(boxes=box), box, seed)
        largest = np.sqrt(np.prod(boxes[0, 2:] - boxes[0, :2])) * 320
        # Sides of the picture are whole pixels: up to half of one in 80.
        assert largest <= LARGEST_FACE * 1.01
        if side > LARGEST_FACE:
            assert largest > 0.9 * LARGEST_FACE


def test_the_seed_decides():
    once, again, other = (augmented(rectangles(), BOXES, seed) for seed in (5, 5, 6))
    for a, b in zip(once, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(once[0], other[0])


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3), (1400, 1000)])
def test_pictures_of_any_shape_without_a_face(shape):
    pixels, boxes = augmented(np.zeros((*shape, 3), np.uint8), np.zeros((0, 4), np.float32), 0)
    assert np.isfinite(pixels).all() and boxes.shape == (0, 4)
    pixels, _ = fit_qvga(np.zeros((*shape, 3), np.uint8), np.zeros((0, 4), np.float32))
    assert pixels.shape == (320, 320, 1)


def test_surroundings_have_the_mean_colour():
    image = np.full((100, 200, 3), 255, np.uint8)
    pixels, _ = fit_qvga(image, BOXES[:1], (240, 320))
    pixels = pixels.numpy()[..., 0]
    assert (pixels[:40] == 0).all() and (pixels[-40:] == 0).all()
    np.testing.assert_allclose(pixels[40:-40], 255 - MEAN, atol=1e-3)


@pytest.mark.parametrize("size", SIZES)
def test_fitting_keeps_aspect_and_boxes(size):
    pixels, boxes = fit_qvga(rectangles(), BOXES, size)
    boxes = boxes.numpy() * np.tile(size[::-1], 2)
    sides = boxes[:, 2:] - boxes[:, :2]
    scale = sides / (BOXES[:, 2:] - BOXES[:, :2])
    np.testing.assert_allclose(scale, scale[0, 0], rtol=5e-3)  # whole pixels, of 240 or more
    bright = pixels.numpy()[..., 0] > 60
    for box in boxes:
        relative = box / np.tile(size[::-1], 2)
        np.testing.assert_allclose(seen_box(bright, relative), box, atol=1)

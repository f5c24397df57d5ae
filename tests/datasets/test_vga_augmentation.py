"""Colour training pictures: boxes follow the picture, windows hold faces, seeds decide."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import tensorflow as tf

from rnnpool_tf.datasets.qvga_augmentation import mirror
from rnnpool_tf.datasets.vga_augmentation import FILTERS, augment_vga, fit_vga
from rnnpool_tf.datasets.vga_windows import (
    ANCHORS,
    anchor_window,
    crop_window,
    kept_faces,
    whole_window,
)
from tests.datasets.pictures import BOXES, rectangles, seen_box

pytestmark = pytest.mark.keras_free

SIZE = (640, 640)
_BOXES, _SEED = tf.TensorSpec((None, 4)), tf.TensorSpec((2,), tf.int64)
_WINDOW_INPUTS = [tf.TensorSpec((2,)), _BOXES, _SEED]


@functools.lru_cache
def traced(size):
    """`augment_vga` as a graph for pictures of any size, as the pipeline runs it."""
    image = tf.TensorSpec((None, None, 3), tf.uint8)
    return tf.function(lambda *inputs: augment_vga(*inputs, size), [image, _BOXES, _SEED])


anchor_windows = tf.function(lambda *inputs: anchor_window(*inputs, SIZE), _WINDOW_INPUTS)
crop_windows = tf.function(lambda *inputs: crop_window(*inputs, SIZE), _WINDOW_INPUTS)
NO_FACES = np.zeros((0, 4), np.float32)


def augmented(image, boxes, seed, size=SIZE):
    pixels, boxes = traced(size)(image, boxes, (seed, 3))
    return pixels.numpy(), boxes.numpy()


def random_faces(seed: int, height: int, width: int) -> np.ndarray:
    print(f"seed {seed}")
    rng = np.random.default_rng(seed)
    sides = np.exp(rng.uniform(np.log(8), np.log(300), (rng.integers(1, 12), 1)))
    first = rng.uniform(-10, 1, (len(sides), 2)) % 1 * (width, height) - 5
    return np.concatenate((first, first + sides * (1, 1.2)), 1).astype(np.float32)


@pytest.mark.parametrize("size", [SIZE, (480, 640)])
def test_boxes_follow_the_picture(size):
    checked = 0
    for seed in range(10):
        print(f"seed {seed}")
        pixels, boxes = augmented(rectangles(), BOXES, seed, size)
        assert pixels.shape == (*size, 3) and len(boxes)
        grey = pixels.mean(2)
        scale = np.sqrt(np.prod(boxes[0, 2:] - boxes[0, :2]) * np.prod(size) / 1000)
        for box in np.clip(boxes, 0, 1):
            ends = box * np.tile(size[::-1], 2)
            x, y = ((ends[:2] + ends[2:]) / 2).astype(int)
            # Half way between the rectangle, in its middle, and the ground, of which there is most.
            bright = grey > (grey[y, x] + min(np.median(grey), grey[y, x] - 20)) / 2
            # An edge is found to a pixel, or to the size of a pixel of the picture.
            np.testing.assert_allclose(seen_box(bright, box), ends, atol=1.5 + scale)
            checked += 1
    assert checked > 10


def test_anchor_windows_suit_an_anchor():
    height, width = 1024, 700
    faces = random_faces(1, height, width)[:1]
    side = np.sqrt(np.prod(faces[0, 2:] - faces[0, :2]))
    nearest = int(np.argmin(np.abs(np.array(ANCHORS) - side)))
    reached = []
    for seed in range(60):
        window = anchor_windows((height, width), faces, (seed, 0)).numpy()
        assert (window == np.round(window)).all()
        if window[2] == 0:
            continue
        assert window[2] == window[3]
        x1, y1, x2, y2 = faces[0]
        held = window[1] <= x1 and window[0] <= y1
        held &= window[1] + window[3] >= x2 and window[0] + window[2] >= y2
        assert held or window[2] < side * 1.3  # a window may lie within the face
        reached.append(side * 640 / window[2])
    largest = ANCHORS[min(nearest + 1, 5)]
    # Sides of windows are whole pixels.
    assert min(reached) > ANCHORS[0] / 2 * 0.95 and max(reached) < largest * 2 * 1.05
    assert min(reached) < 16 and max(reached) > largest / 2


@pytest.mark.parametrize("shape", [(300, 1000), (1000, 300), (640, 640)])
def test_crops_lie_inside_and_hold_a_face(shape):
    sides = []
    for seed in range(30):
        faces = random_faces(seed, *shape)
        y, x, height, width = crop_windows(shape, faces, (seed, 1)).numpy()
        if height == 0:
            continue
        assert height == width <= min(shape)
        assert 0 <= y <= shape[0] - height and 0 <= x <= shape[1] - width
        inside = (faces[:, :2] >= (x, y)) & (faces[:, 2:] <= (x + width, y + height))
        assert inside.all(1).any()
        sides.append(height / min(shape))
    assert len(sides) > 15 and min(sides) < 0.7 and max(sides) == 1


def test_faces_are_kept_by_their_centre_and_area():
    window = tf.constant((100.0, 200.0, 320.0, 320.0))  # the result is twice as large
    faces = np.array(
        [
            [210, 110, 220, 120],
            [190, 110, 214, 120],  # the centre is inside
            [180, 110, 214, 120],  # outside
            [210, 110, 213, 113],  # 36 square pixels
            [210, 110, 213.5, 113],
            [500, 110, 600, 120],
        ],
        np.float32,
    )
    kept = kept_faces(window, faces, SIZE).numpy().tolist()
    assert kept == [True, True, False, False, True, False]


@pytest.mark.parametrize("kind", ["anchor", "crop"])
def test_windows_without_a_face(kind):
    windows = {"anchor": anchor_windows, "crop": crop_windows}[kind]
    window = windows((200, 300), NO_FACES, (0, 0)).numpy()
    assert window[2] == window[3] == 0 and np.isfinite(window).all()


def test_a_face_too_small_for_every_window_gives_the_whole_picture():
    faces = np.array([[100, 50, 100.01, 50.01]], np.float32)
    for seed in range(6):
        pixels, boxes = augmented(rectangles(boxes=NO_FACES), faces, seed)
        _, expected = (x.numpy() for x in fit_vga(rectangles(boxes=NO_FACES), faces))
        if abs(boxes[0, 0] - expected[0, 0]) > 1e-6:
            expected = mirror(expected).numpy()
        np.testing.assert_allclose(boxes, expected, atol=1e-6)
        # 640 × 640 from 200 × 260: 74 rows above and below have the mean colour.
        assert not pixels[:73].any() and not pixels[-73:].any() and pixels[80:-80].any()


def test_the_seed_decides():
    once, again, other = (augmented(rectangles(), BOXES, seed) for seed in (5, 5, 6))
    for a, b in zip(once, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(once[0], other[0])


@pytest.mark.parametrize("shape", [(1, 1), (2, 700), (700, 2), (1024, 1400)])
def test_pictures_of_any_shape(shape):
    image = np.full((*shape, 3), 255, np.uint8)
    whole = np.array([[0, 0, shape[1], shape[0]]], np.float32)
    for seed in range(6):
        for faces in (NO_FACES, whole):
            pixels, boxes = augmented(image, faces, seed)
            assert pixels.shape == (640, 640, 3) and boxes.shape == faces.shape
            assert np.isfinite(pixels).all() and np.isfinite(boxes).all()


def test_values_stay_in_range():
    """Filters that overshoot are clipped, so no pixel is further from the mean than 0 or 255."""
    image = np.random.default_rng(3).choice([0, 255], (80, 90, 3)).astype(np.uint8)
    for seed in range(10):
        pixels, _ = augmented(image, np.array([[20, 20, 60, 60]], np.float32), seed)
        assert (pixels >= np.float32((-123, -117, -104)) - 1e-3).all()
        assert (pixels <= np.float32((132, 138, 151)) + 1e-3).all()


def test_every_filter_is_known_to_tensorflow():
    image = np.ones((4, 4, 3), np.float32)
    for name in FILTERS:
        resized = tf.image.resize(image, (7, 3), name, antialias=True)
        np.testing.assert_allclose(resized, np.ones((7, 3, 3)), rtol=1e-5)


@pytest.mark.parametrize("shape", [(200, 260), (333, 640), (480, 640), (1024, 683)])
def test_fitting_keeps_aspect_and_boxes(shape):
    pixels, boxes = fit_vga(rectangles(*shape), BOXES)
    y, x, height, width = whole_window(tf.constant(shape, tf.float32), SIZE).numpy()
    assert height == width == max(shape)
    ends = boxes.numpy() * 640
    expected = (BOXES - np.array([x, y, x, y])) * 640 / max(shape)
    # The picture begins and ends at whole pixels.
    np.testing.assert_allclose(ends, expected, atol=1)
    bright = pixels.numpy().mean(2) > 60
    for box in boxes.numpy():
        np.testing.assert_allclose(seen_box(bright, box), box * 640, atol=1.5)

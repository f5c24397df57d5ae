"""Pictures of all shapes in a network's input, and boxes back."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.vision.frame import fit_frame, scale_frame

pytestmark = pytest.mark.keras_free
SEED = 20261129


def picture(height, width, box=None):
    """Dark, with one bright box (x1, y1, x2, y2)."""
    image = np.zeros((height, width, 3), np.uint8)
    if box is not None:
        x1, y1, x2, y2 = box
        image[y1:y2, x1:x2] = 255
    return image


def bright(pixels) -> tuple:
    rows, columns = np.nonzero(pixels[..., 0] > 180)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize(
    "shape", [(240, 320), (480, 640), (226, 339), (600, 300), (31, 77), (1, 1), (1, 500)], ids=str
)
@pytest.mark.parametrize("channels", [1, 3])
def test_whole_picture_within_the_input(shape, channels):
    frame = fit_frame(np.zeros((*shape, 3), np.uint8), 240, 320, channels)
    assert frame.pixels.shape == (240, 320, channels)
    mean = 117 if channels == 1 else (123, 117, 104)
    inside = (frame.pixels == 0).all(-1)
    assert inside.any()
    assert (frame.pixels[~inside] == mean).all()
    corners = frame.to_picture(np.array([[*frame.offset, *frame.offset]], np.float64))
    np.testing.assert_allclose(corners, 0)


@pytest.mark.parametrize("seed", range(SEED, SEED + 5))
def test_boxes_follow_the_picture_there_and_back(seed):
    print(f"seed {seed}")
    rng = np.random.default_rng(seed)
    height, width = rng.integers(200, 900, 2)
    x1, y1 = rng.integers(0, (width - 80, height - 80))
    box = (x1, y1, x1 + rng.integers(40, 80), y1 + rng.integers(40, 80))
    for frame in (
        fit_frame(picture(height, width, box), 240, 320, 1),
        scale_frame(picture(height, width, box), 320 * 240, 16, 1),
    ):
        back = frame.to_picture(np.array([bright(frame.pixels)], np.float64))[0]
        # A pixel of the input on each side: its border shows where the resampled edge is.
        np.testing.assert_allclose(back, box, atol=1.5 / min(frame.scale))


def test_scaling_shrinks_to_the_area_and_never_enlarges():
    small = scale_frame(picture(100, 61), 320 * 240, 16, 1)
    assert small.pixels.shape == (112, 64, 1)
    assert small.scale == (1, 1)
    large = scale_frame(picture(960, 1280), 320 * 240, 128, 3)
    assert large.pixels.shape == (256, 384, 3)
    assert large.scale == (0.25, 0.25)


@pytest.mark.parametrize(
    "image",
    [np.zeros((5, 5, 3)), np.zeros((5, 5, 4), np.uint8), np.zeros((0, 5), np.uint8), None],
    ids=["float", "four channels", "empty", "nothing"],
)
def test_what_is_no_picture_is_refused(image):
    with pytest.raises(ValueError, match=r"`image` must be a uint8 array.*Received: "):
        fit_frame(image, 240, 320, 1)

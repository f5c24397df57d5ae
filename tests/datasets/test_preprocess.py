"""Pixels to numbers and pictures to squares: the same in NumPy, TensorFlow and integers."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from rnnpool_tf.datasets.preprocess import (
    NORMALIZATIONS,
    evaluation_crop,
    normalization,
    random_crop_boxes,
)

pytestmark = pytest.mark.keras_free
SEED = 20


def pixels(channels: int) -> np.ndarray:
    """Every pixel value in every channel."""
    return np.stack([np.roll(np.arange(256, dtype=np.uint8), 7 * c) for c in range(channels)], -1)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", sorted(NORMALIZATIONS))
def test_numpy_and_tensorflow_agree(name, channels):
    normalize = normalization(name)
    expected = normalize(pixels(channels))
    assert expected.dtype == np.float32
    # Within one rounding of a value below 4: XLA and Eigen may fuse the product and the sum.
    np.testing.assert_allclose(normalize(tf.constant(pixels(channels))), expected, atol=5e-7)


@pytest.mark.parametrize("name", sorted(NORMALIZATIONS))
def test_is_the_papers_formula(name):
    normalize = normalization(name)
    u8 = pixels(3).astype(np.float64)
    expected = (u8 / 255 - np.array(normalize.mean)) / np.array(normalize.std)
    # float32 products and sums of values up to 5.
    np.testing.assert_allclose(normalize(pixels(3)), expected, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3])
def test_symmetric_int8_is_a_subtraction(channels):
    normalize = NORMALIZATIONS["symmetric"]
    table = normalize.lookup_table(channels, scale=1 / 128, zero_point=0)
    np.testing.assert_array_equal(
        table, np.tile(np.arange(-128, 128, dtype=np.int8), (channels, 1))
    )
    np.testing.assert_array_equal(
        normalize.quantize(pixels(channels), 1 / 128, 0), pixels(channels).astype(np.int16) - 128
    )


def test_imagenet_int8_is_the_nearest_step():
    normalize, scale, zero_point = NORMALIZATIONS["imagenet"], 0.0187, -14
    integers = normalize.quantize(pixels(3), scale, zero_point)
    assert integers.dtype == np.int8
    error = (integers.astype(float) - zero_point) * scale - normalize(pixels(3))
    inside = (integers > -128) & (integers < 127)
    assert inside.mean() > 0.9
    # Half a step, and a float32 rounding.
    assert np.abs(error[inside]).max() <= scale / 2 + 1e-6
    table = normalize.lookup_table(3, scale, zero_point)
    for channel in range(3):
        np.testing.assert_array_equal(
            table[channel][pixels(3)[:, channel]], integers[:, channel], err_msg=f"{channel=}"
        )


def test_halves_round_away_from_zero():
    # (u8 - 128) / 128 at scale 1/64: every odd pixel value lies between two steps.
    integers = NORMALIZATIONS["symmetric"].quantize(
        np.array([[125], [127], [129], [131]], np.uint8), 1 / 64, 0
    )
    assert integers.ravel().tolist() == [-2, -1, 1, 2]


@pytest.mark.parametrize("shape", [(256, 256), (400, 256), (256, 300)], ids=str)
def test_evaluation_crop_is_the_centre(shape):
    """A picture whose red and green are its coordinates shows where its pixels come from."""
    width, height = shape
    ramp = np.zeros((height, width, 3), np.float64)
    ramp[..., 0] = (np.arange(width) + 0.5 - width / 2)[None, :] + 128
    ramp[..., 1] = (np.arange(height) + 0.5 - height / 2)[:, None] + 128
    image = Image.fromarray(np.clip(ramp, 0, 255).astype(np.uint8))
    crop = np.asarray(evaluation_crop(image, 112)).astype(float)
    # The shorter side 256 becomes 128, of which the middle 112 remain: 224 original pixels, two
    # for one. Tolerance: truncation to uint8 and a resampling.
    expected = 128 + 2 * (np.arange(112) + 0.5 - 56)
    np.testing.assert_allclose(crop[56, :, 0], expected, atol=1.5)
    np.testing.assert_allclose(crop[:, 56, 1], expected, atol=1.5)


def test_random_crops_have_the_papers_shapes():
    rng = np.random.default_rng(SEED)
    aspects = rng.uniform(0.6, 1.7, 4000)
    boxes = random_crop_boxes(rng, aspects)
    top, bottom = boxes[:, 0], boxes[:, 2]
    left, right = np.sort(boxes[:, [1, 3]], axis=1).T
    assert boxes.dtype == np.float32
    # float32 rounding of sums of two numbers below 1.
    assert min(top.min(), left.min()) >= 0 and max(bottom.max(), right.max()) <= 1 + 1e-6
    area = (bottom - top) * (right - left)
    ratio = aspects * (right - left) / (bottom - top)
    assert area.min() >= 0.2 - 1e-5 and area.max() <= 1 + 1e-6, f"seed {SEED}"
    assert ratio.min() >= 3 / 4 - 1e-5 and ratio.max() <= 4 / 3 + 1e-5, f"seed {SEED}"
    # Both ends of the ranges occur.
    assert area.min() < 0.22 and area.max() > 0.9 and ratio.min() < 0.8 and ratio.max() > 1.25
    # 4000 fair coins: six standard deviations are 0.047.
    assert abs((boxes[:, 1] > boxes[:, 3]).mean() - 0.5) < 0.047, f"seed {SEED}"


def test_extreme_pictures_get_the_largest_centred_crop():
    boxes = random_crop_boxes(np.random.default_rng(SEED), np.array([8.0]), area=(1, 1))
    top, first, bottom, second = boxes[0]
    # Eight times as wide as high: the full height, and 4/3 of it in width, in the middle.
    np.testing.assert_allclose((top, bottom), (0, 1), atol=1e-6)
    np.testing.assert_allclose(sorted((first, second)), (0.5 - 1 / 12, 0.5 + 1 / 12), atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: normalization("minmax"), "normalization='minmax'"),
        (lambda: NORMALIZATIONS["imagenet"].factors(4), "channels=4"),
        (lambda: NORMALIZATIONS["symmetric"].quantize(pixels(3), 0.0, 0), "scale=0.0"),
    ],
    ids=["unknown name", "4 channels", "zero scale"],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()

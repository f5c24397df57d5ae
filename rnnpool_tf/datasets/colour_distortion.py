"""Random changes of light and colour for training, on TensorFlow tensors."""

from __future__ import annotations

import tensorflow as tf

BRIGHTNESS, CONTRAST, SATURATION, HUE = 0.125, 0.5, 0.5, 18 / 256
GREY_WEIGHTS = (0.299, 0.587, 0.114)  # luma of ITU-R BT.601


def distort_colours(image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Brightness ±12.5 %, contrast and saturation ±50 %, hue ±18/256 of the circle, each by half.

    Each of the four is done with probability 0.5; contrast before or after saturation and hue,
    as often. Source: EdgeML's training of the RNNPool face detectors.

    Args:
        image: float32 (height, width, 3), 0 … 255.
        seed: Two integers, shape (2,); the same seed gives the same result.

    Returns:
        As `image`, clipped to 0 … 255 after every step.
    """
    draws = tf.random.stateless_uniform((9,), seed)

    def factor(index: int, spread: float) -> tf.Tensor:
        """1 in half of the cases, otherwise uniform in 1 ± spread."""
        return 1 + tf.where(draws[index] < 0.5, (2 * draws[index + 4] - 1) * spread, 0.0)

    brightness, contrast, saturation = (
        factor(0, BRIGHTNESS),
        factor(1, CONTRAST),
        factor(2, SATURATION),
    )
    hue = factor(3, HUE) - 1

    image = _clip(image * brightness)
    image = tf.cond(draws[8] < 0.5, lambda: _contrast(image, contrast), lambda: image)
    grey = to_grey(image)
    image = _clip(grey + (image - grey) * saturation)
    image = tf.cond(hue == 0, lambda: image, lambda: _shift_hue(image, hue))
    return tf.cond(draws[8] < 0.5, lambda: image, lambda: _contrast(image, contrast))


def to_grey(image: tf.Tensor) -> tf.Tensor:
    """Luma of an RGB image (…, 3): (…, 1)."""
    return tf.tensordot(image, tf.constant(GREY_WEIGHTS)[:, tf.newaxis], 1)


def _contrast(image, factor):
    mean = tf.reduce_mean(to_grey(image))
    return _clip(mean + (image - mean) * factor)


def _shift_hue(image, shift):
    return tf.clip_by_value(255 * tf.image.adjust_hue(image / 255, shift), 0, 255)


def _clip(image):
    return tf.clip_by_value(image, 0, 255)

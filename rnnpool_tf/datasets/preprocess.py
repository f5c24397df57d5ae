"""From a picture to the network's input: one convention for training, verification and the device.

A picture reaches the network in two steps.

1. **Geometry** (`evaluation_crop`): the shorter side is resized to `size * 256 / 224` and
   the centre `size x size` square is cut out, as in the RNNPool paper's Visual Wake Words recipe.
   The result is still uint8.
2. **Numbers** (`Normalization`): `x = (u8 / 255 - mean) / std` per channel.

Three normalisations are offered. `"imagenet"` is the paper's for classification, `"faces"` its one
for detection. `"symmetric"` has one mean and
one std for all channels, chosen so that `x = (u8 - 128) / 128`: an int8 input of scale 1/128 and
zero point 0 is then *exactly* `u8 - 128`, which a microcontroller computes by flipping the top
bit of every byte. (The widespread `u8 / 127.5 - 1` has its zero between two pixel values and
therefore no such integer form.) The examples use `"symmetric"`.

This module needs NumPy alone; TensorFlow and Pillow objects are used when they are passed in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# The paper evaluates 224 x 224 crops of images whose shorter side is 256; the ratio is kept at
# every other resolution.
RESIZE_RATIO = 256 / 224


@dataclass(frozen=True)
class Normalization:
    """A per-channel affine map from uint8 pixels to the network's float input.

    `mean` and `std` are three values (red, green, blue) in units of `u8 / 255`. A grey image
    takes their sum weighted by `grey_weights`, by default the average.

    >>> import numpy as np
    >>> NORMALIZATIONS["symmetric"](np.array([[[0, 128, 255]]], np.uint8)).ravel().tolist()
    [-1.0, 0.0, 0.9921875]
    """

    name: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    grey_weights: tuple[float, float, float] = (1 / 3, 1 / 3, 1 / 3)

    def factors(self, channels: int) -> tuple[np.ndarray, np.ndarray]:
        """`(multiplier, offset)`, float32 `[channels]`: `x = u8 * multiplier + offset`."""
        mean, std = np.asarray(self.mean), np.asarray(self.std)
        if channels == 1:
            weights = np.asarray(self.grey_weights)
            mean, std = (np.sum(value * weights, keepdims=True) for value in (mean, std))
        elif channels != 3:
            raise ValueError(f"`channels` must be 1 or 3. Received: channels={channels}")
        return (1 / (255 * std)).astype(np.float32), (-mean / std).astype(np.float32)

    def limits(self, channels: int) -> tuple[float, float]:
        """The smallest and the largest value that a pixel can become, over all channels.

        >>> NORMALIZATIONS["symmetric"].limits(3)
        (-1.0, 0.9921875)
        """
        ends = self(np.array([[0] * channels, [255] * channels], np.uint8))
        return float(ends.min()), float(ends.max())

    def __call__(self, images):
        """uint8 `[..., channels]` -> float32 of the same shape.

        Accepts a NumPy array or a TensorFlow tensor (of any dtype, holding values 0..255) and
        returns the same kind; both compute the same float32 operations.
        """
        multiplier, offset = self.factors(images.shape[-1])
        if isinstance(images, np.ndarray):
            return images.astype(np.float32) * multiplier + offset
        import tensorflow as tf

        return tf.cast(images, tf.float32) * multiplier + offset

    def quantize(self, images: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
        """uint8 pixels -> the int8 input of a model with this `scale` and `zero_point`.

        Rounds to nearest, halves away from zero, and saturates, as LiteRT's QUANTIZE operator does.
        """
        if not scale > 0:
            raise ValueError(f"`scale` must be positive. Received: scale={scale}")
        steps = self(images).astype(np.float64) / scale
        rounded = np.copysign(np.floor(np.abs(steps) + 0.5), steps)
        return np.clip(rounded + zero_point, -128, 127).astype(np.int8)

    def lookup_table(self, channels: int, scale: float, zero_point: int) -> np.ndarray:
        """int8 `[channels, 256]`: entry `[c, u8]` is the model input for that pixel value.

        What a device needs and nothing else: the preprocessing of any model as at most 768 bytes,
        and `numpy.array_equal` to `arange(256) - 128` says that a subtraction is enough.
        """
        ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None], channels, axis=1)
        return self.quantize(ramp, scale, zero_point).T.copy()


NORMALIZATIONS: dict[str, Normalization] = {
    "imagenet": Normalization("imagenet", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "symmetric": Normalization("symmetric", (128 / 255,) * 3, (128 / 255,) * 3),
    # Pixels minus the mean colour, not scaled: 123, 117, 104, or 117.31 for grey.
    "faces": Normalization(
        "faces", (123 / 255, 117 / 255, 104 / 255), (1 / 255,) * 3, (0.299, 0.587, 0.114)
    ),
}


def normalization(name: str | Normalization) -> Normalization:
    """The `Normalization` called `name`; an instance is returned unchanged."""
    if isinstance(name, Normalization):
        return name
    if name not in NORMALIZATIONS:
        raise ValueError(
            f"`normalization` must be one of {sorted(NORMALIZATIONS)}. "
            f"Received: normalization={name!r}"
        )
    return NORMALIZATIONS[name]


def evaluation_crop(image, size: int):
    """Shorter side of a PIL image to `size * 256 / 224`, then the centre `size x size` square.

    Both are done in one resampling (bilinear with antialiasing), so nothing is rounded in between.
    """
    from PIL import Image

    side = min(image.size) / RESIZE_RATIO
    left, top = (image.width - side) / 2, (image.height - side) / 2
    box = (left, top, left + side, top + side)
    return image.resize((size, size), Image.Resampling.BILINEAR, box=box)


def squash(image, size: int):
    """The whole PIL image resized to `size x size`, whatever its aspect ratio."""
    from PIL import Image

    return image.resize((size, size), Image.Resampling.BILINEAR)


def random_crop_boxes(
    rng: np.random.Generator,
    aspects: np.ndarray,
    area: tuple[float, float] = (0.2, 1.0),
    ratio: tuple[float, float] = (3 / 4, 4 / 3),
    attempts: int = 10,
) -> np.ndarray:
    """Random resized crops with random horizontal flips, for a whole batch at once.

    `aspects` `[N]` is width / height of each original picture. Returns float32 boxes `[N, 4]`
    as `(y1, x1, y2, x2)` in 0..1, `x1 > x2` where the crop is mirrored (the convention of
    `tf.image.crop_and_resize`). A crop covers a uniformly drawn fraction `area` of its picture
    and has an aspect ratio drawn log-uniformly from `ratio` *in the original's pixels*. When none
    of the `attempts` fits into the picture, the largest centred crop of a permitted ratio is it.
    """
    count = len(aspects)
    fraction = rng.uniform(*area, size=(count, attempts))
    shape = np.exp(rng.uniform(*np.log(ratio), size=(count, attempts)))
    # A picture of unit area has width sqrt(aspect) and height 1 / sqrt(aspect).
    widths = np.sqrt(fraction * shape) / np.sqrt(aspects)[:, None]
    heights = np.sqrt(fraction / shape) * np.sqrt(aspects)[:, None]
    fits = (widths <= 1) & (heights <= 1)
    first, rows = np.argmax(fits, axis=1), np.arange(count)
    found = fits[rows, first]
    allowed = np.clip(aspects, *ratio)
    width = np.where(found, widths[rows, first], np.minimum(1, allowed / aspects))
    height = np.where(found, heights[rows, first], np.minimum(1, aspects / allowed))
    position = rng.uniform(size=(2, count))
    top = np.where(found, position[0], 0.5) * (1 - height)
    left = np.where(found, position[1], 0.5) * (1 - width)
    flip = rng.uniform(size=count) < 0.5
    near, far = np.where(flip, left + width, left), np.where(flip, left, left + width)
    return np.stack([top, near, top + height, far], axis=1).astype(np.float32)

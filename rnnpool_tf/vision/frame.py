"""Fitting pictures of any size into a network's input, and boxes back into the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rnnpool_tf.datasets.preprocess import Normalization, normalization


@dataclass(frozen=True)
class Frame:
    """A picture inside a network's input.

    Attributes:
        pixels: uint8 (height, width, channels); mean-coloured around the picture.
        scale: Pixels of the input per pixel of the picture: (along x, along y).
        offset: Where the picture begins in the input: (x, y).
    """

    pixels: np.ndarray
    scale: tuple[float, float]
    offset: tuple[int, int]

    def to_picture(self, boxes: np.ndarray) -> np.ndarray:
        """Corner boxes (N, 4) in pixels of the input to pixels of the picture."""
        scale, offset = np.tile(self.scale, 2), np.tile(self.offset, 2)
        return ((boxes - offset) / scale).astype(np.float32)


def fit_frame(image: np.ndarray, height: int, width: int, channels: int) -> Frame:
    """The picture in the middle of an input of fixed size, as large as it fits, aspect kept.

    Args:
        image: uint8 (h, w, 3), or (h, w) for grey.
        height: Of the input.
        width: Of the input.
        channels: 1 for grey, 3 for RGB.
    """
    _check(image)
    scale = min(height / image.shape[0], width / image.shape[1])
    sides = [
        min(limit, max(1, round(scale * side)))
        for side, limit in zip(image.shape[:2], (height, width), strict=True)
    ]
    top, left = (height - sides[0]) // 2, (width - sides[1]) // 2
    return _place(image, sides, (top, left), (height, width), channels)


def scale_frame(image: np.ndarray, area: float, multiple: int, channels: int) -> Frame:
    """The picture shrunk to at most `area` pixels, aspect kept, for networks of any input size.

    Padded at the right and at the bottom to multiples of `multiple`, the network's largest stride:
    convolutions with padding "same" and stride 2 look at other pixels where a side is odd, so cells
    would lie half a stride from their anchors. Args otherwise as `fit_frame`.
    """
    _check(image)
    scale = min(1.0, math.sqrt(area / (image.shape[0] * image.shape[1])))
    sides = [max(1, round(scale * side)) for side in image.shape[:2]]
    size = [-(-side // multiple) * multiple for side in sides]
    return _place(image, sides, (0, 0), size, channels)


def _check(image) -> None:
    shape = getattr(image, "shape", None)
    proper = shape is not None and (len(shape) == 2 or (len(shape) == 3 and shape[2] == 3))
    if not proper or image.dtype != np.uint8 or min(shape) < 1:
        raise ValueError(
            "`image` must be a uint8 array (height, width, 3) or (height, width). Received: "
            + (f"{image.dtype} {shape}" if proper or shape is not None else repr(type(image)))
        )


def _place(image, sides, offset, size, channels) -> Frame:
    from PIL import Image

    picture = Image.fromarray(image).convert("L" if channels == 1 else "RGB")
    if picture.size != (sides[1], sides[0]):
        picture = picture.resize((sides[1], sides[0]), Image.Resampling.BILINEAR)
    pixels = np.empty((*size, channels), np.uint8)
    pixels[:] = mean_colour(normalization("faces"), channels)
    (top, left), (rows, columns) = offset, sides
    pixels[top : top + rows, left : left + columns] = np.asarray(picture).reshape(
        rows, columns, channels
    )
    scale = (columns / image.shape[1], rows / image.shape[0])
    return Frame(pixels, scale, (left, top))


def mean_colour(normalize: Normalization, channels: int) -> np.ndarray:
    """The pixel that the normalisation brings nearest to 0, uint8 (channels,)."""
    multiplier, offset = normalize.factors(channels)
    return np.round(-offset / multiplier).astype(np.uint8)

"""Pictures, and the device's preprocessing in NumPy.

`resize` and `preprocess` are the specification of templates/common/picture.cpp and preprocess.cpp:
integers only, equal to them to the byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnpool_tf.datasets.preprocess import evaluation_crop

PIXEL_BYTES = {"grey8": 1, "rgb888": 3, "rgb565": 2}
# Longer lines would overflow the 32-bit products of the resize.
_MAX_SIDE = 4096


@dataclass(frozen=True)
class Picture:
    """Pixels as the device holds them.

    Attributes:
        name: What the self-test prints.
        pixels: uint8 `[height, width, bytes per pixel]`.
        pixel_format: "grey8", "rgb888" or "rgb565" (high byte first).
    """

    name: str
    pixels: np.ndarray
    pixel_format: str

    def channels(self) -> np.ndarray:
        """uint8 `[height, width, 1 or 3]`."""
        if self.pixel_format != "rgb565":
            return self.pixels
        high, low = self.pixels[..., 0].astype(int), self.pixels[..., 1].astype(int)
        red, green, blue = high >> 3, (high & 7) << 3 | low >> 5, low & 31
        full = [red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2]
        return np.stack(full, axis=-1).astype(np.uint8)


def _taps(from_size: int, to_size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every output position: first neighbour, second neighbour, its weight in 1/256."""
    doubled = 2 * to_size
    position = (2 * np.arange(to_size) + 1) * from_size - to_size
    first = position // doubled
    weight = (position % doubled * 256 + to_size) // doubled
    before, after = position <= 0, first >= from_size - 1
    first = np.where(before, 0, np.where(after, from_size - 1, first))
    inside = ~(before | after)
    return first, first + inside, np.where(inside, weight, 0)


def resize(picture: Picture, height: int, width: int) -> np.ndarray:
    """Centre crop of the shape `height` x `width`, resized to it (bilinear).

    Args:
        picture: Any size up to 4095 pixels a side.
        height, width: Of the model's input.

    Returns:
        uint8 `[height, width, 1 or 3]`.
    """
    source = picture.channels().astype(np.int64)
    crop_height, crop_width = source.shape[:2]
    if crop_width * height > crop_height * width:
        crop_width = max(crop_height * width // height, 1)
    else:
        crop_height = max(crop_width * height // width, 1)
    left = (source.shape[1] - crop_width) // 2
    top = (source.shape[0] - crop_height) // 2
    source = source[top : top + crop_height, left : left + crop_width]

    y0, y1, wy = _taps(crop_height, height)
    x0, x1, wx = _taps(crop_width, width)
    wx, wy = wx[None, :, None], wy[:, None, None]
    rows = source[:, x0] * (256 - wx) + source[:, x1] * wx
    values = (rows[y0] * (256 - wy) + rows[y1] * wy + 32768) >> 16
    return values.astype(np.uint8)


def preprocess(picture: Picture, height: int, width: int, table: np.ndarray) -> np.ndarray:
    """The int8 model input of a picture: `resize`, then the table of each channel.

    Args:
        picture: Any size up to 4095 pixels a side.
        height, width: Of the model's input.
        table: int8 `[channels, 256]`, see `Normalization.lookup_table`.

    Returns:
        int8 `[height, width, channels]`.
    """
    pixels = resize(picture, height, width)
    return np.stack([table[c][pixels[..., c]] for c in range(pixels.shape[2])], axis=-1)


def checksum(values: np.ndarray) -> int:
    """FNV-1a, 32 bits, of the bytes of an int8 array."""
    result = 2166136261
    for byte in values.tobytes():
        result = (result ^ byte) * 16777619 & 0xFFFFFFFF
    return result


def pattern(channels: int) -> Picture:
    """A small picture in the camera's own pixel format.

    Two kilobytes of flash test what pictures at the model's size leave out: unpacking RGB565,
    cropping and resizing.
    """
    pixel_format = "grey8" if channels == 1 else "rgb565"
    shape = (30, 40, PIXEL_BYTES[pixel_format])
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    return Picture("pattern", pixels, pixel_format)


def load(source: str | Path | np.ndarray, index: int, shape: Sequence[int]) -> Picture:
    """A test picture at the model's input size.

    Files of exactly that size are taken as they are; larger ones go through `evaluation_crop`, as
    in validation. Arrays are uint8 `[height, width, channels]` (`[height, width]` for grey).

    Args:
        source: Image file or array.
        index: Position in the caller's list, for messages.
        shape: `(height, width, channels)` of the model's input.

    Raises:
        ValueError: not an image, or of a size that does not fit.
        FileNotFoundError: no such file.
    """
    height, width, channels = shape
    pixel_format = "grey8" if channels == 1 else "rgb888"
    if isinstance(source, np.ndarray):
        pixels = source[..., None] if source.ndim == 2 else source
        if pixels.dtype != np.uint8 or pixels.shape != (height, width, channels):
            raise ValueError(
                f"`images[{index}]` must be uint8 of shape {(height, width, channels)}, the "
                f"model's input. Received: shape={source.shape}, dtype={source.dtype}"
            )
        return Picture(f"picture {index + 1}", np.ascontiguousarray(pixels), pixel_format)

    from PIL import Image, UnidentifiedImageError

    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(f"`images[{index}]` does not exist. Received: {path}")
    try:
        with Image.open(path) as opened:
            image = opened.convert("L" if channels == 1 else "RGB")
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(
            f"`images[{index}]` must be an image that Pillow reads. Received: {path} ({error})"
        ) from error
    if image.size != (width, height):
        if image.width < width or image.height < height:
            raise ValueError(
                f"`images[{index}]` must be at least as large as the model's input, {width} x "
                f"{height} pixels. Received: {path} of {image.width} x {image.height}"
            )
        if width != height:
            raise ValueError(
                f"`images[{index}]` must have exactly the size of the model's input, {width} x "
                f"{height} pixels, because that is not square. Received: {path} of "
                f"{image.width} x {image.height}"
            )
        image = evaluation_crop(image, width)
    pixels = np.asarray(image, dtype=np.uint8).reshape(height, width, channels)
    return Picture(path.name, pixels, pixel_format)


def check_input_size(height: int, width: int) -> None:
    """Raises ValueError for a model whose input is too large for 32-bit resizing."""
    if max(height, width) >= _MAX_SIDE:
        raise ValueError(
            f"the model's input must be smaller than {_MAX_SIDE} pixels a side. "
            f"Received: {height} x {width}"
        )

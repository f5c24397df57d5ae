"""Generated pictures of lines and of shapes: can one operator tell orientations and outlines?

Small grey pictures with background noise, as in appendix C.1 of Saha et al., 2020, which shows
examples (its Figure 4) but gives no sizes, contrasts or amounts of noise; those here are ours.

Picture `i` depends on `(seed, i)` alone.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnnpool_tf.datasets.canvas import Canvas

ORIENTATIONS = tuple(range(0, 180, 20))  # degrees
SHAPES = ("circle", "triangle", "square", "pentagon", "hexagon")

_NOISE = 0.08  # standard deviation, of a range from 0 (black) to 1
_LINE_RADIUS = 0.028  # half a line's width, as a part of the picture's side
_CORNERS = {"triangle": 3, "square": 4, "pentagon": 5, "hexagon": 6}


@dataclass(frozen=True)
class ProbePictures:
    """Pictures uint8 [N, size, size, 1], labels float32 [N, classes] of zeros and ones, and the
    names of the classes."""

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)


def line_pictures(count: int, size: int = 32, *, seed: int = 0, first: int = 0) -> ProbePictures:
    """Pictures of one line each; the class is its orientation, 0 to 160 degrees in steps of 20.

    Args:
        count: Number of pictures.
        size: Side in pixels.
        seed: Of all pictures.
        first: Number of the first picture; another range gives other pictures of the same kind.

    Raises:
        ValueError: No picture, a side below 16 pixels, or what is no integer.

    Example:

    >>> pictures = line_pictures(4, 32)
    >>> pictures.images.shape, pictures.labels.sum(axis=1).tolist()
    ((4, 32, 32, 1), [1.0, 1.0, 1.0, 1.0])
    """
    names = tuple(f"{degrees}°" for degrees in ORIENTATIONS)
    return _pictures(count, size, seed, first, names, _one_line)


def many_line_pictures(
    count: int, size: int = 32, *, seed: int = 0, first: int = 0
) -> ProbePictures:
    """Pictures of one to four lines of different orientations; each orientation is a label.

    Arguments and errors as of `line_pictures`.
    """
    names = tuple(f"{degrees}°" for degrees in ORIENTATIONS)
    return _pictures(count, size, seed, first, names, _many_lines)


def shape_pictures(count: int, size: int = 64, *, seed: int = 0, first: int = 0) -> ProbePictures:
    """Pictures of one to five upright shapes, each at most once and none over another; each of
    `SHAPES` is a label.

    Arguments and errors as of `line_pictures`.
    """
    return _pictures(count, size, seed, first, SHAPES, _shapes)


def _pictures(
    count: int, size: int, seed: int, first: int, classes: tuple[str, ...], draw: Callable
) -> ProbePictures:
    for name, value, least in (("count", count, 1), ("size", size, 16), ("first", first, 0)):
        if not isinstance(value, numbers.Integral):
            raise ValueError(f"`{name}` must be an integer. Received: {name}={value!r}")
        if value < least:
            raise ValueError(f"`{name}` must be at least {least}. Received: {name}={value}")
    images = np.empty((count, size, size, 1), np.uint8)
    labels = np.zeros((count, len(classes)), np.float32)
    for row in range(count):
        rng = np.random.default_rng((seed, first + row))
        canvas = Canvas(np.full((size, size, 1), rng.uniform(0.1, 0.3), np.float32))
        labels[row, draw(rng, canvas)] = 1
        noisy = canvas.pixels + rng.normal(0, _NOISE, canvas.pixels.shape)
        images[row] = np.rint(np.clip(noisy, 0, 1) * 255)
    return ProbePictures(images, labels, classes)


def _one_line(rng: np.random.Generator, canvas: Canvas) -> list[int]:
    label = int(rng.integers(len(ORIENTATIONS)))
    _line(rng, canvas, ORIENTATIONS[label])
    return [label]


def _many_lines(rng: np.random.Generator, canvas: Canvas) -> list[int]:
    labels = rng.permutation(len(ORIENTATIONS))[: rng.integers(1, 5)]
    for label in labels:
        _line(rng, canvas, ORIENTATIONS[label])
    return labels.tolist()


def _line(rng: np.random.Generator, canvas: Canvas, degrees: float) -> None:
    # Rows count downwards, angles as in a drawing.
    along = np.array([np.cos(np.radians(degrees)), -np.sin(np.radians(degrees))])
    half = rng.uniform(0.2, 0.4) * along
    reach = np.abs(half) + _LINE_RADIUS
    centre = rng.uniform(reach, 1 - reach)
    canvas.bar(centre - half, centre + half, _LINE_RADIUS, rng.uniform(0.7, 1, 1))


def _shapes(rng: np.random.Generator, canvas: Canvas) -> list[int]:
    labels = rng.permutation(len(SHAPES))[: rng.integers(1, len(SHAPES) + 1)]
    # A place of its own in a 3×3 grid for every shape, a random part of the room in it left over.
    for label, place in zip(labels, rng.permutation(9), strict=False):
        radius = rng.uniform(0.11, 0.15)
        room = 1 / 6 - radius
        centre = (np.array(divmod(place, 3)) + 0.5) / 3 + rng.uniform(-room, room, 2)
        colour = rng.uniform(0.7, 1, 1)
        if SHAPES[label] == "circle":
            canvas.bar(centre, centre, radius, colour)
        else:
            canvas.polygon(_corners(_CORNERS[SHAPES[label]], centre, radius), colour)
    return labels.tolist()


def _corners(count: int, centre: np.ndarray, radius: float) -> np.ndarray:
    """Corners of a regular polygon that stands on a side."""
    angles = np.pi / 2 + np.pi / count + 2 * np.pi * np.arange(count) / count
    return centre + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)

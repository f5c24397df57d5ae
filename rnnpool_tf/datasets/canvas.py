"""What generated pictures are drawn with: a canvas, backgrounds, clutter."""

from __future__ import annotations

import numpy as np

SKIN = np.array([[0.95, 0.78, 0.66], [0.80, 0.58, 0.43], [0.55, 0.37, 0.26], [0.36, 0.23, 0.17]])


class Canvas:
    """A picture that rounded bars, discs and boxes are painted onto, with smooth edges."""

    def __init__(self, pixels: np.ndarray):
        self.pixels = pixels
        self.size = len(pixels)

    def bar(self, start, end, radius: float, colour) -> None:
        """All points within `radius` of the segment from `start` to `end`, as (x, y)."""
        start, end = np.asarray(start, np.float32), np.asarray(end, np.float32)
        window = self._window(np.minimum(start, end) - radius, np.maximum(start, end) + radius)
        if window is None:
            return
        rows, columns, x, y = window
        along = end - start
        length = max(float(along @ along), 1e-9)
        t = np.clip(((x - start[0]) * along[0] + (y - start[1]) * along[1]) / length, 0, 1)
        distance = np.hypot(x - start[0] - t * along[0], y - start[1] - t * along[1]) - radius
        self._blend(rows, columns, distance, colour)

    def box(self, centre, half, angle: float, colour) -> None:
        """A rectangle of half sizes `half` turned by `angle` radians."""
        reach = float(np.hypot(*half))
        window = self._window(np.subtract(centre, reach), np.add(centre, reach))
        if window is None:
            return
        rows, columns, x, y = window
        x, y = x - centre[0], y - centre[1]
        cosine, sine = np.cos(angle), np.sin(angle)
        across = np.abs(cosine * x + sine * y) - half[0]
        down = np.abs(cosine * y - sine * x) - half[1]
        self._blend(rows, columns, np.maximum(across, down), colour)

    def polygon(self, corners, colour) -> None:
        """A convex polygon with the given corners (x, y), clockwise as the picture is seen."""
        corners = np.asarray(corners, np.float32)
        window = self._window(corners.min(axis=0), corners.max(axis=0))
        if window is None:
            return
        rows, columns, x, y = window
        distance = -np.inf
        for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            along = (end - start) / np.hypot(*(end - start))
            outward = along[1] * (x - start[0]) - along[0] * (y - start[1])
            distance = np.maximum(distance, outward)
        self._blend(rows, columns, distance, colour)

    def _window(self, low, high):
        """The rows and columns that a shape touches, with the coordinates of their centres."""
        first = np.maximum(np.floor(np.multiply(low, self.size)).astype(int) - 1, 0)
        last = np.minimum(np.ceil(np.multiply(high, self.size)).astype(int) + 2, self.size)
        if (last <= first).any():
            return None
        x = ((np.arange(first[0], last[0]) + 0.5) / self.size).astype(np.float32)
        y = ((np.arange(first[1], last[1]) + 0.5) / self.size).astype(np.float32)
        return slice(first[1], last[1]), slice(first[0], last[0]), x[None, :], y[:, None]

    def _blend(self, rows: slice, columns: slice, distance: np.ndarray, colour) -> None:
        cover = np.clip(0.5 - distance * self.size, 0, 1)[..., None].astype(np.float32)
        view = self.pixels[rows, columns]
        view += cover * (np.asarray(colour, np.float32) - view)


def background(rng: np.random.Generator, size: int) -> np.ndarray:
    """A colour gradient with coarse blotches, float32 `[size, size, 3]` in 0..1."""
    # Half way to grey: landscapes are duller than clothes.
    top, bottom = 0.5 * (rng.uniform(0.1, 0.95, (2, 3)) + rng.uniform(0.1, 0.95, (2, 1)))
    ramp = np.linspace(0, 1, size)[:, None, None]
    ramp = 1 / (1 + np.exp(-(ramp - rng.uniform(0.2, 0.8)) * rng.uniform(2, 20)))
    pixels = np.repeat(top + (bottom - top) * ramp, size, axis=1)
    cells = int(rng.integers(3, 9))
    blotches = rng.normal(0, rng.uniform(0, 0.12), (cells, cells))
    place = np.linspace(0, cells - 1.001, size)
    low = place.astype(int)
    part = place - low
    rows = blotches[low] * (1 - part)[:, None] + blotches[low + 1] * part[:, None]
    smooth = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    return np.clip(pixels + smooth[..., None], 0, 1).astype(np.float32)


def add_clutter(rng: np.random.Generator, canvas: Canvas, largest: float = 0.14) -> None:
    """Paints a pole, a box, a ball or a tree, of half sizes up to about `largest`."""
    kind, centre, colour = rng.integers(4), rng.uniform(0, 1, 2), rng.uniform(0, 1, 3)
    if kind == 0:  # a pole or a branch
        angle, length = rng.uniform(0, np.pi), rng.uniform(0.1, 0.6)
        step = 0.5 * length * np.array([np.cos(angle), np.sin(angle)])
        canvas.bar(centre - step, centre + step, rng.uniform(0.008, 0.04), colour)
    elif kind == 1:
        half = rng.uniform(0.02, largest, 2)
        canvas.box(centre, half, rng.choice([0, rng.uniform(0, np.pi)]), colour)
    elif kind == 2:  # a ball, in half of the cases as light or dark as skin
        if rng.uniform() < 0.5:
            colour = SKIN[rng.integers(len(SKIN))]
        canvas.bar(centre, centre, rng.uniform(0.02, largest * 0.7), colour)
    else:  # a tree: a disc on a trunk
        height, crown = rng.uniform(0.1, 0.3), rng.uniform(0.04, largest * 0.8)
        canvas.bar(centre, centre + np.array([0, height]), rng.uniform(0.01, 0.03), 0.4 * colour)
        canvas.bar(centre, centre, crown, colour * [0.4, 1, 0.4])

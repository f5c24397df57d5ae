"""Generated pictures with and without a person: data for demonstrations and tests, offline.

A scene is a shaded background with clutter: poles, boxes, balls, trees, in random colours. A
positive scene holds one articulated figure (head, torso, two-part limbs) of varied pose, size, tilt
and colours, in front of some of the clutter and behind the rest. Some negative scenes hold the
*same body parts scattered about*, so that neither the amount of clutter nor the presence of a skin
coloured disc tells the classes apart: the arrangement does.

Scene `i` depends on `(seed, i)` alone and is drawn in coordinates 0..1, so the same scenes come
at every resolution.
"""

from __future__ import annotations

import functools

import numpy as np

from rnnpool_tf.datasets.examples import Examples, ImageDataset, check_input, training_size

# A crop much smaller than the picture would often cut the figure out of a positive scene.
CROP_AREA = (0.6, 1.0)
# How many of the negative scenes hold scattered body parts.
SCATTERED = 0.25
_SKIN = np.array([[0.95, 0.78, 0.66], [0.80, 0.58, 0.43], [0.55, 0.37, 0.26], [0.36, 0.23, 0.17]])
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@functools.lru_cache(maxsize=1)
def synthetic_dataset(
    image_size: int = 96,
    channels: int = 3,
    train: int = 4096,
    validation: int = 512,
    seed: int = 0,
) -> ImageDataset:
    """`train` and `validation` generated scenes, half of them with a person.

    Takes about 3 ms per scene of 96 pixels. The last set is kept, read-only, so that the steps of
    one process draw it once.

    >>> dataset = synthetic_dataset(image_size=32, train=4, validation=2)
    >>> dataset.train.images.shape, dataset.validation.labels.tolist()
    ((4, 48, 48, 3), [0, 1])
    """
    check_input(image_size, channels)
    for name, count in (("train", train), ("validation", validation)):
        if count < 2:
            raise ValueError(f"`{name}` must be at least 2 pictures. Received: {name}={count}")
    return ImageDataset(
        "synthetic",
        _scenes(range(train), training_size(image_size), channels, seed),
        _scenes(range(train, train + validation), image_size, channels, seed),
        crop_area=CROP_AREA,
    )


def _scenes(indices: range, size: int, channels: int, seed: int) -> Examples:
    images = np.empty((len(indices), size, size, channels), np.uint8)
    for row, index in enumerate(indices):
        picture = draw_scene(np.random.default_rng((seed, index)), size, person=index % 2 == 1)
        if channels == 1:
            picture = picture @ _LUMA[:, None]
        images[row] = np.rint(picture * 255)
    images.flags.writeable = False
    labels = np.array([index % 2 for index in indices], np.int64)
    names = tuple(f"scene{index}" for index in indices)
    return Examples(images, labels, np.ones(len(indices), np.float32), names)


def draw_scene(rng: np.random.Generator, size: int, person: bool) -> np.ndarray:
    """One scene, float32 `[size, size, 3]` in 0..1."""
    canvas = _Canvas(_background(rng, size))
    for _ in range(rng.integers(1, 5)):
        _clutter(rng, canvas)
    parts = _body(rng)
    if person:
        _draw_parts(canvas, parts)
    elif rng.uniform() < SCATTERED:
        _draw_parts(canvas, _scattered(rng, parts))
    for _ in range(rng.integers(0, 3)):
        _clutter(rng, canvas, largest=0.06)
    light = rng.uniform(0.65, 1.15)
    noise = rng.normal(0, rng.uniform(0.005, 0.03), canvas.pixels.shape)
    return np.clip(canvas.pixels * light + noise, 0, 1).astype(np.float32)


class _Canvas:
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


def _point(x: float, y: float) -> np.ndarray:
    return np.array([x, y])


def _background(rng: np.random.Generator, size: int) -> np.ndarray:
    """A colour gradient with coarse blotches."""
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


def _clutter(rng: np.random.Generator, canvas: _Canvas, largest: float = 0.14) -> None:
    kind, (x, y), colour = rng.integers(4), rng.uniform(0, 1, 2), rng.uniform(0, 1, 3)
    if kind == 0:  # a pole or a branch
        angle, length = rng.uniform(0, np.pi), rng.uniform(0.1, 0.6)
        step = 0.5 * length * np.array([np.cos(angle), np.sin(angle)])
        canvas.bar(_point(x, y) - step, _point(x, y) + step, rng.uniform(0.008, 0.04), colour)
    elif kind == 1:
        half = rng.uniform(0.02, largest, 2)
        canvas.box((x, y), half, rng.choice([0, rng.uniform(0, np.pi)]), colour)
    elif kind == 2:  # a ball, in half of the cases as light or dark as skin
        if rng.uniform() < 0.5:
            colour = _SKIN[rng.integers(len(_SKIN))]
        canvas.bar((x, y), (x, y), rng.uniform(0.02, largest * 0.7), colour)
    else:  # a tree: a disc on a trunk
        height, crown = rng.uniform(0.1, 0.3), rng.uniform(0.04, largest * 0.8)
        canvas.bar((x, y), (x, y + height), rng.uniform(0.01, 0.03), 0.4 * colour)
        canvas.bar((x, y), (x, y), crown, colour * [0.4, 1, 0.4])


def _body(rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray, float, np.ndarray]]:
    """A figure as bars `(start, end, radius, colour)`, painted in this order."""
    height = rng.uniform(0.55, 0.95)
    skin = np.clip(_SKIN[rng.integers(len(_SKIN))] + rng.normal(0, 0.04, 3), 0, 1)
    shirt, trousers = rng.uniform(0, 1, (2, 3))
    girth = rng.uniform(0.8, 1.4)
    sleeves = shirt if rng.uniform() < 0.5 else skin
    parts = []

    def limb(joint, angles, lengths, radius, colours):
        for angle, length, colour in zip(angles, lengths, colours, strict=True):
            end = joint + length * np.array([np.sin(angle), np.cos(angle)])
            parts.append((joint, end, radius, colour))
            joint = end

    # In units of the body height, y downwards, the hip at the origin.
    hip, neck = _point(0, 0), _point(0, -0.32)
    thigh = rng.normal([-0.12, 0.12], 0.35)
    for side, angle in zip((-1, 1), thigh, strict=True):
        knee = angle + rng.normal(0, 0.25)
        leg = hip + _point(0.05 * side, 0)
        limb(leg, (angle, knee), (0.24, 0.24), 0.04 * girth, (trousers, trousers))
    limb(hip, (np.pi,), (0.3,), 0.085 * girth, [shirt])
    for side in (-1, 1):
        raised = rng.uniform(0, 2.6) if rng.uniform() < 0.25 else rng.uniform(0, 0.6)
        bend = raised + rng.normal(0, 0.6)
        shoulder = neck + _point(0.09 * side * girth, 0.02)
        limb(shoulder, (side * raised, side * bend), (0.17, 0.17), 0.03 * girth, (sleeves, skin))
    head = neck + _point(0, -0.11)
    hair = rng.uniform(0, 0.6) * np.array([1, 0.8, 0.6])
    crown = head + _point(0, -0.03)
    parts.append((crown, crown, 0.075, hair))
    parts.append((head, head + _point(0, 0.025), 0.065, skin))

    tilt = rng.normal(0, 0.15)
    turn = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]])
    place = np.array([rng.uniform(0.2, 0.8), 0.5 + rng.uniform(-0.5, 0.5) * (1.1 - height)])
    return [
        (place + height * (turn @ a), place + height * (turn @ b), height * radius, colour)
        for a, b, radius, colour in parts
    ]


def _scattered(rng: np.random.Generator, parts: list) -> list:
    """The same bars, each moved and turned on its own."""
    scattered = []
    for start, end, radius, colour in parts:
        angle = rng.uniform(0, 2 * np.pi)
        half = 0.5 * np.linalg.norm(end - start) * np.array([np.cos(angle), np.sin(angle)])
        centre = rng.uniform(0.05, 0.95, 2)
        scattered.append((centre - half, centre + half, radius, colour))
    return scattered


def _draw_parts(canvas: _Canvas, parts: list) -> None:
    for part in parts:
        canvas.bar(*part)

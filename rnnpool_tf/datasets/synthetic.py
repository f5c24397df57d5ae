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

from rnnpool_tf.datasets.canvas import SKIN, Canvas, add_clutter, background
from rnnpool_tf.datasets.examples import Examples, ImageDataset, check_input, training_size

# A crop much smaller than the picture would often cut the figure out of a positive scene.
CROP_AREA = (0.6, 1.0)
# How many of the negative scenes hold scattered body parts.
SCATTERED = 0.25
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
    canvas = Canvas(background(rng, size))
    for _ in range(rng.integers(1, 5)):
        add_clutter(rng, canvas)
    parts = _body(rng)
    if person:
        _draw_parts(canvas, parts)
    elif rng.uniform() < SCATTERED:
        _draw_parts(canvas, _scattered(rng, parts))
    for _ in range(rng.integers(0, 3)):
        add_clutter(rng, canvas, largest=0.06)
    light = rng.uniform(0.65, 1.15)
    noise = rng.normal(0, rng.uniform(0.005, 0.03), canvas.pixels.shape)
    return np.clip(canvas.pixels * light + noise, 0, 1).astype(np.float32)


def _point(x: float, y: float) -> np.ndarray:
    return np.array([x, y])


def _body(rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray, float, np.ndarray]]:
    """A figure as bars `(start, end, radius, colour)`, painted in this order."""
    height = rng.uniform(0.55, 0.95)
    skin = np.clip(SKIN[rng.integers(len(SKIN))] + rng.normal(0, 0.04, 3), 0, 1)
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


def _draw_parts(canvas: Canvas, parts: list) -> None:
    for part in parts:
        canvas.bar(*part)

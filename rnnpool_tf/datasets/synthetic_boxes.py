"""Generated pictures of heads with their boxes: for tests and a first trial of a detector.

A picture has the background and clutter of the generated persons (`synthetic`) and in front of it
one to six people, of whom head and shoulders show. Clutter holds balls of the colour of skin; a
head has hair, eyes and shoulders. Picture `i` depends on `(seed, i)` alone.
"""

from __future__ import annotations

import functools
import io

import numpy as np

from rnnpool_tf.datasets.boxes import BoxDataset, BoxExample
from rnnpool_tf.datasets.canvas import SKIN, Canvas, add_clutter, background

HEIGHT, WIDTH = 240, 320
HEADS = (1, 6)
SIDES = (10, 60)  # pixels of a head, the longer side
# A head in parts of its half width: the crown is a disc that reaches up to −1.25, the face an oval
# down to 1.2.
_TOP, _BOTTOM = 1.25, 1.2
_ATTEMPTS = 30  # places that are tried for a head before it is left out


@functools.lru_cache(maxsize=1)
def synthetic_boxes(train: int = 512, validation: int = 64, seed: int = 0) -> BoxDataset:
    """`train` and `validation` generated pictures of 320×240 pixels, as PNG files in memory.

    Takes about 40 ms a picture; the last set is kept, so that the steps of one process draw it
    once.

    >>> dataset = synthetic_boxes(train=2, validation=1)
    >>> dataset.train[0].image().shape, len(dataset.train), len(dataset.validation)
    ((240, 320, 3), 2, 1)
    """
    for name, count in (("train", train), ("validation", validation)):
        if count < 1:
            raise ValueError(f"`{name}` must be at least 1 picture. Received: {name}={count}")
    examples = tuple(_example(seed, index) for index in range(train + validation))
    return BoxDataset("synthetic", examples[:train], examples[train:])


def _example(seed: int, index: int) -> BoxExample:
    from PIL import Image

    pixels, boxes = draw_heads(np.random.default_rng((seed, index)))
    encoded = io.BytesIO()
    # Stored quickly: pixel noise hardly compresses anyway.
    Image.fromarray(pixels).save(encoded, "PNG", compress_level=1)
    return BoxExample(f"heads{index}.png", encoded.getvalue, boxes)


def draw_heads(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One picture, uint8 `[240, 320, 3]`, and the boxes (x1, y1, x2, y2) of its heads in pixels."""
    # Drawn on a square, of which the middle rows are kept.
    canvas, first = Canvas(background(rng, WIDTH)), (WIDTH - HEIGHT) // 2
    for _ in range(rng.integers(3, 9)):
        add_clutter(rng, canvas)
    boxes = []
    for x, y, half in _places(rng):
        _draw_person(rng, canvas, np.array([x, y + first]) / WIDTH, half / WIDTH)
        boxes.append((x - half, y - _TOP * half, x + half, y + _BOTTOM * half))
    pixels = canvas.pixels[first : first + HEIGHT] * rng.uniform(0.65, 1.15)
    pixels += rng.normal(0, rng.uniform(0.005, 0.03), pixels.shape)
    return np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8), np.array(boxes, np.float32)


def _places(rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """Centre and half width in pixels of heads that lie inside and do not touch, small ones first.

    So nearer people are in front of those behind.
    """
    places: list[tuple[float, float, float]] = []
    for _ in range(rng.integers(HEADS[0], HEADS[1] + 1)):
        half = np.exp(rng.uniform(*np.log(SIDES))) / (_TOP + _BOTTOM)
        for _ in range(_ATTEMPTS):
            x = rng.uniform(half, WIDTH - half)
            y = rng.uniform(_TOP * half, HEIGHT - _BOTTOM * half)
            # Shoulders hide what is below a head, so a distance of heads is not enough.
            if all(max(abs(x - a) / 2, abs(y - b) / 3) > half + c for a, b, c in places):
                places.append((x, y, half))
                break
    return sorted(places, key=lambda place: place[2])


def _draw_person(rng: np.random.Generator, canvas: Canvas, head: np.ndarray, half: float) -> None:
    skin = np.clip(SKIN[rng.integers(len(SKIN))] + rng.normal(0, 0.04, 3), 0, 1)
    hair, shirt = rng.uniform(0, 0.6) * np.array([1, 0.8, 0.6]), rng.uniform(0, 1, 3)

    def bar(start, end, radius: float, colour) -> None:
        canvas.bar(
            head + half * np.array(start), head + half * np.array(end), half * radius, colour
        )

    bar((-1, 2.3), (1, 2.3), 0.9, shirt)
    bar((0, 0.6), (0, 1.6), 0.4, 0.9 * skin)
    bar((0, 1 - _TOP), (0, 1 - _TOP), 1, hair)
    bar((0, 0), (0, _BOTTOM - 0.85), 0.85, skin)
    for side in (-0.35, 0.35):
        bar((side, 0.05), (side, 0.05), 0.13, 0.25 * skin)

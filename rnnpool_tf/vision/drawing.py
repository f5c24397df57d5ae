"""Boxes drawn on pictures."""

from __future__ import annotations

import numpy as np

FOUND, TRUTH = (40, 220, 60), (255, 170, 0)


def draw_boxes(image: np.ndarray, boxes: np.ndarray, colour=FOUND, scores=None):
    """A Pillow image with a frame around every box.

    Args:
        image: uint8 (height, width, 3).
        boxes: (N, 4): x1, y1, x2, y2 in pixels; what is outside the picture is not drawn.
        colour: (red, green, blue).
        scores: (N,): written above the boxes if given.
    """
    from PIL import Image, ImageDraw

    picture = Image.fromarray(np.asarray(image)).convert("RGB")
    draw = ImageDraw.Draw(picture)
    thickness = max(1, round(min(picture.size) / 240))
    limits = np.array([picture.width, picture.height] * 2) - 1
    for index, box in enumerate(np.asarray(boxes).reshape(-1, 4)):
        x1, y1, x2, y2 = np.clip(np.round(box), 0, limits).astype(int).tolist()
        draw.rectangle((x1, y1, max(x1, x2), max(y1, y2)), outline=colour, width=thickness)
        if scores is not None:
            draw.text((x1 + thickness, max(0, y1 - 11)), f"{scores[index]:.0%}", fill=colour)
    return picture


def side_by_side(pictures, titles) -> object:
    """Pillow images in a row, each under its title."""
    from PIL import Image, ImageDraw

    gap, header = 6, 16
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) - 1)
    row = Image.new("RGB", (width, header + max(p.height for p in pictures)), (255, 255, 255))
    draw, left = ImageDraw.Draw(row), 0
    for picture, title in zip(pictures, titles, strict=True):
        draw.text((left + 2, 2), title, fill=(0, 0, 0))
        row.paste(picture, (left, header))
        left += picture.width + gap
    return row

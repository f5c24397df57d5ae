"""Tiny picture sets on disk, whose colour tells the label: red = person, blue = no person."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {0: (0, 0, 200), 1: (200, 0, 0)}


def picture(label: int, size: tuple[int, int] = (20, 16)) -> bytes:
    """A PNG of `size` (width, height) in the colour of `label`."""
    file = io.BytesIO()
    Image.new("RGB", size, COLOURS[label]).save(file, "PNG")
    return file.getvalue()


def labels_of(images: np.ndarray) -> np.ndarray:
    """The labels that the colours of uint8 pictures [N, S, S, 3] tell."""
    return (images[..., 0].mean((1, 2)) > images[..., 2].mean((1, 2))).astype(np.int64)


def write_zip(path: Path, rows: list[tuple[str, str, str]], files: list[str] | None = None) -> Path:
    """A zip with labels.csv of (file, label, split); `files` defaults to those of the rows."""
    with zipfile.ZipFile(path, "w") as archive:
        table = "file,label,split\n" + "".join(",".join(row) + "\n" for row in rows)
        archive.writestr("labels.csv", table)
        kinds = {file: label for file, label, _ in rows}
        for file in kinds if files is None else files:
            archive.writestr(file, picture(int(kinds.get(file, "0") == "1")))
    return path


def zip_rows(train: int = 3, validation: int = 1, prefix: str = "") -> list[tuple[str, str, str]]:
    """That many rows per class."""
    return [
        (f"{prefix}{split}{label}_{index}.png", str(label), split)
        for split, count in (("train", train), ("val", validation))
        for label in (0, 1)
        for index in range(count)
    ]


def write_folder(root: Path, counts: dict[str, int]) -> Path:
    """Pictures in sub-folders: {"train/person": 3, …}; a folder called person holds red ones."""
    for name, count in counts.items():
        folder = root / name
        folder.mkdir(parents=True)
        for index in range(count):
            label = int(folder.name == "person")
            (folder / f"picture{index}.png").write_bytes(picture(label))
    return root


def write_coco(root: Path, areas: dict[int, list[tuple[str, float]]]) -> tuple[Path, Path]:
    """20 × 16 pictures (320 pixels) with annotations {image id: [(category, area), …]}."""
    images = root / "images"
    images.mkdir()
    categories = {"person": 1, "dog": 18}
    document = {
        "categories": [{"id": key, "name": name} for name, key in categories.items()],
        "images": [
            {"id": key, "file_name": f"{key:012}.png", "width": 20, "height": 16} for key in areas
        ],
        "annotations": [
            {"image_id": key, "category_id": categories[name], "area": area}
            for key, boxes in areas.items()
            for name, area in boxes
        ],
    }
    for key, boxes in areas.items():
        label = int(any(name == "person" and area > 1.6 for name, area in boxes))
        (images / f"{key:012}.png").write_bytes(picture(label))
    instances = root / "instances.json"
    instances.write_text(json.dumps(document))
    return images, instances

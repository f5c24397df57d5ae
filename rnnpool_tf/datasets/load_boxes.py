"""One entry for every kind of data set with boxes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from rnnpool_tf.datasets.boxes import BoxDataset, load_boxes_json
from rnnpool_tf.datasets.scut_head import load_scut_head
from rnnpool_tf.datasets.synthetic_boxes import synthetic_boxes
from rnnpool_tf.datasets.wider_face import load_wider_face

_LAYOUTS: dict[str, Callable[[str], BoxDataset]] = {
    "wider": load_wider_face,
    "scut": load_scut_head,
}


def load_boxes(spec: str | os.PathLike = "synthetic", *, seed: int = 0) -> BoxDataset:
    """Pictures with boxes around faces or heads.

    Args:
        spec: One of

            * `"synthetic"` or `"synthetic:TRAIN:VALIDATION"`: that many generated pictures;
            * `"wider:FOLDER"`: WIDER FACE (`load_wider_face`);
            * `"scut:FOLDER"`: SCUT-HEAD, part A or B (`load_scut_head`);
            * a zip or a folder with an `annotations.json` (`load_boxes_json`).
        seed: Of generated pictures.

    Raises:
        ValueError: None of these, or what the loaders raise.

    >>> str(load_boxes("synthetic:2:1"))
    'synthetic: 2 training images with 9 boxes and 1 validation images with 1 boxes'
    """
    word, *rest = str(spec).split(":", 1)
    if word == "synthetic":
        counts = rest[0].split(":") if rest else []
        if len(counts) in (0, 2) and all(count.isdecimal() for count in counts):
            return synthetic_boxes(*map(int, counts), seed=seed)
    elif word in _LAYOUTS and rest and rest[0]:
        return _LAYOUTS[word](rest[0])
    elif Path(spec).exists():
        return load_boxes_json(spec)
    raise ValueError(
        "`spec` must be 'synthetic', 'synthetic:TRAIN:VALIDATION', 'wider:FOLDER', 'scut:FOLDER' "
        f"or an existing zip or folder with annotations.json. Received: {str(spec)!r}"
    )

"""Find faces in pictures with a detector and draw them.

rnnpool detect group.jpg --model face.tflite              group_detected.png beside it
rnnpool detect *.jpg --model face.tflite -o found/        a picture for each in the folder
rnnpool detect group.jpg --model face.tflite --json       the boxes, without a picture
"""

from __future__ import annotations

import argparse
import io
import json
import os
from pathlib import Path

# EdgeML recommends 0.5 for its QVGA detectors and draws at 0.17 otherwise.
DRAWING_THRESHOLD = 0.5

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `rnnpool detect`."""
    parser.add_argument("pictures", metavar="PICTURE", type=Path, nargs="+", help="JPEG, PNG, …")
    parser.add_argument(
        "--model",
        type=Path,
        required=True,
        help="detector: .tflite, .keras or .h5 file",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        help="picture to write, or an existing folder or a name ending in / for several "
        "(default: PICTURE_detected.png beside each)",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        default=DRAWING_THRESHOLD,
        help="lowest score of a box (default: %(default)s)",
    )
    parser.add_argument(
        "--engine",
        choices=("litert", "tflm"),
        default="litert",
        help="what runs a .tflite file (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print the boxes and write no picture")


def run(arguments: argparse.Namespace) -> int:
    """Detects and draws; returns the exit status."""
    if not 0 <= arguments.threshold < 1:
        raise ValueError(
            f"`--threshold` must be at least 0 and below 1. Received: {arguments.threshold}"
        )
    if arguments.json and arguments.output is not None:
        raise ValueError("`--output` must not be given with --json. Received: both")
    targets = {} if arguments.json else _targets(arguments.pictures, arguments.output)
    images = {path: _read(path) for path in arguments.pictures}
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    detector = _detector(arguments)

    found = {}
    for path, image in images.items():
        rows = detector(image)
        found[path] = rows[rows[:, 0] > arguments.threshold]
    if arguments.json:
        print(json.dumps(_as_json(images, found), indent=1))
        return 0
    from rnnpool_tf.conversion.atomic_files import write_files
    from rnnpool_tf.vision.drawing import draw_boxes

    for path, target in targets.items():
        rows = found[path]
        picture = draw_boxes(images[path], rows[:, 1:], scores=rows[:, 0])
        target.parent.mkdir(parents=True, exist_ok=True)
        write_files({target: _encoded(picture, target)})
        print(f"{path}: {len(rows)} found, {target}")
    return 0


def _targets(pictures: list[Path], output: Path | None) -> dict[Path, Path]:
    """Where the drawn form of each picture goes."""
    from rnnpool_tf.conversion.atomic_files import check_output

    if output is None:
        targets = {path: path.with_name(f"{path.stem}_detected.png") for path in pictures}
    elif output.is_dir() or str(output).endswith("/") or not output.suffix:
        targets = {path: output / f"{path.stem}_detected.png" for path in pictures}
    elif len(pictures) > 1:
        raise ValueError(f"`--output` must be a folder for several pictures. Received: {output}")
    else:
        targets = {pictures[0]: output}
    for path, target in targets.items():
        if target.resolve() == path.resolve():
            raise ValueError(f"`--output` must not be the picture itself. Received: {target}")
        if target.suffix.lower() not in _FORMATS:
            raise ValueError(f"`--output` must end in {' or '.join(_FORMATS)}. Received: {target}")
        if target.parent.exists():
            check_output(target)
    return targets


def _encoded(picture, target: Path) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, _FORMATS[target.suffix.lower()])
    return buffer.getvalue()


def _read(path: Path):
    from rnnpool_tf.datasets.boxes import decode_picture

    return decode_picture(path.read_bytes(), str(path))


def _detector(arguments: argparse.Namespace):
    from rnnpool_tf.conversion.model_bytes import is_tflite

    model = arguments.model
    if not model.is_file():
        raise ValueError(f"`--model` must be an existing file. Received: '{model}'")
    if not is_tflite(model):
        from rnnpool_tf.conversion.command import choose_keras

        choose_keras(model)
        from rnnpool_tf.conversion.source import load_keras

        model = load_keras(model)
    from rnnpool_tf.vision.detector import Detector

    threshold = max(arguments.threshold, 0.01)
    return Detector(model, engine=arguments.engine, score_threshold=threshold)


def _as_json(images, found) -> list[dict]:
    return [
        {
            "file": str(path),
            "width": image.shape[1],
            "height": image.shape[0],
            "boxes": [
                {"score": round(float(row[0]), 4), "x1y1x2y2": row[1:].round(1).tolist()}
                for row in found[path]
            ],
        }
        for path, image in images.items()
    ]

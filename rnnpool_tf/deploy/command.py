"""Write a firmware project that runs a model.

rnnpool export arduino model.tflite -o firmware --images me.jpg empty_room.jpg
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from rnnpool_tf.datasets.normalization_arguments import (
    add_normalization_arguments,
    chosen_normalization,
)
from rnnpool_tf.deploy.choices import CAMERAS, DETECTORS, TFLM_LIBRARIES
from rnnpool_tf.deploy.memory import NANO_33_BLE_FLASH, NANO_33_BLE_RAM

if TYPE_CHECKING:
    from rnnpool_tf.deploy import Export


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the targets of `rnnpool export` and their options."""
    targets = parser.add_subparsers(dest="target", required=True, metavar="target")
    arduino = targets.add_parser(
        "arduino",
        help="a sketch for the Arduino IDE with the operator as a library",
        description="Writes an Arduino project that runs an int8 image classifier or face "
        "detector: self-test on pictures in flash, then what a camera sees.",
    )
    add = arduino.add_argument
    add("model", help="int8 .tflite file; with --front the body of a streamed model")
    add("--front", metavar="FRONT.h", help="front of a streamed model (rnnpool convert --stream)")
    add("-o", "--output", required=True, help="folder to write, new or empty")
    add("--images", nargs="+", default=[], metavar="FILE", help="pictures for the self-test")
    add(
        "--labels",
        nargs="+",
        metavar="NAME",
        help="names of the model's scores (default: 'no person' 'person')",
    )
    add(
        "--detector",
        choices=sorted(DETECTORS),
        help="the model is a face detector of this family; its outputs are the maps of each level",
    )
    add(
        "--score-threshold",
        type=float,
        metavar="P",
        help="of a detector: smallest face probability (default: 0.05 for qvga, 0.01 for vga)",
    )
    add("--name", help="name of the sketch (default: from the model's file name)")
    add("--camera", choices=CAMERAS, default=CAMERAS[0], help="default: %(default)s")
    add_normalization_arguments(arduino)
    add(
        "--tflm",
        choices=sorted(TFLM_LIBRARIES),
        default="chirale",
        help="the TensorFlow Lite Micro library of your Arduino IDE (default: %(default)s)",
    )
    add(
        "--ram-bytes",
        type=int,
        default=NANO_33_BLE_RAM,
        metavar="N",
        help="RAM of the board (default: %(default)s, Nano 33 BLE)",
    )
    add(
        "--flash-bytes",
        type=int,
        default=NANO_33_BLE_FLASH,
        metavar="N",
        help="flash for the sketch (default: %(default)s, Nano 33 BLE)",
    )
    add("--force", action="store_true", help="replace an earlier export")
    add("--json", action="store_true", help="print figures as JSON")


def run(args: argparse.Namespace) -> int:
    """Writes the project and prints its figures; errors are `export_arduino`'s."""
    from rnnpool_tf.deploy import export_arduino

    export = export_arduino(
        args.model,
        args.output,
        front=args.front,
        images=args.images,
        labels=args.labels,
        detector=args.detector,
        score_threshold=args.score_threshold,
        name=args.name,
        camera=args.camera,
        normalization=chosen_normalization(args),
        tflm=args.tflm,
        ram_bytes=args.ram_bytes,
        flash_bytes=args.flash_bytes,
        force=args.force,
    )
    if args.json:
        print(json.dumps(export.as_dict(), indent=2))
    else:
        print(_table(export, args.ram_bytes, args.flash_bytes))
    return 0


def _table(export: Export, ram_bytes: int, flash_bytes: int) -> str:
    memory = export.memory
    rows = [
        ("sketch", str(export.sketch)),
        ("operators", str(len(export.operators))),
        ("test pictures", str(len(export.tests))),
        ("arena", f"{memory.arena:,} bytes ({memory.arena_measured:,} measured)"),
        ("camera frame", f"{memory.frame:,} bytes"),
        ("RAM, system included", f"{memory.ram:,} of {ram_bytes:,} bytes (system estimated)"),
        ("flash, code included", f"{memory.flash:,} of {flash_bytes:,} bytes (code estimated)"),
    ]
    if memory.stream:
        rows.insert(4, ("stream and line", f"{memory.stream:,} bytes"))
    if memory.faces:
        rows.insert(4, ("face decoder", f"{memory.faces:,} bytes"))
    width = max(len(key) for key, _ in rows)
    return "\n".join(f"{key:<{width}}  {value}" for key, value in rows)

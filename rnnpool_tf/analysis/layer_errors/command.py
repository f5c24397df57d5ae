"""Compare an int8 model with its float model, layer by layer: where does accuracy go?

Both run on the images; for every layer the table gives the signal-to-noise ratio of its int8
output (SQNR), by how much that is below the worst of its inputs, and the share of saturated values.

rnnpool convert model.h5 --calibration images.npy --fuse none -o int8.tflite
rnnpool compare model.h5 int8.tflite --images images.npy
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `rnnpool compare`."""
    parser.add_argument(
        "float_model",
        metavar="FLOAT",
        type=Path,
        help="float model: SavedModel folder, .keras, .h5 or float .tflite file",
    )
    parser.add_argument(
        "int8_model",
        metavar="INT8",
        type=Path,
        help="int8 .tflite file, converted with --fuse none; or a quantisation-aware Keras model",
    )
    parser.add_argument(
        "--images",
        metavar="IMAGES.npy",
        type=Path,
        required=True,
        help=".npy file with inputs [N, ...], float and scaled as in training",
    )
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.png", help="draw the ratios (needs matplotlib)"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Measures and prints; returns the exit status."""
    from rnnpool_tf.analysis.layer_errors import picture, table
    from rnnpool_tf.analysis.layer_errors.measurement import compare_layers
    from rnnpool_tf.conversion.atomic_files import check_output
    from rnnpool_tf.conversion.calibration import read_arrays
    from rnnpool_tf.conversion.command import choose_keras
    from rnnpool_tf.conversion.model_bytes import is_tflite

    if arguments.plot is not None:
        check_output(arguments.plot, "--plot")  # measuring takes a while
    images = read_arrays(arguments.images, "--images")
    if isinstance(images, dict):
        raise ValueError(f"`--images` must hold one array. Received: {sorted(images)}")
    # TensorFlow and its converter report every step on stderr; keep errors.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    for model in (arguments.float_model, arguments.int8_model):
        if model.is_file() and not is_tflite(model):
            choose_keras(model)
    rows = compare_layers(arguments.float_model, arguments.int8_model, images)
    if arguments.plot is not None:
        picture.draw(rows, arguments.plot)
    if arguments.json:
        print(json.dumps(table.as_json(rows), indent=2))
    else:
        print(table.summary(rows))
    return 0

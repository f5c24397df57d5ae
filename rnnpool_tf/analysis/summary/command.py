"""Show what the weights of a .tflite file take, and how they are stored.

Per operator: how many weights it has, how many of them are not zero and in what pattern the zeros
lie, and the bytes of weights, biases and quantisation. Then what the whole file consists of, and
what is left of it after gzip, for updates over the air.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `rnnpool summary`."""
    parser.add_argument("model", metavar="MODEL", type=Path, help=".tflite file, float32 or int8")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Prints the summary; returns the exit status."""
    from rnnpool_tf.analysis.summary import table
    from rnnpool_tf.analysis.summary.layers import summarize
    from rnnpool_tf.conversion.model_bytes import is_tflite

    model = arguments.model
    if model.exists() and not is_tflite(model):
        raise ValueError(
            "MODEL must be a .tflite file; a Keras model has to be converted first, with "
            f"`rnnpool convert`. Received: '{model}'"
        )
    summary = summarize(model.read_bytes())
    print(
        json.dumps(table.as_json(summary), indent=2) if arguments.json else table.as_text(summary)
    )
    return 0

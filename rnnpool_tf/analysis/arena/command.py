"""Measure the RAM that models take in TensorFlow Lite Micro, and show where it goes.

The arena is the smallest in which the model really runs, found by trying; its map over time comes
from the interpreter's own planning. A model is shown as it is and, where conversion can do that,
fused, with a memory plan, and streamed. Beside them: what the paper's convention counts, and the
paper's lower bounds for the same layers. To see what fusion saves, convert with --fuse none: a file
that is fused already cannot be shown unfused.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `rnnpool arena`."""
    parser.add_argument("models", metavar="MODEL", nargs="*", type=Path, help=".tflite file")
    parser.add_argument(
        "--stream",
        nargs=2,
        action="append",
        default=[],
        metavar=("FRONT.h", "BODY.tflite"),
        type=Path,
        help="a streamed model in its two files; can be given several times",
    )
    parser.add_argument(
        "--as-is",
        action="store_true",
        help="measure the models as they are, without what conversion could make of them",
    )
    parser.add_argument("--map", action="store_true", help="list the arena's content per operator")
    parser.add_argument(
        "--plot", type=Path, metavar="FILE.png", help="draw the arena over time (needs matplotlib)"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Measures and prints; returns the exit status."""
    from rnnpool_tf.analysis.arena import picture, table
    from rnnpool_tf.analysis.arena.measurement import measure
    from rnnpool_tf.analysis.arena.variants import Variant, read_pair, variants_of
    from rnnpool_tf.conversion.atomic_files import check_output

    if not arguments.models and not arguments.stream:
        raise ValueError("a model must be given, or a streamed one with --stream. Received: none")
    if arguments.plot is not None:
        check_output(arguments.plot, "--plot")  # measuring takes a while
    several = len(arguments.models) > 1
    variants, needs = [], {}
    for path, name in zip(arguments.models, _names(arguments.models), strict=True):
        data = path.read_bytes()
        if arguments.as_is:
            variants.append(Variant(name, data))
        else:
            variants += variants_of(data, name if several else "")
        needs[name] = _requirements(data)
    variants += [read_pair(*pair) for pair in arguments.stream]
    measured = [measure(variant) for variant in variants]
    if arguments.plot is not None:
        picture.draw(measured, arguments.plot)
    if arguments.json:
        print(json.dumps(_as_json(measured, needs), indent=2))
        return 0
    parts = [table.summary(measured)]
    for name, (paper, bounds) in needs.items():
        text = table.requirements(paper, bounds)
        parts.append(f"{name}\n{text}" if several else text)
    if arguments.map:
        parts += [table.memory_map(one) for one in measured]
    print("\n\n".join(parts))
    return 0


def _names(paths: list[Path]) -> list[str]:
    """File names without the ending; whole paths where two are called alike."""
    stems = [path.stem for path in paths]
    return [
        stem if stems.count(stem) == 1 else str(path)
        for path, stem in zip(paths, stems, strict=True)
    ]


def _requirements(data: bytes):
    from rnnpool_tf.analysis.conventions import lower_bounds, paper_convention
    from rnnpool_tf.analysis.tflite_network import tflite_network
    from rnnpool_tf.conversion.flatbuffer import Graph

    network = tflite_network(Graph.from_bytes(data))
    return paper_convention(network), lower_bounds(network)


def _as_json(measured, needs) -> dict:
    from dataclasses import asdict

    from rnnpool_tf.analysis.arena import table

    return {
        "variants": [table.as_json(one) for one in measured],
        "main_path": {
            name: {"paper_convention": asdict(paper), "lower_bounds": asdict(bounds)}
            for name, (paper, bounds) in needs.items()
        },
    }

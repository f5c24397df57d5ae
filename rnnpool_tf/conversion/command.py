"""Convert a Keras model to a .tflite file, or fuse an int8 .tflite file.

A float model gives a float32 file; a quantisation-aware model, or a float one with --calibration,
an int8 file. Every RNNPool layer becomes one operator, which is checked before anything is written.
Operators of int8 files are fused for microcontrollers; what was fused and packed and what was not,
and why, is listed.

rnnpool convert model -o vww.tflite            one file
rnnpool convert model --calibration x.npy      model.tflite, int8 without training
rnnpool convert model -o vww.tflite --stream   vww_front.h and vww_body.tflite
rnnpool convert mobilenet_v2.tflite            mobilenet_v2_fused.tflite
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from rnnpool_tf.conversion.atomic_files import check_output, write_files
from rnnpool_tf.conversion.calibration import read_arrays
from rnnpool_tf.conversion.compress_command import (
    add_compress_argument,
    check_compress_argument,
    compress_text,
    run_compress,
)
from rnnpool_tf.conversion.finishing import Note, fuse_file
from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.conversion.fusion.fused_operators import rnnpool_layers
from rnnpool_tf.conversion.fusion.passes import CHOICES
from rnnpool_tf.conversion.fusion.report import FusionNote
from rnnpool_tf.conversion.memory_plan import PLANS, greedy_plan, plan_in_file
from rnnpool_tf.conversion.model_bytes import is_tflite
from rnnpool_tf.conversion.packing import PACKINGS, PackingNote
from rnnpool_tf.conversion.scratch import UnknownScratchError
from rnnpool_tf.conversion.stream_command import (
    add_stream_arguments,
    check_stream_arguments,
    run_stream,
    stream_stem,
    stream_text,
)

_TYPES = ("int8", "float32")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `rnnpool convert`."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        type=Path,
        help="SavedModel folder, .keras or .h5 file; or an int8 .tflite file, with RNNPool or "
        "without, to fuse",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        help="file to write (default: the model's name with the ending .tflite, or _fused.tflite "
        "for a model that is a .tflite file)",
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument(
        "--float",
        dest="quantize",
        action="store_false",
        default=None,
        help="insist on a float32 file (default: decided by the model)",
    )
    kind.add_argument(
        "--int8", dest="quantize", action="store_true", default=None, help="insist on an int8 file"
    )
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="IMAGES.npy",
        help="quantise a float model to int8 with these inputs, float and scaled as in training: "
        ".npy with an array [N, ...], or .npz with one for each of the model's inputs, by name",
    )
    parser.add_argument(
        "--input-type",
        choices=_TYPES,
        help="type of the inputs of an int8 file (default: int8)",
    )
    parser.add_argument(
        "--output-type",
        choices=_TYPES,
        help="type of the outputs of an int8 file (default: int8)",
    )
    parser.add_argument(
        "--fuse",
        choices=CHOICES,
        default="all",
        help="operators of an int8 file to fuse, which saves RAM and changes no result: stem "
        "(convolutions with RNNPool), blocks (inverted residuals), all (default: %(default)s)",
    )
    parser.add_argument(
        "--plan",
        choices=PLANS,
        default="offline",
        help="memory plan for TensorFlow Lite Micro: in the file where that takes less arena, or "
        "left to its own greedy planner (default: %(default)s)",
    )
    parser.add_argument(
        "--pack",
        choices=PACKINGS,
        default="auto",
        help="matrices of large RNNPool layers with many zeros: packed where that is smaller and "
        "faster, or all dense; no result changes (default: %(default)s)",
    )
    add_compress_argument(parser)
    add_stream_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Converts and prints what the file contains; returns the exit status."""
    check_stream_arguments(arguments)
    check_compress_argument(arguments)
    model, notes = arguments.model, []
    _check_model(model)
    converted = is_tflite(model)
    if converted:
        _check_no_types(arguments)
    if arguments.stream:
        stem = stream_stem(arguments.output or model.with_name(f"{model.stem}.tflite"))
        data = model.read_bytes() if converted else _convert(arguments, None, True, notes)
        summary = run_stream(data, stem, arguments)
        print(json.dumps(summary, indent=2) if arguments.json else stream_text(summary))
        return 0
    ending = "_fused.tflite" if converted else ".tflite"
    output = arguments.output or model.with_name(f"{model.stem}{ending}")
    if converted or arguments.compress:
        check_output(output)
    if converted:
        data, notes = fuse_file(model.read_bytes(), arguments.fuse, arguments.plan, arguments.pack)
    else:
        written = None if arguments.compress else output
        data = _convert(arguments, written, arguments.quantize, notes)
    compression = None
    if arguments.compress:
        data, compression = run_compress(data)
    if converted or arguments.compress:
        write_files({output: data})
    summary = {
        "file": str(output),
        **summarize(data),
        "fusion": [asdict(note) for note in notes if isinstance(note, FusionNote)],
        "packing": [asdict(note) for note in notes if isinstance(note, PackingNote)],
    }
    if compression is not None:
        summary["compression"] = compression
    print(json.dumps(summary, indent=2) if arguments.json else _as_text(summary, notes))
    return 0


def _check_model(model: Path) -> None:
    """Raises for a path that leads to no model, before TensorFlow takes its seconds to start.

    Raises:
        FileNotFoundError: Nothing is there.
        ValueError: A file named .tflite that is none.
    """
    if not model.exists():
        raise FileNotFoundError(f"there is no model to convert. Received: '{model}'")
    if model.suffix == ".tflite" and model.is_file() and not is_tflite(model):
        raise ValueError(
            "`model` must be a .tflite file, which has 'TFL3' as its bytes 4 to 7. "
            f"Received: '{model}', {model.stat().st_size} bytes"
        )


def _convert(
    arguments: argparse.Namespace,
    output: Path | None,
    quantize: bool | None,
    notes: list[Note],
) -> bytes:
    calibration = arguments.calibration
    if calibration is not None:
        calibration = read_arrays(calibration, "--calibration")
    # TensorFlow and its converter report every step on stderr; keep errors.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    choose_keras(arguments.model)
    from rnnpool_tf.conversion.converter import convert

    return convert(
        arguments.model,
        output,
        calibration=calibration,
        quantize=quantize,
        inference_input_type=arguments.input_type or "int8",
        inference_output_type=arguments.output_type or "int8",
        fuse=arguments.fuse,
        plan=arguments.plan,
        pack=arguments.pack,
        notes=notes,
    )


def _check_no_types(arguments: argparse.Namespace) -> None:
    """Raises ValueError for arguments about types: a .tflite file has those it has."""
    kind = {True: "--int8", False: "--float", None: None}[arguments.quantize]
    given = {
        "--input-type": arguments.input_type,
        "--output-type": arguments.output_type,
        "--calibration": arguments.calibration,
        kind: kind,
    }
    for option, value in given.items():
        if value is not None:
            raise ValueError(
                f"`{option}` goes with a Keras model: a .tflite file is converted already. "
                f"Received: {option} and '{arguments.model}'"
            )


def summarize(data: bytes) -> dict:
    """Describes a .tflite file: size, inputs, outputs, operators, RNNPool operators, memory plan.

    `memory_plan` is None where the scratch memory of an operator is not known.

    Raises:
        ValueError: Damaged, or with a malformed RNNPool operator.
    """
    graph = Graph.from_bytes(data)
    return {
        "bytes": len(data),
        "inputs": [_tensor(graph, index) for index in graph.inputs],
        "outputs": [_tensor(graph, index) for index in graph.outputs],
        "operators": dict(Counter(graph.name_of(operator) for operator in graph.operators)),
        "rnnpool": [
            {"layer": pool.layer, "type": "int8" if pool.quantized else "float32",
             "shape": str(pool.shape)}
            for pool in rnnpool_layers(graph)
        ],
        "memory_plan": _memory_plan(graph),
    }  # fmt: skip


def _memory_plan(graph: Graph) -> dict | None:
    try:
        in_file, greedy = plan_in_file(graph), greedy_plan(graph)
    except UnknownScratchError:
        return None
    return {"kind": in_file.kind, "bytes": in_file.head, "greedy_bytes": greedy.head}


def choose_keras(model: Path) -> None:
    """Makes the process run the Keras that wrote a model file, if nothing says otherwise."""
    if model.is_file() and "TF_USE_LEGACY_KERAS" not in os.environ:
        from rnnpool_tf._keras_mode import use_legacy_keras
        from rnnpool_tf.conversion.keras_file import keras_of_file

        if keras_of_file(model) == 2:
            use_legacy_keras()


def _tensor(graph: Graph, index: int) -> dict:
    described = {
        "name": graph.tensor_name(index),
        "type": str(graph.dtype(index)),
        "shape": list(graph.shape(index)),
    }
    quantization = graph.quantization(index)
    return {**described, **quantization._asdict()} if quantization else described


def _as_text(summary: dict, notes: list[Note]) -> str:
    lines = [f"{summary['file']}: {summary['bytes']:,} bytes"]
    for role in ("inputs", "outputs"):
        for tensor in summary[role]:
            size = "x".join(str(side) for side in tensor["shape"])
            line = f"  {role[:-1]:7} {tensor['type']} {size}"
            if "scale" in tensor:
                line += f", scale {tensor['scale']:.6g}, zero point {tensor['zero_point']}"
            lines.append(line)
    counts = ", ".join(f"{name} {count}" for name, count in summary["operators"].items())
    lines.append(f"  operators {counts}")
    for pool in summary["rnnpool"]:
        lines.append(f"  RNNPool '{pool['layer']}' {pool['type']}: {pool['shape']}")
    plan = summary["memory_plan"]
    if plan is not None:
        line = f"  activations {plan['bytes']:,} bytes of TensorFlow Lite Micro's arena"
        if plan["kind"] == "offline":
            line += f" by the plan in the file ({plan['greedy_bytes']:,} without it)"
        lines.append(line)
    lines += [f"  {note}" for note in notes]
    if "compression" in summary:
        lines.append(compress_text(summary["compression"]))
    return "\n".join(lines)

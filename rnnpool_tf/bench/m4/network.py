"""`rnnpool bench m4 --network`: a whole model in TensorFlow Lite Micro on an emulated Cortex-M4."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from rnnpool_tf.bench.m4.bench import chosen_paths
from rnnpool_tf.bench.m4.firmware import OPTIMISATION, EmulationError, emulate, require_tools
from rnnpool_tf.bench.m4.network_firmware import NetworkFirmware
from rnnpool_tf.bench.m4.tflm_build import find_tflm
from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.deploy.operators import used_operators
from rnnpool_tf.runtime import Runtime, TensorDetails
from rnnpool_tf.runtime.arena_probe import check_survives
from rnnpool_tf.runtime.model_file import read_model

SEED = 1


def measure_network(
    model: str | os.PathLike | bytes, path: str = "dsp", optimisation: str = OPTIMISATION
) -> list[dict]:
    """Counts the instructions of a run of a .tflite file and of each of its operators.

    The image holds TensorFlow Lite Micro's interpreter and kernels from the user's own build
    (`tflm_build.find_tflm`), this project's operators and the model. It runs on one input of random
    values, which are seeded, and its outputs are compared with those of TensorFlow Lite Micro on
    the desktop, whose kernels for built-in operators are the reference ones.

    Args:
        model: Path of the file, or its bytes.
        path: Code path of this project's operators: "dsp", "portable" or "both".
        optimisation: The compiler's level for them, "-O3", "-O2" or "-Os".

    Returns:
        A dict per path: `model` (the file's name), `path`, `instructions` of the first Invoke,
        `prepare_instructions` of the interpreter's constructor and AllocateTensors; `model_bytes`;
        `arena_used_bytes`, `arena_in_ram` and `ram_bytes`: what the arena takes, whether it fitted
        into the RAM that the image has for it, and how much that was; `stack_bytes` and
        `prepare_stack_bytes`; `outputs`, a list of dicts with `bytes`, `different_bytes`, the
        position of the `first` of them (or -1) and the `largest_difference` (of int8 values, else
        of bytes); `operators`, a list of dicts with `name` and `instructions`, in the order in
        which they run, empty where the library was built without names.

    Raises:
        ValueError: Not a model with one input and one subgraph, or one with operators that the
            device does not have, or that TensorFlow Lite Micro refuses on the desktop.
        FileNotFoundError: No such file.
        EmulationError: A tool or TensorFlow Lite Micro is missing, a build fails, or the image
            does not run the model.

    Example::

        (row,) = measure_network("vww.tflite")
        row["instructions"], row["outputs"][0]["different_bytes"]
    """
    file = read_model(model)
    graph = Graph.from_bytes(file.data)
    if len(graph.model.subgraphs) != 1:
        raise ValueError(
            "`model` must have one subgraph: control flow is not supported on the device. "
            f"Received: {len(graph.model.subgraphs)} subgraphs"
        )
    used_operators(graph)
    require_tools()
    tflm = find_tflm()
    check_survives(file.data)
    runtime = Runtime(file.data, engine="tflm")
    x = random_input(runtime.input_details[0])
    outputs = runtime.predict_quantized(x)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    rows = []
    with tempfile.TemporaryDirectory(prefix="rnnpool_network_") as folder:
        for one in chosen_paths(path):
            firmware = NetworkFirmware(Path(folder) / one, tflm, one, optimisation=optimisation)
            text = emulate(firmware.link_network("network", file.data, x, outputs))
            name = "model" if isinstance(model, (bytes, bytearray)) else Path(model).name
            rows.append({"model": name, "path": one, "model_bytes": len(file.data), **parse(text)})
    return rows


def random_input(details: TensorDetails) -> np.ndarray:
    """One sample of random values, all that an integer type has or -1 to 1; always the same."""
    rng = np.random.default_rng(SEED)
    if details.dtype.kind == "f":
        return rng.uniform(-1, 1, details.shape).astype(details.dtype)
    limits = np.iinfo(details.dtype)
    return rng.integers(limits.min, limits.max, details.shape, details.dtype, endpoint=True)


def parse(text: str) -> dict:
    """What the image printed (tflm_kernels/cortex_m/network/main.cpp), without model and path.

    Raises:
        EmulationError: It did not run the model to its end.
    """
    lines = text.splitlines()
    if lines[-1:] != ["done"]:
        said = "; ".join(line.partition(" ")[2] for line in lines if line.startswith(_SENTENCES))
        raise EmulationError(
            "TensorFlow Lite Micro does not run the model on the emulated M4: "
            f"{said or text[-1000:]}"
        )
    row: dict = {"outputs": [], "operators": []}
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "operator":
            count, _, name = rest.partition(" ")
            row["operators"].append({"name": name, "instructions": int(count)})
        elif kind in ("prepare", "arena", "invoke", "output"):
            fields = {k: int(v) for k, _, v in (w.partition("=") for w in rest.split()) if v}
            _enter(row, kind, fields)
    if sum(operator["instructions"] for operator in row["operators"]) > row["instructions"]:
        raise EmulationError("the model takes more instructions than the emulated timer can count")
    return row


_SENTENCES = ("log ", "failed ")


def _enter(row: dict, kind: str, fields: dict[str, int]) -> None:
    if kind == "prepare":
        row["prepare_instructions"] = fields["instructions"]
        row["prepare_stack_bytes"] = fields["stack"]
    elif kind == "invoke":
        row["instructions"] = fields["instructions"]
        row["stack_bytes"] = fields["stack"]
    elif kind == "arena":
        row["arena_used_bytes"] = fields["used"]
        row["arena_in_ram"] = bool(fields["in_ram"])
        row["ram_bytes"] = fields["ram"]
    else:
        row["outputs"].append(
            {
                "bytes": fields["bytes"],
                "different_bytes": fields["different"],
                "first": fields["first"],
                "largest_difference": fields["largest"],
            }
        )


_NOTES = """\
Instructions of one Invoke, counted; not cycles, and nothing about time. Kernels of built-in
operators are those of the library in TFLM_DIR. Operators: of a second run; what is left of the
whole is the interpreter's."""


def table(rows: list[dict]) -> str:
    """The rows as text."""
    return "\n".join([*("\n".join([*_text(row), ""]) for row in rows), _NOTES])


def _text(row: dict) -> list[str]:
    place = (
        f"fits into the {row['ram_bytes']:,} bytes of RAM that are left for it"
        if row["arena_in_ram"]
        else f"does NOT fit into {row['ram_bytes']:,} bytes of RAM: ran in the emulator's PSRAM"
    )
    lines = [
        f"{row['model']}, {row['path']} path of this project's operators",
        f"  instructions  {row['instructions']:,} (preparation {row['prepare_instructions']:,})",
        f"  model         {row['model_bytes']:,} bytes",
        f"  arena         {row['arena_used_bytes']:,} bytes used; {place}",
        f"  stack         {row['stack_bytes']:,} bytes"
        f" (preparation {row['prepare_stack_bytes']:,})",
    ]
    lines += [f"  output {i}      {_comparison(o)}" for i, o in enumerate(row["outputs"])]
    total = row["instructions"]
    lines += ["", f"  {'operator':34}{'instructions':>13}{'share':>8}"]
    for index, operator in enumerate(row["operators"]):
        count = operator["instructions"]
        lines.append(f"  {index:3} {operator['name']:30}{count:13,}{count / total:8.1%}")
    if not row["operators"]:
        lines.append("  TensorFlow Lite Micro was built without the names of operators")
    return lines


def _comparison(output: dict) -> str:
    if not output["different_bytes"]:
        return f"{output['bytes']:,} bytes, all as TensorFlow Lite Micro gives on the desktop"
    return (
        f"{output['different_bytes']:,} of {output['bytes']:,} bytes DIFFER from TensorFlow Lite "
        f"Micro's on the desktop, the first at {output['first']:,}, by up to "
        f"{output['largest_difference']}"
    )

"""The model card of a run: what it is, how it was trained, and what was measured."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import common

from rnnpool_tf.training.history import read_history

TRAININGS = {".": "float", "pruning": "pruning of RNNPool", "qat": "quantisation-aware"}


def histories(run: Path) -> dict[str, list[dict]]:
    """The rows of every training of a run, by what it was."""
    found = {title: read_history(run / folder) for folder, title in TRAININGS.items()}
    return {title: rows for title, rows in found.items() if rows}


def instructions(int8_path: Path) -> dict | None:
    """What runs on the emulated Cortex-M4 and its instructions; None without compiler or emulator.

    The RNNPool layers, and with TFLM_DIR set (`rnnpool bench m4 --help`) the whole network.
    """
    from rnnpool_tf.bench.m4.model_layers import measure_model
    from rnnpool_tf.bench.m4.network import measure_network
    from rnnpool_tf.conversion.flatbuffer import Graph
    from rnnpool_tf.conversion.fusion.fused_operators import rnnpool_layers

    if not all(shutil.which(tool) for tool in ("arm-none-eabi-g++", "qemu-system-arm")):
        return None
    counted = {}
    if rnnpool_layers(Graph.from_bytes(int8_path.read_bytes())):
        rows = measure_model(int8_path)
        counted |= {f"RNNPool layer {row['name']}": row["instructions"] for row in rows}
    if "TFLM_DIR" in os.environ:
        (row,) = measure_network(int8_path)
        counted["whole network in TensorFlow Lite Micro"] = row["instructions"]
    return counted


def write(run: Path, report: dict, data: str) -> str:
    """The card as Markdown."""
    pooling = "" if report["pooling"] == "rnnpool" else ", strided convolution instead of RNNPool"
    height, width = report["image_size"]
    lines = [
        f"# {report['network']}{pooling}",
        "",
        f"Detector for pictures of {height}×{width} pixels, "
        f"{report['parameters']:,} parameters, {report['madds'] / 1e6:.1f} M multiply-adds "
        f"(shared W·x), {report['sparsity']:.1%} of the weights zero.",
        "",
        "## Data",
        "",
        data or "Name and licence of the data were not given (--data).",
        report["dataset"] + ".",
        "",
        "## Training",
        "",
        "| training | epochs | learning rate | lowest validation loss | hours |",
        "|---|---|---|---|---|",
    ]
    for title, rows in histories(run).items():
        losses = [row["val_loss"] for row in rows]
        best = losses.index(min(losses))
        rate = max(row["learning_rate"] for row in rows)
        hours = sum(row["seconds"] for row in rows) / 3600
        lines.append(
            f"| {title} | {len(rows)} | {rate:.4g} falling to 0 | {min(losses):.3f} in epoch "
            f"{rows[best]['epoch']} | {hours:.2f} |"
        )
    lines += [
        "",
        f"## Average precision at IoU 0.5, {report['images']} validation pictures",
        "",
        "| form | AP |",
        "|---|---|",
        *(f"| {name} | {value:.3f} |" for name, value in report["average_precision"].items()),
        "",
        '"any size": pictures at 320×240 pixels\' area in their own shape (QVGA networks), as the '
        "paper evaluates. The other rows: pictures fitted into the converted network's input.",
        "",
        "## On a microcontroller",
        "",
        f"- .tflite file: {report['int8_bytes']:,} bytes",
        f"- TensorFlow Lite Micro arena on the desktop: {report['arena_bytes']:,} bytes used, "
        f"{report['smallest_arena']:,} bytes is the smallest that runs",
        *_instruction_lines(report["instructions"]),
        "",
        f"Written by `convert_and_verify.py`; the figures are in {common.REPORT}.",
        "",
    ]
    return "\n".join(lines)


def _instruction_lines(counted: dict | None) -> list[str]:
    if counted is None:
        return ["- instructions: not counted"]
    return [
        f"- {what}: {count / 1e6:.1f} M instructions on the emulated Cortex-M4"
        for what, count in counted.items()
    ]

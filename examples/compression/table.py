"""The study's table: means over the seeds, with the spread of accuracies."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean

from measurement import ROWS, Measured

_COLUMNS = (
    "form",
    "accuracy, TFLM",
    "against float",
    "accuracy, Keras",
    "same class",
    "logits differ by",
    "density",
    ".tflite",
    "gzip -9",
    "TFLM arena",
    "M4 instructions, RNNPool",
)


def table(measured: Sequence[Measured]) -> str:
    """Markdown, one line per row of `ROWS`; ± is half the range over the seeds."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|" + "---|" * len(_COLUMNS)]
    floats = {m.seed: m.accuracy for m in measured if m.row == "float"}
    for name, _, _ in ROWS:
        row = [m for m in measured if m.row == name]
        if row:
            lines.append("| " + " | ".join(_cells(name, row, floats)) + " |")
    seeds = ", ".join(map(str, sorted(floats)))
    lines += ["", f"Seeds: {seeds}. The float row runs in LiteRT, its arena is TFLM's."]
    return "\n".join(lines)


def _cells(name: str, row: Sequence[Measured], floats: dict[int, float]) -> list[str]:
    instructions = [m.pool_instructions for m in row]
    counted = None not in instructions
    return [
        name,
        _percent([m.accuracy for m in row]),
        f"{mean(100 * (m.accuracy - floats[m.seed]) for m in row):+.2f}",
        _percent([m.keras_accuracy for m in row]),
        f"{mean(m.agreement for m in row):.2%}",
        f"{mean(m.logit_difference for m in row):.3f} of {mean(m.logit_spread for m in row):.2f}",
        f"{mean(m.density for m in row):.1%}",
        _bytes([m.tflite_bytes for m in row]),
        _bytes([m.gzip_bytes for m in row]),
        _bytes([m.arena_bytes for m in row]),
        f"{mean(instructions):,.0f}" if counted else "–",
    ]


def _percent(values: Sequence[float]) -> str:
    spread = (max(values) - min(values)) / 2
    return f"{mean(values):.2%}" + (f" ± {100 * spread:.2f}" if len(values) > 1 else "")


def _bytes(values: Sequence[int]) -> str:
    return f"{mean(values):,.0f}"

"""Errors of layers as text and as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

from rnnpool_tf.analysis.layer_errors.measurement import LayerError

LEAST_DROP = 3.0  # dB, twice the noise: less is what int8 costs anywhere
_MARKED = 3
_LAYER = 32


def worst_drops(rows: Sequence[LayerError]) -> list[LayerError]:
    """Up to three layers that lose 3 dB or more, the worst first."""
    dropping = [row for row in rows if row.drop_db is not None and row.drop_db >= LEAST_DROP]
    return sorted(dropping, key=lambda row: -row.drop_db)[:_MARKED]


def summary(rows: Sequence[LayerError]) -> str:
    """A line for every layer, the worst drops marked, and one that says where most is lost."""
    worst = worst_drops(rows)
    lines = [
        f"{'layer':<{_LAYER}} {'operator':<18} {'shape':<12} {'scale':>10} {'zero':>5} "
        f"{'SQNR dB':>8} {'drop dB':>8} {'saturated':>9} {'largest error':>13}"
    ]
    for row in rows:
        mark = f"  <- {worst.index(row) + 1}" if row in worst else ""
        lines.append(
            f"{_short(row.layer):<{_LAYER}} {row.operator:<18} {_by(row.shape):<12} "
            f"{row.scale:>10.4g} {row.zero_point:>5} {_decibel(row.sqnr_db):>8} "
            f"{_decibel(row.drop_db):>8} {row.saturated:>9.2%} {row.largest_error:>13.4g}{mark}"
        )
    return "\n".join([*lines, "", verdict(rows)])


def verdict(rows: Sequence[LayerError]) -> str:
    """One sentence: where most accuracy goes."""
    end = f"'{rows[-1].layer}', the last, has {_decibel(rows[-1].sqnr_db)} dB"
    worst = worst_drops(rows)
    if not worst:
        return f"No layer is {LEAST_DROP:g} dB or more below its inputs; {end}."
    row = worst[0]
    text = f"Most accuracy goes at '{row.layer}' ({row.operator}): "
    text += f"{_decibel(row.drop_db)} dB below the worst of its inputs"
    if row.saturated:
        text += f", {row.saturated:.2%} of its values saturated"
    return f"{text}; {end}."


def as_json(rows: Sequence[LayerError]) -> dict:
    """Everything, for programs; null stands for infinite values."""
    return {
        "layers": [
            {name: None if _infinite(value) else value for name, value in asdict(row).items()}
            for row in rows
        ],
        "worst_drops": [row.layer for row in worst_drops(rows)],
        "verdict": verdict(rows),
    }


def _infinite(value) -> bool:
    return isinstance(value, float) and math.isinf(value)


def _decibel(value: float | None) -> str:
    if value is None:
        return "-"
    return ("exact" if value > 0 else "-inf") if math.isinf(value) else f"{value:.1f}"


def _by(shape: Sequence[int]) -> str:
    return "x".join(str(size) for size in shape)


def _short(name: str) -> str:
    return name if len(name) <= _LAYER else f"…{name[1 - _LAYER :]}"

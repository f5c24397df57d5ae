"""Errors of layers as a picture: SQNR from the first layer to the last, the worst drops marked."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rnnpool_tf.analysis.layer_errors.measurement import BEST_SQNR, LayerError
from rnnpool_tf.analysis.layer_errors.table import worst_drops
from rnnpool_tf.plots import require_matplotlib

# After "Okabe and Ito", which colour-blind readers can tell apart.
_BAR, _WORST = "#56b4e9", "#d55e00"


def draw(rows: Sequence[LayerError], target) -> None:
    """Draws the SQNR of every layer into a PNG file; exact layers as high as 8 bits can be.

    Args:
        rows: From `compare_layers`.
        target: Path or file to write to.

    Raises:
        RuntimeError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    worst = worst_drops(rows)
    heights = [
        row.sqnr_db if math.isfinite(row.sqnr_db) else BEST_SQNR * (row.sqnr_db > 0) for row in rows
    ]
    figure = Figure(figsize=(max(6.0, 2 + 0.28 * len(rows)), 5), layout="constrained")
    axes = figure.subplots()
    axes.bar(range(len(rows)), heights, color=[_WORST if row in worst else _BAR for row in rows])
    axes.axhline(BEST_SQNR, color="black", linewidth=0.6, linestyle=":")
    for position, row in enumerate(rows):
        if row in worst:
            axes.annotate(f"−{row.drop_db:.0f}", (position, heights[position]), ha="center")
    axes.set_xticks(range(len(rows)), [row.layer for row in rows], rotation=90, fontsize=7)
    axes.set_ylabel("SQNR of the int8 tensor, dB (dotted: 8 bits)")
    figure.savefig(target, format="png")

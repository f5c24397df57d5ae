"""Memory over the layers, and accuracy against cost, as a PNG file."""

from __future__ import annotations

from collections.abc import Sequence

from rnnpool_tf.analysis.model_summary import ModelSummary
from rnnpool_tf.analysis.summary.charts import (
    COLOURS,
    MEMORY_TITLE,
    PEAK,
    Panel,
    Scatter,
    byte_unit,
    log_ticks,
    memory_panels,
    scatters,
)
from rnnpool_tf.analysis.summary.results import Result
from rnnpool_tf.plots import require_matplotlib


def draw(summaries: Sequence[ModelSummary], results: Sequence[Result], target) -> None:
    """Draws a panel per model, on one scale, and below them two for results.

    Args:
        summaries: One model or two.
        results: Measured results; none: no such panels.
        target: Path or file to write to.

    Raises:
        RuntimeError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    panels = memory_panels(summaries)
    charts = scatters(results) if results else []
    heights = [2.9] * len(panels) + [3.4] * bool(charts)
    figure = Figure(figsize=(9.5, sum(heights) + 0.3), layout="constrained")
    figure.suptitle(MEMORY_TITLE, fontsize=11)
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    unit, unit_name = byte_unit(max(bar.bytes for panel in panels for bar in panel.bars))
    shared = None
    for row, panel in enumerate(panels):
        axes = figure.add_subplot(grid[row, :], sharey=shared)
        shared = shared or axes
        _draw_panel(axes, panel, COLOURS[row % len(COLOURS)], unit, unit_name)
    for column, chart in enumerate(charts):
        _draw_scatter(figure.add_subplot(grid[len(panels), column]), chart)
    figure.savefig(target, format="png", dpi=120)


def _draw_panel(axes, panel: Panel, colour: str, unit: float, unit_name: str) -> None:
    heights = [bar.bytes / unit for bar in panel.bars]
    colours = [PEAK if index == panel.peak else colour for index in range(len(heights))]
    axes.bar(range(len(heights)), heights, color=colours, width=0.8)
    axes.annotate(
        f"{heights[panel.peak]:.3g} {unit_name.split(' ')[0]}",
        (panel.peak, heights[panel.peak]),
        xytext=(0, 3),
        textcoords="offset points",
        ha="left" if panel.peak < len(heights) / 2 else "right",
        fontsize=9,
        color=PEAK,
    )
    every = max(1, len(heights) // 40)
    shown = range(0, len(heights), every)
    labels = [panel.bars[index].label for index in shown]
    axes.set_xticks(list(shown), labels, rotation=60, ha="right", fontsize=7)
    axes.set_title(panel.title, fontsize=10, loc="left")
    axes.set_ylabel(unit_name, fontsize=9)
    axes.set_xlim(-0.6, len(heights) - 0.4)
    axes.margins(y=0.12)
    _plain(axes)


def _draw_scatter(axes, chart: Scatter) -> None:
    axes.scatter([x for _, x, _ in chart.points], [y for _, _, y in chart.points], color=COLOURS[0])
    for number, (name, x, y) in enumerate(sorted(chart.points, key=lambda point: point[1])):
        # Above and below in turn, because neighbours' names are longer than the way between them.
        offset = (6, -11) if number % 2 else (6, 5)
        axes.annotate(name, (x, y), xytext=offset, textcoords="offset points", fontsize=8)
    values = log_ticks(min(x for _, x, _ in chart.points), max(x for _, x, _ in chart.points))
    axes.set_xscale("log")
    axes.set_xticks(values, [f"{value:,g}" for value in values])
    axes.minorticks_off()
    axes.set_xlim(values[0] * 0.8, values[-1] * 1.8)
    axes.margins(y=0.15)
    axes.set_title(chart.title, fontsize=10, loc="left")
    axes.set_xlabel(chart.axis, fontsize=9)
    axes.set_ylabel("accuracy, %", fontsize=9)
    _plain(axes)


def _plain(axes) -> None:
    axes.grid(axis="y", alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)

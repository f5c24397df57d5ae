"""Charts as SVG text for HTML pages: no library, no script, nothing from elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from rnnpool_tf.analysis.summary.charts import (
    COLOURS,
    PEAK,
    Panel,
    Scatter,
    byte_unit,
    log_ticks,
    ticks,
)

_WIDTH = 960
_LEFT, _RIGHT = 70, 20
_TOP, _PLOT, _LABELS, _BETWEEN = 44, 190, 92, 18
_POINTS_WIDTH, _POINTS_HEIGHT = 470, 330
_LINE = 13  # height of a label


def memory_chart(panels: Sequence[Panel]) -> str:
    """Bars of memory, a panel below the other, all on one scale."""
    unit, unit_name = byte_unit(max(bar.bytes for panel in panels for bar in panel.bars))
    values = ticks(max(bar.bytes for panel in panels for bar in panel.bars) / unit)
    parts, top = [], 0
    for number, panel in enumerate(panels):
        parts.append(_panel(panel, COLOURS[number % len(COLOURS)], top, unit, unit_name, values))
        top += _TOP + _PLOT + _LABELS + _BETWEEN
    return _svg(_WIDTH, top, parts)


def scatter_chart(chart: Scatter) -> str:
    """Points with their names beside them."""
    left, right, top, bottom = 56, 120, 36, 48
    width, height = _POINTS_WIDTH - left - right, _POINTS_HEIGHT - top - bottom
    across = log_ticks(min(x for _, x, _ in chart.points), max(x for _, x, _ in chart.points))
    accuracies = [y for _, _, y in chart.points]
    up = _span(min(accuracies), max(accuracies))

    def place(x: float, y: float) -> tuple[float, float]:
        share = math.log(x / across[0]) / math.log(across[-1] / across[0])
        return left + share * width, top + height * (1 - (y - up[0]) / (up[-1] - up[0]))

    parts = [_text(left, 18, chart.title, "title")]
    for value in up:
        _, y = place(across[0], value)
        parts += [_rule(left, y, left + width, y), _text(left - 6, y + 4, f"{value:g}", "tick end")]
    for value in across:
        x, _ = place(value, up[0])
        parts += [
            _rule(x, top, x, top + height),
            _text(x, top + height + 16, f"{value:,g}", "tick middle"),
        ]
    parts.append(_text(left + width / 2, _POINTS_HEIGHT - 10, chart.axis, "axis middle"))
    parts.append(_upright(14, top + height / 2, "accuracy, %"))
    placed = []
    for name, x, y in sorted(chart.points, key=lambda point: -point[2]):
        at_x, at_y = place(x, y)
        label = at_y + 4
        while any(abs(label - other) < _LINE and abs(at_x - x0) < 120 for x0, other in placed):
            label += _LINE
        placed.append((at_x, label))
        parts.append(f'<circle cx="{at_x:.1f}" cy="{at_y:.1f}" r="5" fill="{COLOURS[0]}"/>')
        parts.append(_text(at_x + 9, label, name, "label"))
    return _svg(_POINTS_WIDTH, _POINTS_HEIGHT, parts)


def _panel(
    panel: Panel, colour: str, top: int, unit: float, unit_name: str, values: Sequence[float]
) -> str:
    floor, width = top + _TOP + _PLOT, _WIDTH - _LEFT - _RIGHT
    pitch = width / len(panel.bars)
    parts = [_text(_LEFT, top + 20, panel.title, "title")]
    for value in values:
        y = floor - _PLOT * value / values[-1]
        parts += [
            _rule(_LEFT, y, _LEFT + width, y),
            _text(_LEFT - 6, y + 4, f"{value:g}", "tick end"),
        ]
    parts.append(_upright(16, floor - _PLOT / 2, unit_name))
    every = max(1, math.ceil(_LINE / pitch))  # a label below every so many bars
    for number, bar in enumerate(panel.bars):
        height = _PLOT * bar.bytes / unit / values[-1]
        x = _LEFT + number * pitch
        peak = number == panel.peak
        parts.append(
            f'<rect x="{x + 0.1 * pitch:.1f}" y="{floor - height:.1f}" width="{0.8 * pitch:.1f}" '
            f'height="{height:.1f}" fill="{PEAK if peak else colour}">'
            f"<title>{escape(bar.hint)}</title></rect>"
        )
        middle = x + pitch / 2
        if peak:
            side = "start" if number < len(panel.bars) / 2 else "end"
            label = f"{bar.bytes / unit:.3g} {unit_name.split(' ')[0]}"
            edge = x + (0.1 if side == "start" else 0.9) * pitch
            parts.append(_text(edge, floor - height - 5, label, f"peak {side}"))
        if number % every == 0 or peak:
            parts.append(
                f'<text class="tick end" transform="translate({middle + 4:.1f} {floor + 10}) '
                f'rotate(-60)">{escape(bar.label)}</text>'
            )
    parts.append(_rule(_LEFT, floor, _LEFT + width, floor, "base"))
    return "".join(parts)


def _span(smallest: float, largest: float) -> list[float]:
    """Round values around others, which need not begin with 0."""
    steps = ticks(max(largest - smallest, 1.0))
    step = steps[1]
    first = math.floor(smallest / step - 0.2) * step
    count = math.ceil((largest - first) / step + 0.2)
    return [first + step * number for number in range(count + 1)]


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
        + "".join(parts)
        + "</svg>"
    )


def _text(x: float, y: float, text: str, style: str) -> str:
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _upright(x: float, y: float, text: str) -> str:
    return (
        f'<text class="axis middle" transform="translate({x:.1f} {y:.1f}) rotate(-90)">'
        f"{escape(text)}</text>"
    )


def _rule(x1: float, y1: float, x2: float, y2: float, style: str = "rule") -> str:
    return f'<line class="{style}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'

"""Measurements as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from rnnpool_tf.analysis.arena.measurement import Measured
from rnnpool_tf.analysis.conventions import LowerBounds, Requirement
from rnnpool_tf.conversion.buffers import Buffer

_LABELS = 40
_COLUMN = 14
_NAME = 28
_OPERATOR = 20
_BEFORE = "(inputs)"


def summary(measured: Sequence[Measured]) -> str:
    """Variants side by side, in bytes."""
    rows = [
        ("RAM", [one.ram for one in measured]),
        ("  smallest arena that runs", [one.smallest for one in measured]),
        ("  stream object beside it", [one.beside for one in measured]),
        ("arena in use", [one.total for one in measured]),
        ("  activations and scratch (head)", [one.head for one in measured]),
        ("  persistent, 64-bit desktop (tail)", [one.tail for one in measured]),
        ("  persistent, 32-bit: estimate", [one.tail_32_bit_estimate for one in measured]),
        ("activations by the greedy planner", _of_reports(measured, lambda r: r.greedy.head)),
        ("  of these wasted: never in use at once", _of_reports(measured, lambda r: r.wasted)),
        ("in use at once, buffers kept apart", _of_reports(measured, lambda r: r.bound)),
        ("  outputs overlapping inputs", _of_reports(measured, lambda r: r.in_place_bound)),
    ]
    widths = [max(_COLUMN, len(one.name) + 2) for one in measured]
    lines = [" " * _LABELS + _row([one.name for one in measured], widths)]
    for label, values in rows:
        if any(value not in (0, None) for value in values):
            cells = ["-" if value is None else f"{value:,}" for value in values]
            lines.append(f"{label:<{_LABELS}}" + _row(cells, widths))
    return "\n".join(lines)


def requirements(paper: Requirement, bounds: LowerBounds) -> str:
    """What the paper counts and what its lower bounds say, for the main path of the model."""
    lines = ["Maps along the model's main path, in bytes, nothing else:"]
    for label, need in (
        ("  the paper's convention", paper),
        ("  lower bound, image resident", bounds.resident),
        ("  lower bound, image line by line", bounds.streamed),
    ):
        lines.append(f"{label:<{_LABELS}}{need.bytes:>{_COLUMN},}  {need.where}")
    return "\n".join(lines)


def memory_map(measured: Measured) -> str:
    """What is in the arena, from address to address, while each operator runs; and before, while
    the inputs are filled in."""
    if measured.plan is None:
        return f"{measured.name}: no map, because an operator's scratch memory is not known"
    lines = [f"{measured.name}: {measured.head:,} bytes, {measured.plan.kind} plan"]
    lines.append(f"{'':>4} {'operator':<{_OPERATOR}}{'in use':>10}{'up to':>10}  buffers")
    for time, operator in enumerate((_BEFORE, *measured.operators)):
        live = [pair for pair in _placed(measured) if pair[0].lives_at(time)]
        live.sort(key=lambda pair: pair[1])
        used = _covered(live)
        top = max((offset + buffer.size for buffer, offset in live), default=0)
        number = time - 1 if time else ""
        first = f"{number:>4} {operator:<{_OPERATOR}}{used:>10,}{top:>10,}"
        for position, (buffer, offset) in enumerate(live):
            place = f"{offset:>8,}..{offset + buffer.size:<9,}"
            text = f"  {place} {buffer.kind:<11}{_short(buffer)}"
            lines.append((first if position == 0 else " " * len(first)) + text.rstrip())
    return "\n".join(lines)


def as_json(measured: Measured) -> dict:
    """Everything about a variant, for programs."""
    described = {
        "name": measured.name,
        "ram": measured.ram,
        "smallest_arena": measured.smallest,
        "beside_arena": measured.beside,
        "arena_used": measured.total,
        "head": measured.head,
        "tail": measured.tail,
        "tail_32_bit_estimate": measured.tail_32_bit_estimate,
        "operators": list(measured.operators),
    }
    if measured.plan is None:
        return described
    report = measured.report
    return {
        **described,
        "plan": measured.plan.kind,
        "greedy_head": report.greedy.head,
        "greedy_wastes": report.wasted,
        "live_bound": report.bound,
        "in_place_bound": report.in_place_bound,
        "buffers": [
            {"name": buffer.name, "kind": buffer.kind, "bytes": buffer.bytes, "offset": offset,
             "first": buffer.first, "last": buffer.last}
            for buffer, offset in _placed(measured)
        ],
    }  # fmt: skip


def short_name(name: str) -> str:
    """The last part of a tensor's path in its Keras model."""
    return name.split(";")[0].rstrip("/").split("/")[-1]


def _placed(measured: Measured) -> list[tuple[Buffer, int]]:
    return list(zip(measured.plan.buffers, measured.plan.offsets, strict=True))


def _covered(live: Sequence[tuple[Buffer, int]]) -> int:
    """Bytes that some buffer takes; `live` is in the order of addresses."""
    covered, end = 0, 0
    for buffer, offset in live:
        covered += max(0, offset + buffer.size - max(end, offset))
        end = max(end, offset + buffer.size)
    return covered


def _of_reports(measured: Sequence[Measured], value) -> list[int | None]:
    return [None if one.report is None else value(one.report) for one in measured]


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True))


def _short(buffer: Buffer) -> str:
    name = short_name(buffer.name)
    return name if len(name) <= _NAME else f"{name[: _NAME - 1]}…"

"""The arena as a picture: operators from left to right, addresses from bottom to top."""

from __future__ import annotations

from collections.abc import Sequence

from rnnpool_tf.analysis.arena.measurement import Measured
from rnnpool_tf.plots import require_matplotlib

# After "Okabe and Ito", which colour-blind readers can tell apart.
_COLOURS = {
    "input": "#56b4e9",
    "activation": "#e69f00",
    "output": "#009e73",
    "scratch": "#cc79a7",
    "persistent": "#bbbbbb",
    "beside the arena": "#f0e442",
}
_LARGEST_LABELLED = 24  # operators of a variant whose names fit below the axis


def draw(measured: Sequence[Measured], target) -> None:
    """Draws the memory of several variants side by side, on one scale, into a PNG file.

    Activations, by the memory plan, stand below; above them what is there all the time: persistent
    data of the interpreter and memory beside the arena.

    Args:
        measured: Variants with a plan.
        target: Path or file to write to.

    Raises:
        RuntimeError: matplotlib is not installed.
        ValueError: Nothing to draw: no variant's plan is known.
    """
    require_matplotlib()
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    shown = [one for one in measured if one.plan is not None]
    if not shown:
        raise ValueError(
            "`measured` must have a variant whose memory plan is known. Received: none; scratch "
            "memory of an operator is not known"
        )
    # Not narrower than the legend.
    figure = Figure(figsize=(max(8.5, 3.2 + 3.4 * len(shown)), 6), layout="constrained")
    all_axes = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, one in zip(all_axes, shown, strict=True):
        _draw_one(axes, one)
    all_axes[0].set_ylabel("KB (1,024 bytes)")
    all_axes[0].set_ylim(0, 1.05 * max(one.total + one.beside for one in shown) / 1024)
    handles = [Patch(color=colour, label=kind) for kind, colour in _COLOURS.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    figure.savefig(target, format="png")


def _draw_one(axes, measured: Measured) -> None:
    operators = len(measured.operators)
    for buffer, offset in zip(measured.plan.buffers, measured.plan.offsets, strict=True):
        # A buffer is drawn over the operators in whose time it lives; an input also before them.
        start, end = max(buffer.first, 0.5) - 0.5, buffer.last + 0.5
        _rectangle(axes, buffer.kind, start, end - start, offset, buffer.size)
    floor = measured.head
    for kind, size in (("persistent", measured.tail), ("beside the arena", measured.beside)):
        if size:
            _rectangle(axes, kind, 0, operators + 0.5, floor, size)
            floor += size
    axes.set_xlim(0, operators + 0.5)
    axes.set_title(f"{measured.name}\n{measured.ram:,} bytes", fontsize=10)
    if operators <= _LARGEST_LABELLED:
        axes.set_xticks(range(1, operators + 1), measured.operators, rotation=90, fontsize=6)
    else:
        axes.set_xlabel(f"{operators} operators")


def _rectangle(axes, kind: str, x: float, width: float, offset: int, size: int) -> None:
    axes.bar(
        x,
        size / 1024,
        width,
        bottom=offset / 1024,
        align="edge",
        color=_COLOURS[kind],
        alpha=0.75,
        edgecolor="black",
        linewidth=0.4,
    )

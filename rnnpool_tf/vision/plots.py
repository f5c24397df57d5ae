"""Pictures of how well detectors find."""

from __future__ import annotations

import os
from collections.abc import Mapping

from rnnpool_tf.plots import require_matplotlib
from rnnpool_tf.vision.average_precision import Curve

# After "Okabe and Ito", which colour-blind readers can tell apart.
_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#000000")
_LINES = ("-", "--", ":")  # the next one when colours run out


def plot_precision_recall(curves: Mapping[str, Curve], path: str | os.PathLike) -> None:
    """Draws precision over recall of several detectors or subsets into a PNG file.

    Args:
        curves: By the name in the legend, which also gives the average precision of each.
        path: To write to.

    Raises:
        RuntimeError: matplotlib is not installed.
        ValueError: No curve, or more than 21.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    most = len(_COLOURS) * len(_LINES)
    if not 1 <= len(curves) <= most:
        raise ValueError(f"`curves` must be 1 to {most} curves. Received: {len(curves)}")
    figure = Figure(figsize=(6.4, 5.2), layout="constrained")
    axes = figure.subplots()
    for index, (name, curve) in enumerate(curves.items()):
        axes.plot(
            curve.recall,
            curve.precision,
            color=_COLOURS[index % len(_COLOURS)],
            linestyle=_LINES[index // len(_COLOURS)],
            linewidth=1.8,
            label=f"{name}: AP {curve.average_precision:.3f}",
        )
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="lower left", framealpha=0.9)
    figure.savefig(path, format="png", dpi=150)


def plot_losses(histories: Mapping[str, list[dict]], path: str | os.PathLike) -> None:
    """Draws training and validation loss over the epochs, a panel for each training.

    Args:
        histories: Rows as `rnnpool_tf.training` writes them, by the title of their panel.
        path: PNG file to write.

    Raises:
        RuntimeError: matplotlib is not installed.
        ValueError: No training.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    if not histories:
        raise ValueError("`histories` must hold at least one training. Received: none")
    # A short training next to a long one still gets room for its labels.
    widths = [max(len(rows), 8) for rows in histories.values()]
    figure = Figure(figsize=(4 + 2.6 * len(histories), 3.8), layout="constrained")
    panels = figure.subplots(1, len(histories), width_ratios=widths, squeeze=False)[0]
    for axes, (title, rows) in zip(panels, histories.items(), strict=True):
        epochs = [row["epoch"] for row in rows]
        for name, label, colour in (
            ("loss", "training", _COLOURS[1]),
            ("val_loss", "validation", _COLOURS[0]),
        ):
            axes.plot(epochs, [row[name] for row in rows], "o-", ms=3, color=colour, label=label)
        axes.set(title=title, xlabel="epoch", ylabel="multibox loss")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend()
    figure.savefig(path, format="png", dpi=150)

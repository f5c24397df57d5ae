"""Pictures of the probes' results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rnnpool_tf.plots import require_matplotlib

# Okabe and Ito's colours, which colour-blind readers can tell apart, and one more.
_COLOURS = (
    *("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7"),
    *("#56b4e9", "#b5a500", "#7a7a7a", "#8c564b"),
)
_NAMES = {
    "rnnpool": "RNNPool",
    "strided_conv": "32×32 convolution",
    "max": "maximum",
    "average": "average",
}


def plot_accuracies(
    results: list[dict], paper: Mapping[str, float], paper_images: int, path: Path
) -> None:
    """Accuracy over the number of training pictures, the paper's figures as open circles."""
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.subplots()
    for colour, (operator, published) in zip(_COLOURS, paper.items(), strict=False):
        rows = sorted(
            (row["train_images"], row["accuracy"]) for row in results if row["operator"] == operator
        )
        axes.plot(*zip(*rows, strict=True), "o-", color=colour) if rows else None
        axes.plot(paper_images, published, "o", color=colour, markerfacecolor="white")
        axes.annotate(
            f"{_NAMES[operator]}, paper {published}",
            (paper_images, published),
            (0, 8),
            textcoords="offset points",
            ha="right",
            color=colour,
        )
    axes.set_xscale("log")
    ticks = sorted({paper_images, *(row["train_images"] for row in results)})
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.set(xlabel="training pictures", ylabel="test accuracy, %", ylim=(0, 80))
    axes.set_title("CIFAR-10 through one operator, 32×32 → 1×1", loc="left")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="png", dpi=150)


def plot_scaling(
    vectors: np.ndarray,
    labels: np.ndarray,
    classes: tuple[str, ...],
    permuted: Mapping[str, np.ndarray],
    path: Path,
) -> None:
    """Output vectors in the plane, coloured by class; black: pictures that were mixed up."""
    require_matplotlib()
    from matplotlib.figure import Figure

    points = scale(np.concatenate([vectors, *permuted.values()]))
    figure = Figure(figsize=(7.6, 5.6), layout="constrained")
    axes = figure.subplots()
    for index, name in enumerate(classes):
        own = points[: len(labels)][labels == index]
        axes.scatter(*own.T, s=9, color=_COLOURS[index], label=name)
    start = len(labels)
    for marker, (name, rows) in zip("x+", permuted.items(), strict=True):
        own = points[start : start + len(rows)]
        start += len(rows)
        axes.scatter(*own.T, s=16, color="black", marker=marker, label=f"{name}, permuted")
    figure.legend(loc="outside right upper", frameon=False, markerscale=1.6)
    axes.set_title("RNNPool's vectors for lines, multi-dimensional scaling", loc="left")
    axes.set(xticks=[], yticks=[])
    figure.savefig(path, format="png", dpi=150)


def scale(vectors: np.ndarray) -> np.ndarray:
    """Points in the plane whose distances are as close as a projection can bring them: classical
    multi-dimensional scaling, which for Euclidean distances is principal component analysis."""
    centred = vectors - vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return centred @ axes[:2].T

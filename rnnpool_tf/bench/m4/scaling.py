"""`rnnpool bench m4 --scaling`: how instructions grow with the size of a layer.

One dimension at a time varies around the Visual Wake Words layer. Theory for stride s and patch p:

* map: everything is done per pixel or per patch, so instructions are linear in the area;
* patch: a pixel lies in p/s patches of its row and p/s of its column, so they are linear in p;
* hidden size: products grow with h², gates and updates with h.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from rnnpool_tf.bench.m4.bench import chosen_paths, require_correct_results
from rnnpool_tf.bench.m4.cases import Int8Case
from rnnpool_tf.bench.m4.firmware import OPTIMISATION, Firmware
from rnnpool_tf.bench.m4.work import work_of
from rnnpool_tf.bench.m4.workloads import int8_layer
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.plots import require_matplotlib

CHANNELS, STRIDE, SIDE, PATCH, HIDDEN = 8, 4, 56, 6, 8
SIDES = (16, 24, 32, 48, 64, 80, 96, 112)
PATCHES = (4, 6, 8, 10, 12, 16)
HIDDEN_SIZES = (2, 4, 6, 8, 12, 16, 24, 32)

# what varies → (label of the values, what a value means for the x axis, degree of the theory)
SWEEPS = {
    "map": ("side", lambda side: side * side, "pixels", 1),
    "patch": ("patch", lambda patch: patch, "patch", 1),
    "hidden": ("h1 = h2", lambda hidden: hidden, "h1 = h2", 2),
}


def cases() -> list[tuple[str, int, Int8Case]]:
    """(what varies, its value, the layer), in the order of the table."""

    def layer(side: int, patch: int, hidden: int) -> Int8Case:
        geometry = Geometry((patch, patch), (STRIDE, STRIDE), "same")
        name = f"{side}x{side}x{CHANNELS} p{patch} s{STRIDE} h{hidden}"
        return int8_layer(name, (side, side, CHANNELS), (hidden, hidden), geometry)

    found = [("map", side, layer(side, PATCH, HIDDEN)) for side in SIDES]
    found += [("patch", patch, layer(SIDE, patch, HIDDEN)) for patch in PATCHES]
    found += [("hidden", hidden, layer(SIDE, PATCH, hidden)) for hidden in HIDDEN_SIZES]
    return found


def measure(path: str = "both", optimisation: str = OPTIMISATION) -> list[dict]:
    """Runs all sizes in one image per path; returns a dict per size.

    `fit` is what a polynomial of the degree that theory predicts (linear in area and patch,
    quadratic in the hidden size), fitted to the measurements, gives for this size.

    Raises:
        EmulationError: as `rnnpool_tf.bench.m4.bench.measure`.
    """
    sizes = cases()
    rows = []
    with tempfile.TemporaryDirectory(prefix="rnnpool_m4_") as folder:
        for one in chosen_paths(path):
            firmware = Firmware(Path(folder) / one, one, optimisation=optimisation)
            layers = [case for _, _, case in sizes]
            run = firmware.run("scaling", layers)
            require_correct_results(layers, run)
            for (varied, value, case), result in zip(sizes, run.results, strict=True):
                work = work_of(case.x.shape[1:], case.units, case.geometry)
                rows.append(
                    {
                        "name": case.name,
                        "path": one,
                        "varied": varied,
                        "value": value,
                        "instructions": result.instructions,
                        "shared_macs": work.shared_macs,
                        "unit_steps": work.unit_steps,
                    }
                )
    _add_fits(rows)
    return rows


def _add_fits(rows: list[dict]) -> None:
    for path in {row["path"] for row in rows}:
        for varied, (_, abscissa, _, degree) in SWEEPS.items():
            group = [row for row in rows if row["path"] == path and row["varied"] == varied]
            x = np.array([abscissa(row["value"]) for row in group], float)
            y = np.array([row["instructions"] for row in group], float)
            # Relative residuals, so that small layers count as much as large ones.
            fit = np.polyval(np.polyfit(x, y, degree, w=1 / y), x)
            for row, value in zip(group, fit, strict=True):
                row["fit"] = round(value)


def table(rows: list[dict]) -> str:
    """The rows as text, in groups."""
    lines = []
    for path in dict.fromkeys(row["path"] for row in rows):
        for varied, (label, _, unit, degree) in SWEEPS.items():
            theory = f"{'linear' if degree == 1 else 'quadratic'} in {unit}"
            lines += [
                "",
                f"{path}: {varied} varies, theory: {theory}",
                f"{label:>8}{'instructions':>15}{'fit':>8}{'per shared MAC':>16}{'per step':>10}",
            ]
            for row in rows:
                if (row["path"], row["varied"]) != (path, varied):
                    continue
                executed = row["instructions"]
                lines.append(
                    f"{row['value']:8}{executed:15,}{row['fit'] / executed - 1:+8.1%}"
                    f"{executed / row['shared_macs']:16.2f}{executed / row['unit_steps']:10.1f}"
                )
    base = f"{SIDE}x{SIDE}x{CHANNELS}, patch {PATCH}, stride {STRIDE}, h1 = h2 = {HIDDEN}"
    lines += [
        "",
        f"Around {base}, int8. fit: of a polynomial of that degree, against the measurement.",
        "per step: instructions per unit and step of a sweep, all other work included.",
        "Hidden sizes for which the operator has code of its own (8, 16) lie below the curve.",
    ]
    return "\n".join(lines[1:])


def plot(rows: list[dict], target: str) -> None:
    """Draws instructions over what varies, measured and fitted, into a PNG file.

    Raises:
        RuntimeError: matplotlib is not installed.
    """
    require_matplotlib()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4), layout="constrained")
    for axes, (varied, (_, abscissa, unit, degree)) in zip(
        figure.subplots(1, len(SWEEPS)), SWEEPS.items(), strict=True
    ):
        for path in dict.fromkeys(row["path"] for row in rows):
            group = [row for row in rows if row["path"] == path and row["varied"] == varied]
            x = [abscissa(row["value"]) for row in group]
            points = axes.plot(x, [row["instructions"] / 1e6 for row in group], "o", label=path)
            fit = [row["fit"] / 1e6 for row in group]
            axes.plot(x, fit, "-", color=points[0].get_color(), linewidth=1)
        axes.set_title(f"{'linear' if degree == 1 else 'quadratic'} fit")
        axes.set_xlabel(unit)
        axes.set_ylabel("million instructions")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.legend()
    figure.savefig(target, format="png")

"""`rnnpool bench m4 --sparse`: packed matrices against dense ones, over the share of zeros.

The layer is the last one of MobileNetV2 with RNNPool, whose cells read their weights from flash.
The unit of sparsity is the pair of neighbouring weights in a row. "1x2" pruning removes whole
pairs; unstructured pruning that leaves a share d of the weights leaves 1 - (1 - d)^2 of the pairs.
"""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import numpy as np

from rnnpool_tf.bench.m4.bench import chosen_paths, require_correct_results
from rnnpool_tf.bench.m4.cases import Int8Case
from rnnpool_tf.bench.m4.firmware import OPTIMISATION, Firmware
from rnnpool_tf.bench.m4.workloads import LAYERS, SEED, int8_layer
from rnnpool_tf.conversion.packed_matrix import PACKABLE, pack_matrix
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer import IntegerCell

LAYER = "last layer"
# (share of the weights that stay, columns that are pruned together)
PATTERNS = ((0.1, 2), (0.3, 2), (0.3, 1), (0.5, 2), (0.7, 2), (0.9, 2))


def pruned(matrix: np.ndarray, density: float, width: int, rng: np.random.Generator) -> np.ndarray:
    """A matrix of which a share `density` of its groups of `width` neighbours in a row stays."""
    rows, columns = matrix.shape
    groups = -(-columns // width)
    kept = np.zeros(rows * groups, bool)
    kept[: round(density * kept.size)] = True
    rng.shuffle(kept)
    return matrix * np.repeat(kept.reshape(rows, groups), width, axis=1)[:, :columns]


def pruned_layer(density: float, width: int) -> Int8Case:
    """The layer with all four matrices pruned; seeded."""
    (height, width_, channels), units, patch, stride = LAYERS[LAYER]
    geometry = Geometry((patch, patch), (stride, stride), "valid")
    layer = int8_layer(LAYER, (height, width_, channels), units, geometry)
    rng = np.random.default_rng([SEED, round(100 * density), width])

    def prune(cell: IntegerCell) -> IntegerCell:
        kernel, recurrent = (
            pruned(matrix, density, width, rng) for matrix in (cell.kernel_q, cell.recurrent_q)
        )
        return dataclasses.replace(cell, kernel_q=kernel, recurrent_q=recurrent)

    kind = "1x2" if width == 2 else "unstructured"
    name = f"{LAYER}, {density:.0%} {kind}"
    return dataclasses.replace(layer, name=name, cell1=prune(layer.cell1), cell2=prune(layer.cell2))


def forms(layer: Int8Case) -> dict[str, Int8Case]:
    """A layer dense, all packed, and with one matrix packed: what there is to compare."""
    packed = {"dense": (), "packed": PACKABLE, **{name: (name,) for name in PACKABLE}}
    return {
        form: dataclasses.replace(layer, packed=frozenset(names)) for form, names in packed.items()
    }


def matrices_of(layer: Int8Case) -> dict[str, np.ndarray]:
    """The layer's matrices by name."""
    cells = (layer.cell1, layer.cell2)
    values = [matrix for cell in cells for matrix in (cell.kernel_q, cell.recurrent_q)]
    return dict(zip(PACKABLE, values, strict=True))


def measure(path: str = "dsp", optimisation: str = OPTIMISATION) -> list[dict]:
    """Runs the layer in all forms and densities; returns a dict per density and path.

    "instructions" and "weight_bytes" are by form: "dense", "packed" (all four matrices), and of the
    matrix alone that is packed. "pair_density" is that of the four matrices together.

    Raises:
        EmulationError: as `rnnpool_tf.bench.m4.bench.measure`.
    """
    rows = []
    with tempfile.TemporaryDirectory(prefix="rnnpool_m4_") as folder:
        for one in chosen_paths(path):
            firmware = Firmware(Path(folder) / one, one, optimisation=optimisation)
            for number, (density, width) in enumerate(PATTERNS):
                layer = pruned_layer(density, width)
                found = forms(layer)
                run = firmware.run(f"sparse{number}", list(found.values()))
                require_correct_results(list(found.values()), run)
                rows.append({"name": layer.name, "path": one, **_row(layer, found, run.results)})
    return rows


def _row(layer: Int8Case, found: dict[str, Int8Case], results) -> dict:
    matrices = matrices_of(layer)
    sizes = {name: (values.size, pack_matrix(values).size) for name, values in matrices.items()}
    pairs = np.concatenate([values.reshape(-1, 2) for values in matrices.values()])
    return {
        "pair_density": round(float(pairs.any(axis=1).mean()), 4),
        "instructions": {
            form: result.instructions for form, result in zip(found, results, strict=True)
        },
        "weight_bytes": {
            form: sum(sizes[name][name in case.packed] for name in PACKABLE)
            for form, case in found.items()
        },
        "scratch_bytes": {
            form: result.scratch for form, result in zip(found, results, strict=True)
        },
    }


def break_even(rows: list[dict], form: str, quantity: str = "instructions") -> float:
    """The share of pairs at which a form costs what the dense one does, by a straight line.

    Args:
        rows: of one path.
        form: "packed" or a matrix.
        quantity: "instructions" or "weight_bytes".
    """
    densities = [row["pair_density"] for row in rows]
    saved = [row[quantity]["dense"] - row[quantity][form] for row in rows]
    slope, start = np.polyfit(densities, saved, 1)
    return float(-start / slope)


def table(rows: list[dict]) -> str:
    """The rows as text, and the densities at which nothing is gained."""
    lines = []
    for path in dict.fromkeys(row["path"] for row in rows):
        group = [row for row in rows if row["path"] == path]
        lines += [
            "",
            f"{path:34}{'pairs':>6}{'instructions':>24}{'':7}{'bytes of weights':>20}",
            f"{'':40}{'dense':>12}{'packed':>12}{'':7}{'dense':>10}{'packed':>10}",
        ]
        for row in group:
            executed, sizes = row["instructions"], row["weight_bytes"]
            lines.append(
                f"{row['name']:34}{row['pair_density']:6.0%}"
                f"{executed['dense']:12,}{executed['packed']:12,}"
                f"{executed['packed'] / executed['dense'] - 1:+7.0%}"
                f"{sizes['dense']:10,}{sizes['packed']:10,}"
            )
        lines += ["", "packed alone: share of pairs below which there are fewer"]
        lines.append(f"{'':20}{'instructions':>14}{'bytes':>8}")
        for form in ("packed", *PACKABLE):
            faster, smaller = (break_even(group, form, q) for q in ("instructions", "weight_bytes"))
            name = "all matrices" if form == "packed" else form
            lines.append(f"{name:20}{faster:14.0%}{smaller:8.0%}")
    size, units, patch, _ = LAYERS[LAYER]
    dimensions = f"{'x'.join(map(str, size))}, patch {patch}, h1 = h2 = {units[0]}"
    lines += [
        "",
        f"{LAYER}: {dimensions}, int8. pairs: the share of pairs of",
        "neighbouring weights that are not zero. Every output was equal to the integer model's.",
    ]
    return "\n".join(lines[1:])

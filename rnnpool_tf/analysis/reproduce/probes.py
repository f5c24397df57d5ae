"""Appendix C: one operator for a whole picture. Counts, and what `examples/operator_probes`
reached."""

from __future__ import annotations

import json
from pathlib import Path

from rnnpool_tf.analysis.counts import count
from rnnpool_tf.models.probe import operator_probe

# C.2: operator → accuracy, with 50,000 training pictures.
CIFAR_10 = {"rnnpool": 70.63, "strided_conv": 53.13, "max": 20.04, "average": 26.53}
# C.1, Table 7: task → picture side, classes, (h1, h2) with and without a convolution before.
SYNTHETIC = {
    "lines-32": (32, 9, (4, 16), (16, 32)),
    "many-lines-32": (32, 9, (8, 8), (32, 32)),
    "many-lines-64": (64, 9, (8, 16), (32, 32)),
    "shapes-64": (64, 5, (8, 16), (32, 32)),
}
_STEM = 8


def cifar10_rows(results: Path | None) -> list[dict]:
    """A row per operator; with the folder of a run also what it reached there."""
    reached = _results(results)
    rows = []
    for operator, accuracy in CIFAR_10.items():
        counted = count(operator_probe(pooling=operator))
        rows.append(
            {
                "operator": operator,
                "parameters": counted.params,
                "madds_shared": counted.madds_shared,
                "paper": accuracy,
                "reached": {
                    str(found["train_images"]): found["accuracy"]
                    for found in sorted(reached, key=lambda one: one.get("train_images", 0))
                    if found.get("operator") == operator and not found["holdout"]
                },
            }
        )
    return rows


def synthetic_rows(results: Path | None) -> list[dict]:
    """A row per task, with and without a convolution before RNNPool, and one for every other size
    in the folder of a run."""
    reached = [one for one in _results(results) if one.get("task") in SYNTHETIC]
    published = {
        (task, convolution, hidden)
        for task, (_, _, *sizes) in SYNTHETIC.items()
        for convolution, hidden in zip((True, False), sizes, strict=True)
    }
    trained = [(one["task"], one["convolution"], tuple(one["hidden"])) for one in reached]
    order = list(SYNTHETIC)
    rows = []
    for network in sorted(
        {*published, *trained}, key=lambda one: (order.index(one[0]), not one[1], one[2])
    ):
        task, convolution, (h1, h2) = network
        size, classes, *_ = SYNTHETIC[task]
        counted = count(
            operator_probe(
                (size, size, 1),
                classes,
                hidden1=h1,
                hidden2=h2,
                stem_filters=_STEM if convolution else 0,
            )
        )
        found = [one for one, key in zip(reached, trained, strict=True) if key == network]
        rows.append(
            {
                "task": task,
                "convolution": convolution,
                "hidden": [h1, h2],
                "of_the_paper": network in published,
                "parameters": counted.params,
                "madds_shared": counted.madds_shared,
                "reached": [one["right"] / one["of"] for one in found],
            }
        )
    return rows


def cifar10_text(rows: list[dict]) -> str:
    """The table for people."""
    sizes = sorted({size for row in rows for size in row["reached"]}, key=int)
    heads = [f"{int(size):,} pictures" for size in sizes]
    lines = [
        "C.2: CIFAR-10 through one operator, 32x32 into 1x1, accuracy in percent",
        "",
        f"{'operator':<14}{'parameters':>12}{'MAdds':>12}{'paper, 50,000':>16}"
        + "".join(f"{head:>18}" for head in heads),
    ]
    for row in rows:
        cells = [f"{row['reached'][size]:.2f}" if size in row["reached"] else "" for size in sizes]
        lines.append(
            f"{row['operator']:<14}{row['parameters']:>12,}{row['madds_shared']:>12,}"
            f"{row['paper']:>16.2f}" + "".join(f"{cell:>18}" for cell in cells)
        )
    return "\n".join([*lines, "", _source(sizes, "cifar10.py")])


def synthetic_text(rows: list[dict]) -> str:
    """The table for people."""
    lines = [
        "C.1: lines and shapes, the paper's smallest sizes that reach 100 % (Table 7)",
        "",
        f"{'task':<15}{'before RNNPool':<18}{'h1, h2':>8}{'parameters':>12}{'MAdds':>12}"
        f"{'all labels right':>18}",
    ]
    for row in rows:
        stem = f"{_STEM} filters 3x3/2" if row["convolution"] else "nothing"
        hidden = "{}, {}".format(*row["hidden"]) + ("" if row["of_the_paper"] else "*")
        share = ", ".join(f"{one:.1%}" for one in row["reached"])
        lines.append(
            f"{row['task']:<15}{stem:<18}{hidden:>8}{row['parameters']:>12,}"
            f"{row['madds_shared']:>12,}{share:>18}"
        )
    if not all(row["of_the_paper"] for row in rows):
        lines += ["", "* not a size of the paper"]
    return "\n".join([*lines, "", _source([row for row in rows if row["reached"]], "synthetic.py")])


def _source(reached: list, script: str) -> str:
    if reached:
        return f"Reached by examples/operator_probes/{script}, on test pictures."
    return (
        f"Counts only: examples/operator_probes/{script} trains the networks; give the folder of "
        "its run with --results."
    )


def _results(folder: Path | None) -> list[dict]:
    if folder is None:
        return []
    files = sorted(folder.glob("*/result.json"))
    if not files:
        raise ValueError(
            f"`--results` must be the folder of a run of examples/operator_probes. "
            f"Received: '{folder}', without results"
        )
    return [json.loads(file.read_text()) for file in files]

"""One pooling operator from 32×32 to 1×1: what is left of CIFAR-10? (Paper, appendix C.2.)

    python cifar10.py --dataset FOLDER
    python cifar10.py --dataset FOLDER --train-images 5000 10000 20000 --plot cifar10.png

Every operator gives 128 channels, a Dense layer reads the class from them, and all are trained by
one recipe. FOLDER holds CIFAR-10 as its authors distribute it (`cifar-10-binary.tar.gz`). A
training that was stopped goes on where it was; finished figures are kept beside it.

The test set is looked at once per figure, after the last step. To choose a recipe, --holdout N
keeps the last N training pictures back and measures on those instead.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from recipe import ProbeRecipe

from rnnpool_tf.conversion.atomic_files import write_files
from rnnpool_tf.datasets import Examples, ImageDataset
from rnnpool_tf.datasets.cifar10 import load_cifar10
from rnnpool_tf.models.probe import POOLINGS, operator_probe
from rnnpool_tf.training import accuracy, predict, train

# The paper's figures, with all 50,000 training pictures.
PAPER = {"rnnpool": 70.63, "strided_conv": 53.13, "max": 20.04, "average": 26.53}
PAPER_IMAGES = 50_000
# The operator sees whole pictures; crops leave out little of them.
CROP_AREA = (0.9, 1.0)
WATCHED = 500


def main(argv: list[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    results = []
    for images in arguments.train_images or [None]:
        dataset = load_cifar10(arguments.dataset, images)
        dataset, final = parts(dataset, arguments.holdout)
        for operator in arguments.operators:
            name = f"{operator}-{len(dataset.train)}-seed{arguments.seed}"
            if arguments.holdout:
                name += f"-holdout{arguments.holdout}"
            results.append(result(operator, dataset, final, arguments, arguments.output / name))
    print(table(results))
    if arguments.plot:
        from figures import plot_accuracies

        plot_accuracies(results, PAPER, PAPER_IMAGES, arguments.plot)
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--dataset", type=Path, required=True, help="folder of CIFAR-10")
    made.add_argument("--output", type=Path, default=Path("runs/cifar10"), help="folder of the run")
    made.add_argument(
        "--train-images", type=int, nargs="+", help="sizes of the training set; default: all"
    )
    made.add_argument("--operators", choices=POOLINGS, nargs="+", default=list(POOLINGS))
    made.add_argument("--epochs", type=int, default=40)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--holdout", type=int, default=0, metavar="N")
    made.add_argument("--plot", type=Path, help="PNG file for the accuracies")
    return made


def parts(dataset: ImageDataset, holdout: int) -> tuple[ImageDataset, Examples]:
    """What to train with, and what to measure on in the end."""
    seen, final = dataset.train, dataset.validation
    if not 0 <= holdout < len(seen):
        raise ValueError(
            f"`--holdout` must be below the {len(seen)} training pictures. Received: {holdout}"
        )
    if holdout:
        seen, final = cut(seen, 0, len(seen) - holdout), cut(seen, len(seen) - holdout, len(seen))
    # What the training reports along the way it measures on pictures that it knows.
    watched = cut(seen, 0, WATCHED)
    return replace(dataset, train=seen, validation=watched, crop_area=CROP_AREA), final


def cut(examples: Examples, start: int, stop: int) -> Examples:
    rows = slice(start, stop)
    return Examples(
        examples.images[rows], examples.labels[rows], examples.aspects[rows], examples.names[rows]
    )


def result(operator: str, dataset: ImageDataset, final: Examples, arguments, folder: Path) -> dict:
    """What one operator reaches: as it was measured before, or trained and measured now."""
    path = folder / "result.json"
    if not path.exists():
        measured = run(operator, dataset, final, arguments, folder)
        write_files({path: f"{json.dumps(measured, indent=1)}\n".encode()})
    return json.loads(path.read_text())


def run(operator: str, dataset: ImageDataset, final: Examples, arguments, folder: Path) -> dict:
    """Trains one operator and measures it."""
    recipe = ProbeRecipe(epochs=arguments.epochs, seed=arguments.seed)
    print(f"{operator}, {len(dataset.train):,} pictures, {recipe.epochs} epochs", flush=True)
    model, rows = train(
        lambda: operator_probe(pooling=operator), dataset, recipe, folder, resume=True
    )
    logits = predict(model, final, recipe.normalization, 256)
    return {
        "operator": operator,
        "train_images": len(dataset.train),
        "accuracy": round(100 * accuracy(logits, final.labels), 2),
        "measured_on": len(final),
        "train_loss": rows[-1]["loss"],
        "epochs": recipe.epochs,
        "train_minutes": round(sum(row["seconds"] for row in rows) / 60, 1),
        "seed": arguments.seed,
        "holdout": bool(arguments.holdout),
        "parameters": int(sum(np.prod(w.shape) for w in model.trainable_weights)),
    }


def table(results: list[dict]) -> str:
    """Accuracy of every operator at every size of the training set, beside the paper's."""
    sizes = sorted({row["train_images"] for row in results})
    head = ["operator", *(f"{size:,}" for size in sizes), f"paper, {PAPER_IMAGES:,}", "minutes"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for operator in POOLINGS:
        rows = [row for row in results if row["operator"] == operator]
        cells = [
            _accuracies([row for row in rows if row["train_images"] == size]) for size in sizes
        ]
        minutes = ", ".join(f"{row['train_minutes']:g}" for row in rows)
        lines.append(f"| {operator} | {' | '.join(cells)} | {PAPER[operator]} | {minutes} |")
    return "\n".join(lines)


def _accuracies(rows: list[dict]) -> str:
    return ", ".join(f"{row['accuracy']:.2f}" for row in rows) or "-"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f"error: {error}")

"""What quantisation, pruning and both together cost and bring, measured, in one table.

    python study.py person  --dataset FOLDER_OR_ZIPS --run runs/person  --seeds 0
    python study.py cifar10 --dataset FOLDER         --run runs/cifar10 --seeds 0 1 2

Trains whatever is not in the run yet (a stopped training goes on where it was), converts every
form, measures it and prints the table. --train-only leaves the measuring out.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import rnnpool_tf

rnnpool_tf.use_legacy_keras()  # quantisation-aware training and pruning need tf_keras

from experiments import EXPERIMENTS  # noqa: E402


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("experiment", choices=sorted(EXPERIMENTS))
    parser.add_argument(
        "--dataset",
        required=True,
        help="as of examples/visual_wake_words/train.py; for cifar10 the folder of its files",
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of the run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--epochs",
        type=int,
        nargs=3,
        metavar=("FLOAT", "PRUNING", "QAT"),
        help="other lengths of the three trainings than experiments.py has",
    )
    parser.add_argument("--gates", choices=("smooth", "piecewise_linear"), default="smooth")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--train-only", action="store_true", help="do not measure")
    arguments = parser.parse_args(argv)
    from forms import FORMS, Trainer

    from rnnpool_tf.datasets import load_dataset

    experiment = EXPERIMENTS[arguments.experiment]
    if arguments.epochs is not None:
        experiment = experiment.with_epochs(*arguments.epochs)
    spec = arguments.dataset
    if arguments.experiment == "cifar10":
        spec = f"cifar10:{spec}"
    dataset = load_dataset(spec, experiment.image_size)
    print(dataset, flush=True)
    trainers = [
        Trainer(experiment, dataset, arguments.run / f"seed{seed}", seed, arguments.gates)
        for seed in arguments.seeds
    ]
    for trainer in trainers:
        for form in FORMS:
            trainer.model(form)
    if arguments.train_only:
        return 0
    from measurement import measure
    from table import table

    measured = []
    for trainer in trainers:
        for row in measure(trainer):
            print(f"seed {row.seed}, {row.row}: {row.accuracy:.2%}", file=sys.stderr, flush=True)
            measured.append(row)
    rows = json.dumps([asdict(row) for row in measured], indent=1)
    (arguments.run / "results.json").write_text(rows + "\n")
    print(rows if arguments.json else table(measured))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")

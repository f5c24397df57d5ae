"""Count the paper's networks again and print the difference to what it prints.

Builds every network of a table, counts parameters, multiply-accumulates and peak RAM by the paper's
conventions, and says why a figure differs where it does. Accuracies are the paper's: they take data
that is not here, but for C1 and C2, which examples/operator_probes trains.

rnnpool reproduce --table 3
rnnpool reproduce --table 3 --table figure3 --json
rnnpool reproduce --table C2 --results runs/cifar10
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rnnpool_tf.analysis.reproduce.claims import TABLES

OTHERS = ("10", "figure3", "C1", "C2")
CHOICES = sorted([*TABLES, "10"], key=int) + [name for name in OTHERS if name != "10"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `rnnpool reproduce`."""
    parser.add_argument(
        "--table",
        action="append",
        type=_table,
        choices=CHOICES,
        required=True,
        metavar="TABLE",
        help=f"one of {', '.join(CHOICES)}; may be given several times",
    )
    parser.add_argument(
        "--results", type=Path, help="for C1 and C2: folder of a run of examples/operator_probes"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Prints the tables; returns the exit status."""
    from rnnpool_tf.analysis.reproduce import figure3, probes, table10, tables

    if arguments.results is not None and not {"C1", "C2"} & set(arguments.table):
        raise ValueError(f"`--results` is for C1 and C2. Received: --table {arguments.table[0]}")
    described = []
    for name in dict.fromkeys(arguments.table):
        if name in TABLES:
            rows = tables.rows_of(name, _progress)
            described.append(tables.as_json(name, rows) if arguments.json else None)
            text = tables.as_text(name, rows)
        else:
            rows, as_text = {
                "10": (table10.rows_of, table10.as_text),
                "figure3": (lambda: figure3.rows_of(_progress), figure3.as_text),
                "C1": (lambda: probes.synthetic_rows(arguments.results), probes.synthetic_text),
                "C2": (lambda: probes.cifar10_rows(arguments.results), probes.cifar10_text),
            }[name]
            rows = rows()
            described.append({"table": name, "rows": rows})
            text = as_text(rows)
        if not arguments.json:
            print(text, end="\n\n")
    if arguments.json:
        print(json.dumps(described, indent=1))
    return 0


def _table(text: str) -> str:
    """The name of a table in the paper's letters: "c1" is "C1"."""
    return next((name for name in CHOICES if name.lower() == text.lower()), text)


def _progress(network: str) -> None:
    print(f"counting {network}", file=sys.stderr, flush=True)

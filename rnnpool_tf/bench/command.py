"""Measure speed on this machine.

  rnnpool bench training   forward + backward of RNNPoolLayer against the naive per-patch form
"""

from __future__ import annotations

import json


def add_arguments(parser) -> None:
    """Adds the arguments of `rnnpool bench`."""
    parser.add_argument("what", choices=["training"], help="what to measure")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--repeat", type=int, default=10, help="timed calls per variant")


def run(arguments) -> int:
    """Runs one benchmark and prints its result."""
    from rnnpool_tf.bench.training import measure

    if arguments.repeat < 1:
        raise ValueError(f"`--repeat` must be at least 1. Received: {arguments.repeat}")
    rows = measure(arguments.repeat)
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return 0
    baseline = rows[0]["milliseconds"]
    print("RNNPoolLayer, forward + backward, 8×112×112×8, patch 6, stride 4, h1 = h2 = 8")
    print(f"{'variant':28}{'median ms':>10}{'vs naive':>10}")
    for row in rows:
        speedup = baseline / row["milliseconds"]
        print(f"{row['variant']:28}{row['milliseconds']:10.1f}{speedup:9.1f}×")
    return 0

"""Measure speed and memory: of the layer, of the operator on a microcontroller, of networks.

rnnpool bench training   forward + backward of RNNPoolLayer against the naive per-patch form
rnnpool bench desktop    the operator in LiteRT against the layer expanded to built-in operators
rnnpool bench m4         the operator on an emulated Cortex-M4: instructions, memory, stack, flash
rnnpool bench memory     RAM of whole int8 networks in TensorFlow Lite Micro, unfused to streamed
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def add_arguments(parser) -> None:
    """Adds the arguments of `rnnpool bench`."""
    parser.add_argument(
        "what", choices=["training", "desktop", "m4", "memory"], help="what to measure"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    training = parser.add_argument_group("bench training and desktop")
    training.add_argument("--repeat", type=int, default=10, help="timed calls per variant")
    m4 = parser.add_argument_group("bench m4")
    m4.add_argument(
        "--path",
        choices=["dsp", "portable", "both"],
        default="both",
        help="code path of the operator (default: all that there are)",
    )
    m4.add_argument(
        "--model",
        type=Path,
        metavar="FILE",
        help="the RNNPool layers of this int8 .tflite file instead; of fused operators only their "
        "RNNPool part",
    )
    m4.add_argument(
        "--network",
        type=Path,
        metavar="FILE",
        help="this whole .tflite file in TensorFlow Lite Micro's interpreter instead; needs "
        "TFLM_DIR, the folder of TensorFlow Lite Micro built for a Cortex-M4 "
        "(tflm_kernels/cortex_m/README.md)",
    )
    m4.add_argument("--only", default="", metavar="PART", help="layers whose name contains PART")
    m4.add_argument(
        "--optimise",
        choices=["s", "2", "3"],
        help="level of the compiler's -O (default: the one of the published figures)",
    )
    m4.add_argument("--profile", action="store_true", help="also print the share of every function")
    m4.add_argument(
        "--scaling",
        action="store_true",
        help="how instructions grow with the map, the patch and the hidden sizes instead",
    )
    m4.add_argument(
        "--sparse",
        action="store_true",
        help="packed matrices against dense ones over the share of zero weights instead",
    )
    m4.add_argument("--plot", metavar="PNG", help="with --scaling: draw it too, with matplotlib")
    memory = parser.add_argument_group("bench memory")
    memory.add_argument(
        "--models", nargs="+", default=[], metavar="NAME", help="only these networks, e.g. vww-96"
    )
    memory.add_argument(
        "--output", type=Path, metavar="FOLDER", help="keep the models that were measured there"
    )


def run(arguments) -> int:
    """Runs one benchmark and prints its result."""
    if arguments.repeat < 1:
        raise ValueError(f"`--repeat` must be at least 1. Received: {arguments.repeat}")
    benchmarks = {"training": _training, "desktop": _desktop, "m4": _m4, "memory": _memory}
    return benchmarks[arguments.what](arguments)


def _training(arguments) -> int:
    from rnnpool_tf.bench import training

    return _print(training.measure(arguments.repeat), training.table, arguments.json)


def _desktop(arguments) -> int:
    from rnnpool_tf._keras_mode import use_legacy_keras

    use_legacy_keras()
    from rnnpool_tf.bench import desktop

    return _print(desktop.measure(arguments.repeat), desktop.table, arguments.json)


def _memory(arguments) -> int:
    from rnnpool_tf._keras_mode import use_legacy_keras

    use_legacy_keras()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # progress is easier to see
    from rnnpool_tf.bench import memory

    rows = memory.measure(
        arguments.models,
        output=arguments.output,
        progress=lambda line: print(line, file=sys.stderr, flush=True),
    )
    return _print(rows, memory.table, arguments.json)


def _print(rows: list[dict], table, as_json: bool) -> int:
    print(json.dumps(rows, indent=2) if as_json else table(rows))
    return 0


_M4_SUBJECTS = ("model", "network", "only", "scaling", "sparse")


def _m4(arguments) -> int:
    from rnnpool_tf.bench.m4 import bench, model_layers, network, scaling, sparse
    from rnnpool_tf.bench.m4.firmware import OPTIMISATION

    level = OPTIMISATION if arguments.optimise is None else f"-O{arguments.optimise}"
    if arguments.plot and not arguments.scaling:
        raise ValueError("`--plot` must be used with `--scaling`. Received: --plot alone")
    what = [name for name in _M4_SUBJECTS if getattr(arguments, name)]
    if len(what) > 1:
        given = " ".join(f"--{name}" for name in what)
        raise ValueError(f"`bench m4` measures one thing at a time. Received: {given}")
    if arguments.model:
        rows = model_layers.measure_model(arguments.model, arguments.path, level)
        text = "\n".join([bench.table(rows), "", *model_layers.shapes_text(rows)])
    elif arguments.network:
        rows = network.measure_network(arguments.network, arguments.path, level)
        text = network.table(rows)
    elif arguments.sparse:
        rows = sparse.measure(arguments.path, level)
        text = sparse.table(rows)
    elif arguments.scaling:
        rows = scaling.measure(arguments.path, level)
        text = scaling.table(rows)
        if arguments.plot:
            scaling.plot(rows, arguments.plot)
    else:
        rows, profiles = bench.measure(arguments.path, arguments.only, level)
        text = bench.table(rows)
        if arguments.profile:
            text += "\n" + bench.profile_text(profiles)
    print(json.dumps(rows, indent=2) if arguments.json else text)
    return 0

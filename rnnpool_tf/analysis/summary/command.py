"""Show a model's layers, its work, its memory, and how its file stores the weights.

MODEL is a .tflite, .keras or .h5 file, a SavedModel folder, or zoo:NAME, a network of the paper's
tables; zoo: lists them. Per layer: parameters, multiply-accumulates (MAdds), bytes of its output.
For the model: the peak RAM by the paper's convention and which block it comes from, the least RAM
by the paper's lower bounds, and the arena measured in TensorFlow Lite Micro. Of a .tflite file
besides the weights: how many are not zero, in what pattern, how they are stored, and what the file
consists of.

rnnpool summary model.tflite
rnnpool summary zoo:mobilenet_v2 --compare zoo:mobilenet_v2_rnnpool --html memory.html
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments of `rnnpool summary`."""
    parser.add_argument(
        "model", metavar="MODEL", help=".tflite, .keras or .h5 file, SavedModel folder, or zoo:NAME"
    )
    parser.add_argument(
        "--compare", metavar="OTHER", help="a second model, in the same totals and pictures"
    )
    parser.add_argument(
        "--element-bytes",
        type=int,
        metavar="N",
        help="bytes of an element of a Keras model's maps, 1 for int8 (default: 4, float32)",
    )
    parser.add_argument(
        "--all", action="store_true", help="list layers without MAdds and batch normalisation, too"
    )
    parser.add_argument(
        "--no-arena", action="store_true", help="measure no arena, which takes a while"
    )
    parser.add_argument(
        "--html", type=Path, metavar="FILE.html", help="write everything into one page"
    )
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="FILE.png",
        help="draw the memory over the layers (needs matplotlib)",
    )
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FILE.csv",
        help="with --html or --plot: draw accuracy against RAM and MAdds, from the columns name, "
        "accuracy (per cent), ram_bytes and madds",
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Prints the summary and writes the files; returns the exit status."""
    from rnnpool_tf.analysis.summary import model_table, table
    from rnnpool_tf.analysis.summary.measured import measure_arena
    from rnnpool_tf.analysis.summary.opening import ZOO, choose_keras_of, open_model, zoo_lines

    results = _check(arguments)
    if arguments.model == ZOO:
        print("\n".join(zoo_lines()))
        return 0
    names = [arguments.model] if arguments.compare is None else [arguments.model, arguments.compare]
    choose_keras_of(names)
    opened = [open_model(name, arguments.element_bytes) for name in names]
    summaries = [one.summary for one in opened]
    arenas = [None if arguments.no_arena else measure_arena(one) for one in opened]
    _write(arguments, summaries, arenas, results)
    if arguments.json:
        described = [_described(one, arena) for one, arena in zip(opened, arenas, strict=True)]
        first = described[0]
        if len(described) > 1:
            first["compared_with"] = described[1]
        print(json.dumps(first, indent=2))
        return 0
    parts = [model_table.as_text(summaries, arenas, arguments.all)]
    parts += [table.as_text(one.weights) for one in opened if one.weights is not None]
    print("\n\n".join(parts))
    return 0


def _check(arguments: argparse.Namespace) -> list:
    """Refuses what would be refused later, before models are opened; reads the results."""
    from rnnpool_tf.analysis.summary.results import read_results
    from rnnpool_tf.conversion.atomic_files import check_output
    from rnnpool_tf.plots import require_matplotlib

    if arguments.html is not None:
        check_output(arguments.html, "--html")
    if arguments.plot is not None:
        check_output(arguments.plot, "--plot")
        require_matplotlib()
    _check_distinct(arguments)
    if arguments.results is None:
        return []
    if arguments.html is None and arguments.plot is None:
        raise ValueError(
            f"`--results` goes with --html or --plot. Received: --results '{arguments.results}'"
        )
    return read_results(arguments.results)


def _check_distinct(arguments: argparse.Namespace) -> None:
    """Refuses to write over what is read, or one file over the other."""
    read = (arguments.model, arguments.compare, arguments.results)
    taken = {Path(name).resolve() for name in read if name is not None}
    for option in ("html", "plot"):
        path = getattr(arguments, option)
        if path is None:
            continue
        if path.resolve() in taken:
            raise ValueError(
                f"`--{option}` must be a file of its own. Received: --{option} '{path}', which is "
                "also another argument"
            )
        taken.add(path.resolve())


def _write(arguments: argparse.Namespace, summaries, arenas, results) -> None:
    from rnnpool_tf.analysis.summary import page, picture
    from rnnpool_tf.conversion.atomic_files import write_files

    contents = {}
    if arguments.html is not None:
        text = page.as_page(summaries, arenas, results, arguments.all)
        contents[arguments.html] = text.encode()
    if arguments.plot is not None:
        image = io.BytesIO()
        picture.draw(summaries, results, image)
        contents[arguments.plot] = image.getvalue()
    if contents:
        write_files(contents)


def _described(opened, arena) -> dict:
    """A model for programs; of a .tflite file with its weights, operator by operator."""
    from rnnpool_tf.analysis.summary import model_table, table

    described = model_table.as_json(opened.summary, arena)
    if opened.weights is None:
        return described
    stored = table.as_json(opened.weights)
    layers = zip(described["layers"], stored["layers"], strict=True)
    return {
        **described,
        **stored,
        "layers": [{**layer, **operator} for layer, operator in layers],
    }

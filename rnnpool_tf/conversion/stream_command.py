"""`rnnpool convert --stream`: its arguments, and what it writes and prints."""

from __future__ import annotations

import argparse
from pathlib import Path

from rnnpool_tf.conversion.atomic_files import check_output
from rnnpool_tf.conversion.stream_header import pair_paths
from rnnpool_tf.datasets.normalization_arguments import (
    add_normalization_arguments,
    chosen_normalization,
)

_MAX_BLOCKS = 2


def add_stream_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments."""
    group = parser.add_argument_group(
        "streaming",
        "--stream writes NAME_front.h and NAME_body.tflite in place of NAME.tflite: the front\n"
        "takes a picture line by line, and the body runs in TensorFlow Lite Micro. MODEL may be\n"
        "an int8 .tflite file as well.",
    )
    group.add_argument("--stream", action="store_true", help="write such a pair")
    group.add_argument(
        "--blocks-in-front",
        type=int,
        choices=range(_MAX_BLOCKS + 1),
        help="inverted residuals that the front computes (default: what needs the least memory)",
    )
    add_normalization_arguments(group)


def check_stream_arguments(arguments: argparse.Namespace) -> None:
    """Raises ValueError for arguments that go with --stream only, given without it."""
    if arguments.stream:
        return
    for name in ("blocks_in_front", "normalization", "mean", "std"):
        value = getattr(arguments, name)
        if value is not None:
            option = name.replace("_", "-")
            raise ValueError(f"`--{option}` goes with `--stream`. Received: {option}={value}")


def stream_stem(output: Path) -> Path:
    """The pair's path without the endings, from that of the file that it replaces.

    Raises:
        ValueError: A folder is where one of the files will be.
        FileNotFoundError: Their folder does not exist.
    """
    stem = output.with_suffix("") if output.suffix == ".tflite" else output
    for path in pair_paths(stem):
        check_output(path)
    return stem


def run_stream(data: bytes, stem: Path, arguments: argparse.Namespace) -> dict:
    """Splits a model and writes the pair.

    Args:
        data: The int8 .tflite file.
        stem: What `stream_stem` returned.
        arguments: The command line.

    Returns:
        What was written, JSON-able.
    """
    from rnnpool_tf.conversion.streaming import split_stream

    pair = split_stream(
        data,
        name=stem.name,
        blocks_in_front=arguments.blocks_in_front,
        normalization=chosen_normalization(arguments) or "symmetric",
        fuse=arguments.fuse,
        plan=arguments.plan,
    )
    header, body = pair.write(stem)
    facts = pair.facts
    return {
        "front": str(header),
        "body": str(body),
        "summary": facts.summary,
        "picture": list(facts.shape),
        "map": list(facts.map_shape),
        "blocks_in_front": pair.blocks_in_front,
        "flash": {"front": len(pair.image), "body": len(pair.body)},
        "ram": _measured(pair) or {"workspace": facts.workspace_bytes},
    }


def _measured(pair) -> dict[str, int] | None:
    """Bytes of RAM in TensorFlow Lite Micro; None where it is not installed."""
    from importlib.util import find_spec

    if find_spec("tflite_micro") is None:
        return None
    from rnnpool_tf.runtime import StreamedRuntime

    runtime = StreamedRuntime(pair.header.encode(), pair.body, engine="tflm")
    return {
        "arena": runtime.arena_breakdown["total"],
        "workspace": runtime.workspace_bytes,
        "stream": runtime.stream_bytes,
        "total": runtime.total_bytes,
    }


def stream_text(summary: dict) -> str:
    """The summary for people."""
    height, width, channels = summary["picture"]
    colour = "grey" if channels == 1 else "RGB"
    shape = "x".join(str(side) for side in summary["map"])
    flash, ram = summary["flash"], summary["ram"]
    lines = [
        f"{summary['front']}: {flash['front']:,} bytes of constants, {summary['summary']}",
        f"  lines   {width} {colour} pixels, {height} for a picture",
        f"  map     {shape}",
        f"{summary['body']}: {flash['body']:,} bytes",
    ]
    if "total" in ram:
        lines.append(
            f"  RAM     {ram['total']:,} bytes: arena {ram['arena']:,}, stream {ram['stream']:,} "
            f"(workspace {ram['workspace']:,})"
        )
    else:
        lines.append("  RAM     not measured: that needs `pip install rnnpool_tf[tflm]`")
    return "\n".join(lines)

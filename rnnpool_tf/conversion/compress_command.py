"""`rnnpool convert --compress`: weights in TFLite Micro's compressed forms."""

from __future__ import annotations

import argparse
from dataclasses import asdict


def add_compress_argument(parser: argparse.ArgumentParser) -> None:
    """Declares the argument."""
    parser.add_argument(
        "--compress",
        action="store_true",
        help="compress weights of an int8 file that fused operators do not read (see --fuse), in "
        "the forms that TensorFlow Lite Micro's DECODE operator unpacks: less flash, more time and "
        "arena; LiteRT cannot run it. Checked in TensorFlow Lite Micro, so this needs "
        "rnnpool_tf[tflm]",
    )


def check_compress_argument(arguments: argparse.Namespace) -> None:
    """Raises ValueError for arguments that do not go with it."""
    if arguments.compress and arguments.stream:
        raise ValueError(
            "`--compress` must be given without --stream; compress the body's .tflite file "
            "afterwards. Received: both"
        )


def run_compress(data: bytes) -> tuple[bytes, dict]:
    """Compresses a file.

    Returns:
        The file, and what was done: "bytes" and "arena" before and after, "tensors".

    Raises:
        ValueError: The file cannot be checked, or has nothing to compress.
    """
    from rnnpool_tf.conversion.tflm_compression import compress

    result = compress(data)
    if not result.tensors:
        raise ValueError(
            "`--compress` needs int8 weights of CONV_2D, DEPTHWISE_CONV_2D or FULLY_CONNECTED "
            "operators with many zeros or few values. Received: none that would shrink by more "
            "than the operator that unpacks them takes"
        )
    return result.data, {
        "bytes": [len(data), len(result.data)],
        "arena": list(result.arena),
        "tensors": [asdict(tensor) for tensor in result.tensors],
    }


def compress_text(done: dict) -> str:
    """The same as lines of text."""
    (before, after), (arena, larger) = done["bytes"], done["arena"]
    return (
        f"  compressed {len(done['tensors'])} weight tensors: {before:,} -> {after:,} bytes; "
        f"arena in use {arena:,} -> {larger:,} bytes\n"
        "  the same output bytes in TensorFlow Lite Micro; its resolver needs AddDecode()"
    )

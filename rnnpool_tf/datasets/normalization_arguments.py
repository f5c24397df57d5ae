"""`--normalization`, `--mean` and `--std`: how a model was trained, on the command line."""

from __future__ import annotations

import argparse

from rnnpool_tf.datasets.preprocess import NORMALIZATIONS, Normalization


def add_normalization_arguments(parser: argparse._ActionsContainer) -> None:
    """Declares the arguments that `chosen_normalization` reads."""
    parser.add_argument(
        "--normalization",
        choices=sorted(NORMALIZATIONS),
        help="how the model was trained (default: symmetric)",
    )
    parser.add_argument(
        "--mean",
        nargs=3,
        type=float,
        metavar=("R", "G", "B"),
        help="explicit normalisation (u8 / 255 - mean) / std instead of --normalization",
    )
    parser.add_argument("--std", nargs=3, type=float, metavar=("R", "G", "B"), help="with --mean")


def chosen_normalization(arguments: argparse.Namespace) -> str | Normalization | None:
    """The normalisation of a command line; None when it names none.

    Raises:
        ValueError: Only one of mean and std, a std that is not positive, or a name as well.
    """
    mean, std = arguments.mean, arguments.std
    if mean is None and std is None:
        return arguments.normalization
    if mean is None or std is None:
        raise ValueError(
            f"`--mean` and `--std` must be given together. Received: mean={mean}, std={std}"
        )
    if arguments.normalization is not None:
        raise ValueError(
            "`--normalization` must not be given with `--mean` and `--std`. "
            f"Received: normalization={arguments.normalization}"
        )
    if min(std) <= 0:
        raise ValueError(f"`--std` must be positive. Received: std={std}")
    return Normalization("custom", tuple(mean), tuple(std))

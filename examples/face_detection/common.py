"""What the steps of this example share: arguments, data, the network, and the files between them.

A run is one folder. Each step adds its files, and the next one finds them by these names.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

DESCRIPTION = "model.json"  # train.py: what the network is
FLOAT_WEIGHTS = "float.weights.h5"  # train.py
QAT_MODEL = "qat.h5"  # compress.py
INT8_TFLITE = "int8.tflite"  # convert_and_verify.py
REPORT = "report.json"  # convert_and_verify.py
CARD = "MODEL_CARD.md"  # convert_and_verify.py
QVGA_NETWORKS = ("face_m4", "face_qvga")
NETWORKS = (*QVGA_NETWORKS, "face_quant", "face_a", "face_b", "face_c")
POOLINGS = ("rnnpool", "strided_conv")


def parser(text: str) -> argparse.ArgumentParser:
    """A parser whose help is the docstring `text`, with the arguments of every step."""
    made = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--run", type=Path, default=Path("runs/face_m4"), help="folder of the run")
    made.add_argument(
        "--dataset",
        default="synthetic",
        help="'synthetic' (built in) or 'synthetic:TRAIN:VALIDATION'; 'wider:FOLDER' and "
        "'scut:FOLDER' (official layouts); or a zip or folder with annotations.json",
    )
    return made


def add_training_arguments(to: argparse.ArgumentParser, *, lr: float, warmup: float) -> None:
    """How a network is trained; the keywords are the defaults that steps differ in."""
    to.add_argument("--batch-size", type=int, default=16, help="images per step, all devices")
    to.add_argument("--lr", type=float, default=lr, help="initial rate of the cosine")
    to.add_argument("--warmup-epochs", type=float, default=warmup)
    to.add_argument("--weight-decay", type=float, default=4e-5)
    to.add_argument("--clip-norm", type=float, default=10.0, help="of the gradient; 0: none")
    to.add_argument("--seed", type=int, default=0)
    to.add_argument(
        "--strategy",
        choices=("none", "mirrored", "multi-worker"),
        default="none",
        help="tf.distribute; multi-worker reads TF_CONFIG",
    )
    to.add_argument("--resume", action="store_true", help="continue from the run's checkpoints")


def recipe(arguments: argparse.Namespace, epochs: int):
    """The `rnnpool_tf.training.Recipe` of the command line."""
    from rnnpool_tf.training import Recipe

    return Recipe(
        epochs=epochs,
        batch_size=arguments.batch_size,
        learning_rate=arguments.lr,
        warmup_epochs=min(arguments.warmup_epochs, epochs / 4),
        weight_decay=arguments.weight_decay,
        clip_norm=arguments.clip_norm or None,
        seed=arguments.seed,
    )


def write_description(run: Path, description: dict) -> None:
    """Leave the description in the run for the steps to come."""
    run.mkdir(parents=True, exist_ok=True)
    (run / DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n")


def read_description(run: Path) -> dict:
    """What `write_description` wrote; `ValueError` when train.py has not been here."""
    return json.loads(require(run / DESCRIPTION, "train.py").read_text())


def require(path: Path, step: str) -> Path:
    """`path` itself, or a `ValueError` that names the step that writes it."""
    if not path.exists():
        raise ValueError(f"--run must hold {path.name}, written by {step}. Received: {path.parent}")
    return path


def build_model(description: dict, size: tuple | None = None):
    """The network of a description with fresh weights, its outputs joined.

    `size` is (height, width) of its input, by default that of the description.
    """
    from rnnpool_tf import models

    network = description["network"]
    channels = 1 if network in QVGA_NETWORKS else 3
    options = {}
    if description["pooling"] != "rnnpool":
        options["pooling"] = description["pooling"]
    build = getattr(models, network)
    return build((*(size or description["image_size"]), channels), **options)


def load_float_model(run: Path, size: tuple | None = None):
    """The network that train.py trained; with `size=(None, None)` for pictures of any size."""
    model = build_model(read_description(run), size)
    model.load_weights(require(run / FLOAT_WEIGHTS, "train.py"))
    return model


def geometry(description: dict) -> tuple[tuple, Callable, Callable]:
    """Anchors of the network's levels, how it augments pictures, and how it fits them in."""
    from rnnpool_tf.datasets.qvga_augmentation import augment_qvga, fit_qvga
    from rnnpool_tf.datasets.vga_augmentation import augment_vga, fit_vga
    from rnnpool_tf.vision.anchors import QVGA_LEVELS, VGA_LEVELS

    size = tuple(description["image_size"])
    if description["network"] in QVGA_NETWORKS:
        return QVGA_LEVELS, partial(augment_qvga, size=size), partial(fit_qvga, size=size)
    return VGA_LEVELS, partial(augment_vga, size=size), partial(fit_vga, size=size)


def load_data(arguments: argparse.Namespace):
    """The pictures of the command line."""
    from rnnpool_tf.datasets.load_boxes import load_boxes

    dataset = load_boxes(arguments.dataset)
    print(dataset, flush=True)
    return dataset


def start(main: Callable[[], int]) -> None:
    """Run a step's `main`; what a user can mend ends in one sentence instead of a traceback."""
    try:
        sys.exit(main())
    except (ValueError, OSError, RuntimeError) as error:
        sys.exit(f"error: {error}")

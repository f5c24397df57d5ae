"""What the steps of this example share: arguments, data, the network, and the files between them.

A run is one folder. Each step adds its files, and the next one finds them by these names.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from rnnpool_tf.datasets import NORMALIZATIONS, ImageDataset, load_dataset

DESCRIPTION = "model.json"  # train.py: what the network is
FLOAT_WEIGHTS = "float.weights.h5"  # train.py
QAT_MODEL = "qat.h5"  # compress.py
FLOAT_TFLITE = "float.tflite"  # convert_and_verify.py
INT8_TFLITE = "int8.tflite"  # convert_and_verify.py
STREAM_HEADER = "int8_front.h"  # convert_and_verify.py
STREAM_BODY = "int8_body.tflite"  # convert_and_verify.py
REPORT = "report.json"  # convert_and_verify.py
POOLINGS = ("rnnpool", "strided_conv", "max", "average")
LABELS = ("no person", "person")


def parser(text: str) -> argparse.ArgumentParser:
    """A parser whose help is the docstring `text`, with the arguments of every step."""
    made = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--run", type=Path, default=Path("runs/rnnpool"), help="folder of the run")
    made.add_argument(
        "--dataset",
        default="synthetic",
        help="'synthetic' (built in) or 'synthetic:TRAIN:VALIDATION'; zips with labels.csv "
        "(comma-separated, or their folder); a folder with person/ and no_person/; or "
        "'coco:IMAGES:INSTANCES.json[:VALIDATION_IDS]'",
    )
    made.add_argument("--cache", type=Path, help="folder for decoded pictures")
    return made


def add_model_arguments(to: argparse.ArgumentParser) -> None:
    """What determines the network."""
    to.add_argument("--image-size", type=int, default=96)
    to.add_argument("--grey", action="store_true", help="one channel instead of RGB")
    to.add_argument("--pooling", choices=POOLINGS, default="rnnpool", help="after the first layer")
    to.add_argument("--width", type=float, default=0.35, help="of the inverted residuals")
    to.add_argument(
        "--batch-norm-momentum",
        type=float,
        default=0.99,
        help="of the moving averages; smaller for trainings of a few hundred steps",
    )
    to.add_argument(
        "--normalization",
        choices=sorted(NORMALIZATIONS),
        default="symmetric",
        help="'symmetric': (u8 - 128) / 128, so that an int8 input is u8 - 128; 'imagenet': paper",
    )


def add_training_arguments(
    to: argparse.ArgumentParser,
    *,
    lr: float,
    warmup_epochs: float,
    weight_decay: float,
    clip_norm: float,
) -> None:
    """What determines how it is trained; the keywords are the defaults that steps differ in."""
    to.add_argument("--batch-size", type=int, default=64, help="images per step, all devices")
    to.add_argument("--lr", type=float, default=lr, help="initial rate of the cosine")
    to.add_argument("--warmup-epochs", type=float, default=warmup_epochs)
    to.add_argument("--weight-decay", type=float, default=weight_decay)
    # BatchNormalization after an RNNPool that gives nearly constant outputs, as an untrained or a
    # coarsely quantised one does, multiplies gradients by hundreds.
    to.add_argument("--clip-norm", type=float, default=clip_norm, help="of the gradient; 0: none")
    to.add_argument("--label-smoothing", type=float, default=0.1)
    to.add_argument("--seed", type=int, default=0)
    to.add_argument(
        "--strategy",
        choices=("none", "mirrored", "multi-worker"),
        default="none",
        help="tf.distribute; multi-worker reads TF_CONFIG",
    )
    to.add_argument("--resume", action="store_true", help="continue from the run's checkpoints")


def recipe(arguments: argparse.Namespace, epochs: int, normalization: str):
    """The `rnnpool_tf.training.Recipe` of the command line."""
    from rnnpool_tf.training import Recipe

    return Recipe(
        epochs=epochs,
        batch_size=arguments.batch_size,
        learning_rate=arguments.lr,
        warmup_epochs=min(arguments.warmup_epochs, epochs / 4),
        weight_decay=arguments.weight_decay,
        label_smoothing=arguments.label_smoothing,
        clip_norm=arguments.clip_norm or None,
        seed=arguments.seed,
        normalization=normalization,
    )


def describe(arguments: argparse.Namespace) -> dict:
    """The model arguments as a dictionary, from which `build_model` makes the network."""
    return {
        "image_size": arguments.image_size,
        "channels": 1 if arguments.grey else 3,
        "pooling": arguments.pooling,
        "width": arguments.width,
        "batch_norm_momentum": arguments.batch_norm_momentum,
        "normalization": arguments.normalization,
    }


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


def build_model(description: dict):
    """The network of a description, with fresh weights."""
    from rnnpool_tf.models import visual_wake_words

    size, channels = description["image_size"], description["channels"]
    return visual_wake_words(
        (size, size, channels),
        pooling=description["pooling"],
        width=description["width"],
        batch_norm_momentum=description["batch_norm_momentum"],
    )


def load_float_model(run: Path):
    """The network that train.py trained."""
    model = build_model(read_description(run))
    model.load_weights(require(run / FLOAT_WEIGHTS, "train.py"))
    return model


def load_data(arguments: argparse.Namespace, description: dict) -> ImageDataset:
    """The dataset of the command line at the model's size and colours."""
    dataset = load_dataset(
        arguments.dataset,
        description["image_size"],
        description["channels"],
        cache=arguments.cache,
    )
    print(dataset, flush=True)
    return dataset


def start(main: Callable[[], int]) -> None:
    """Run a step's `main`; what a user can mend ends in one sentence instead of a traceback."""
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")

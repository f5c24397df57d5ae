"""Every classifier of the paper as an int8 file: does it convert, run, and compute the same?

    python check.py                                            # all networks at 224×224; long
    python check.py --size 64 resnet18_rnnpool densenet121_rnnpool
    python check.py --images pictures.npy visual_wake_words_rnnpool

Builds a network with random weights, lets its BatchNormalization see the pictures, quantises it
after that ("training"), and runs the file in TensorFlow Lite Micro and in LiteRT. Per network: its
multiply-accumulates, the bytes of the file, the arena of TensorFlow Lite Micro, how far the float
file's logits are from Keras's as a part of the largest, by how many steps of their scale the two
engines' int8 logits differ at most, and how near TensorFlow Lite Micro's are to those of Keras:
signal to quantisation noise, and how often the largest logit is the same one.
LiteRT and TensorFlow Lite Micro round about one in a thousand outputs of a fully connected operator
differently; networks of GRUs and LSTMs have hundreds of them.

Weights are random, so the last two say how well the structure survives int8, nothing about
accuracy on a task.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import rnnpool_tf
from rnnpool_tf._keras import keras
from rnnpool_tf.analysis import count
from rnnpool_tf.models import NETWORKS, build

SEED = 7
COLUMNS = ("network", "MAdds", "int8 file", "TFLM arena", "float", "differ", "SQNR", "argmax")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "networks", nargs="*", metavar="NETWORK", help=f"of: {', '.join(NETWORKS)}; default: all"
    )
    parser.add_argument("--size", type=int, default=224, help="side of the pictures")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--count", type=int, default=16, help="pictures to calibrate and run with")
    parser.add_argument(
        "--images",
        type=Path,
        help=".npy file with pictures [N, height, width, channels], float and scaled as for "
        "training; they decide the size. Default: random ones",
    )
    parser.add_argument("--output", type=Path, help="existing folder for the .tflite files")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    arguments = parser.parse_args(argv)
    for option in ("size", "classes", "count"):
        if getattr(arguments, option) < 1:
            raise ValueError(
                f"`--{option}` must be positive. Received: {getattr(arguments, option)}"
            )
    names = arguments.networks or list(NETWORKS)
    unknown = [name for name in names if name not in NETWORKS]
    if unknown:
        raise ValueError(f"NETWORK must be one of {', '.join(NETWORKS)}. Received: {unknown[0]}")
    if arguments.output is not None and not arguments.output.is_dir():
        raise FileNotFoundError(
            f"`--output` must be an existing folder. Received: '{arguments.output}'"
        )
    pictures = load(arguments.images, arguments.size, arguments.count)
    rows = []
    for number, name in enumerate(names, start=1):
        head = f"{number}/{len(names)} {name}"

        def progress(step, head=head):
            tell(f"{head}: {step}")

        rows.append(check(name, pictures, arguments.classes, progress))
        tell(f"{head}: {line(rows[-1])}")
        if arguments.output is not None:
            (arguments.output / f"{name}.tflite").write_bytes(rows[-1]["data"])
    for row in rows:
        del row["data"]
    print(json.dumps(rows, indent=1) if arguments.json else table(rows))
    return 0


def check(name: str, pictures: np.ndarray, classes: int, progress=lambda step: None) -> dict:
    """Builds, converts and runs one network.

    Args:
        name: Of the network, in `NETWORKS`.
        pictures: To calibrate and to run with, [N, height, width, channels].
        classes: Number of its logits.
        progress: Gets what is being done.

    Returns:
        What `COLUMNS` names, and the file as `data`.
    """
    keras.backend.clear_session()
    start = time.monotonic()
    progress("building")
    model = random_network(name, pictures, classes)
    # Batches of 8 bound the memory of the large networks.
    logits = np.concatenate([np.asarray(model(part)) for part in batches(pictures, 8)])
    progress("converting")
    in_float = rnnpool_tf.Runtime(rnnpool_tf.convert(model)).predict(pictures)
    data = rnnpool_tf.convert(model, calibration=pictures)
    progress("running")
    micro = rnnpool_tf.Runtime(data, engine="tflm")
    desktop = rnnpool_tf.Runtime(data, reference_kernels=True)
    ours, theirs = micro.predict(pictures), desktop.predict(pictures)
    noise = np.sum((ours - logits) ** 2)
    return {
        "network": name,
        "madds": count(model).madds_shared,
        "bytes": len(data),
        "arena": micro.arena_bytes,
        "float_error": float(np.abs(in_float - logits).max() / np.abs(logits).max()),
        "differ": int(np.abs(np.rint((ours - theirs) / micro.output_details[0].scale)).max()),
        "sqnr_db": float(10 * np.log10(np.sum(logits**2) / noise)),
        "argmax": float(np.mean(logits.argmax(-1) == ours.argmax(-1))),
        "seconds": round(time.monotonic() - start, 1),
        "data": data,
    }


def random_network(name: str, pictures: np.ndarray, classes: int):
    """A network in which no layer saturates and no two channels have the same range."""
    keras.utils.set_random_seed(SEED)
    rng = np.random.default_rng(SEED)
    # Without momentum one pass leaves the statistics of its batch.
    model = build(
        name, input_shape=pictures.shape[1:], num_classes=classes, batch_norm_momentum=0.0
    )
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(rng.uniform(0.5, 1.5, layer.gamma.shape))
            layer.beta.assign(rng.normal(0, 0.5, layer.beta.shape))
        if isinstance(layer, rnnpool_tf.RNNPoolLayer):
            for weight in layer.weights:
                deviation = 0.3 if len(weight.shape) == 1 else weight.shape[0] ** -0.5
                weight.assign(rng.normal(0, deviation, weight.shape))
    model(pictures, training=True)
    logits = model.get_layer("logits")
    logits.kernel.assign(rng.normal(0, logits.kernel.shape[0] ** -0.5, logits.kernel.shape))
    return model


def load(path: Path | None, size: int, number: int) -> np.ndarray:
    """Pictures from a file, or random ones: shades, blobs and noise of different strength."""
    if path is not None:
        pictures = np.load(path)
        if pictures.ndim != 4 or pictures.dtype.kind != "f" or not len(pictures):
            raise ValueError(
                "`--images` must hold float pictures [N, height, width, channels]. "
                f"Received: {pictures.dtype} of shape {pictures.shape}"
            )
        return pictures[:number].astype(np.float32)
    rng = np.random.default_rng(SEED)
    blobs = rng.normal(size=(number, 8, 8, 3))
    index = np.arange(size) * 8 // size
    blobs = blobs[:, index][:, :, index]
    grey, strength = (rng.uniform(low, 1, (number, 1, 1, 1)) for low in (-1, 0))
    noise = rng.normal(size=(number, size, size, 3))
    return np.clip(grey + 0.5 * blobs + 0.5 * strength * noise, -1, 1).astype(np.float32)


def batches(pictures: np.ndarray, size: int):
    """The pictures, `size` at a time."""
    for start in range(0, len(pictures), size):
        yield pictures[start : start + size]


def table(rows: list[dict]) -> str:
    """The rows for people, as Markdown."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    return "\n".join([*lines, *(f"| {row['network']} | {line(row)} |" for row in rows)])


def line(row: dict) -> str:
    """The figures of one network."""
    cells = (
        f"{row['madds'] / 1e6:.1f} M",
        f"{row['bytes']:,} B",
        f"{row['arena']:,} B",
        f"{row['float_error']:.0e}",
        f"{row['differ']}",
        f"{row['sqnr_db']:.1f} dB",
        f"{row['argmax']:.0%}",
    )
    return " | ".join(cells)


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")

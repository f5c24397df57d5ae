"""MobileNetV2 of keras.applications gets an RNNPool layer and goes to a microcontroller.

    python replace_and_deploy.py

RNNPool takes the place of the first six inverted residuals, from the map behind the first
convolution to one of a quarter of its height and width. The script prints what that saves, trains
the new network, trains it on with int8 in mind, converts it, and compares the int8 file in
TensorFlow Lite Micro with the Keras model that it was made of. The original network is converted
as well, untrained, to see what memory it takes.

Writes float.h5, qat.h5, int8.tflite and original.tflite into the run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import rnnpool_tf

rnnpool_tf.use_legacy_keras()  # quantisation-aware training needs tf_keras

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from rnnpool_tf import Runtime, compression, replace_with_rnnpool  # noqa: E402
from rnnpool_tf.datasets import load_dataset, normalization  # noqa: E402
from rnnpool_tf.training import Recipe, accuracy, predict, train  # noqa: E402

FIRST, LAST = "expanded_conv_depthwise", "block_5_add"  # what RNNPool replaces
NORMALIZE = normalization("symmetric")  # (u8 - 128) / 128, MobileNetV2's own range
CALIBRATION_IMAGES = 256


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    dataset = load_dataset(arguments.dataset, arguments.image_size, 3, cache=arguments.cache)
    print(dataset, flush=True)

    tf.keras.utils.set_random_seed(arguments.seed)
    original = mobilenet(arguments, classes=len(dataset.classes))
    replacement = replace_with_rnnpool(
        original, FIRST, LAST, hidden1=arguments.hidden, hidden2=arguments.hidden
    )
    print(replacement.report, flush=True)

    recipe = Recipe(
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        learning_rate=arguments.lr,
        warmup_epochs=arguments.epochs / 5,
        clip_norm=5.0,  # BatchNormalization behind an untrained RNNPool makes gradients large
        seed=arguments.seed,
    )
    model, _ = train(lambda: replacement.model, dataset, recipe, arguments.run)
    compression.save(model, arguments.run / "float.h5")

    fine_tuning = Recipe(
        epochs=arguments.qat_epochs,
        batch_size=arguments.batch_size,
        learning_rate=arguments.lr / 10,
        clip_norm=5.0,
        seed=arguments.seed,
    )
    # The int8 file has fixed batch statistics; the last epochs train with them.
    frozen = compression.FreezeBatchNorm(arguments.qat_epochs * 2 // 3)
    qat, _ = train(
        lambda: quantized(model, dataset), dataset, fine_tuning, arguments.run / "qat",
        callbacks=[frozen],
    )  # fmt: skip
    compression.save(qat, arguments.run / "qat.h5")

    rnnpool_tf.convert(qat, arguments.run / "int8.tflite")
    rnnpool_tf.convert(quantized(original, dataset), arguments.run / "original.tflite")
    verify(model, qat, dataset.validation, arguments.run)
    return 0


def mobilenet(arguments: argparse.Namespace, classes: int) -> tf.keras.Model:
    """MobileNetV2 with logits for `classes` classes, as any other Keras program makes it."""
    body = tf.keras.applications.MobileNetV2(
        (arguments.image_size, arguments.image_size, 3),
        alpha=arguments.width,
        include_top=False,
        pooling="avg",
        weights=None if arguments.weights == "none" else arguments.weights,
    )
    logits = tf.keras.layers.Dense(classes, name="logits")(body.output)
    model = tf.keras.Model(body.input, logits, name="mobilenet_v2")
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.momentum = 0.9  # 0.999, the default of this network, takes thousands of steps
    return model


def quantized(model: tf.keras.Model, dataset) -> tf.keras.Model:
    """The model for quantisation-aware training, its ranges set from training images."""
    images = dataset.train.images[:CALIBRATION_IMAGES]
    size = (dataset.image_size, dataset.image_size)
    qat = compression.quantize(model, NORMALIZE(tf.image.resize(images, size).numpy()))
    # The int8 input covers all pixel values, whatever the calibration images have.
    compression.set_input_range(qat, *NORMALIZE.limits(3))
    return qat


def verify(model: tf.keras.Model, qat: tf.keras.Model, examples, run: Path) -> None:
    """Print the accuracy of every form, how often they agree, and the memory of both files."""
    files = [run / f"{name}.tflite" for name in ("original", "int8")]
    before, after = (Runtime(file, engine="tflm") for file in files)
    logits = {
        "float, Keras": predict(model, examples),
        "QAT, Keras": predict(qat, examples),
        "int8, TFLM": after.predict(NORMALIZE(examples.images)),
    }
    expected = logits["QAT, Keras"].argmax(1)
    print(f"\n{f'on {len(examples)} images':<18}{'accuracy':>10}{'as QAT':>10}")
    for name, values in logits.items():
        agreement = np.mean(values.argmax(1) == expected)
        print(f"{name:<18}{accuracy(values, examples.labels):>10.2%}{agreement:>10.2%}")
    print(f"\n{'':<18}{'original':>10}{'RNNPool':>10}")
    print(f"{'TFLM arena':<18}{before.arena_bytes:>10,}{after.arena_bytes:>10,} bytes")
    sizes = [file.stat().st_size for file in files]
    print(f"{'int8 .tflite':<18}{sizes[0]:>10,}{sizes[1]:>10,} bytes")


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, default=Path("runs/surgery"), help="folder for files")
    parser.add_argument(
        "--dataset",
        default="synthetic:1024:256",
        help="what the Visual Wake Words example takes: 'synthetic:TRAIN:VALIDATION' (built in), "
        "zips with labels.csv, a folder with person/ and no_person/, or 'coco:…'",
    )
    parser.add_argument("--cache", type=Path, help="folder for decoded pictures")
    parser.add_argument("--image-size", type=int, default=96, help="a multiple of 32")
    parser.add_argument("--width", type=float, default=0.35, help="alpha of MobileNetV2")
    parser.add_argument("--weights", default="none", help="'imagenet' (downloaded) or a .h5 file")
    parser.add_argument("--hidden", type=int, default=8, help="units of RNNPool's two networks")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--qat-epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args(argv)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")

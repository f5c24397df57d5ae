"""Measures the forms of one seed: accuracy, agreement, size, memory, instructions."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from forms import NORMALIZATION, Trainer

import rnnpool_tf
from rnnpool_tf import Runtime, compression
from rnnpool_tf.bench.m4.firmware import EmulationError
from rnnpool_tf.bench.m4.model_layers import measure_model
from rnnpool_tf.datasets import normalization
from rnnpool_tf.training import accuracy, predict

# Rows of the table: name, form that is trained, whether it is quantised after training.
ROWS = (
    ("float", "float", False),
    ("PTQ", "float", True),
    ("QAT", "qat", False),
    ("pruned, PTQ", "pruned", True),
    ("pruned + QAT", "pruned_qat", False),
)


@dataclass(frozen=True)
class Measured:
    """One row for one seed; accuracies and agreement from 0 to 1, sizes in bytes.

    Attributes:
        accuracy: Of the .tflite file in TensorFlow Lite Micro (float: of the Keras model).
        keras_accuracy: Of the Keras model that was converted.
        agreement: Part of the validation images on which both say the same class.
        logit_difference: Mean absolute difference of their logits.
        logit_spread: Standard deviation of the Keras model's logits, to judge it by.
        density: Part of the weights that are not zero.
        tflite_bytes: Of the file.
        gzip_bytes: Of the file compressed, as for an update over the air.
        arena_bytes: Of TensorFlow Lite Micro's arena, on this machine.
        pool_instructions: Of the RNNPool layer on the emulated Cortex-M4; None without emulator
            and for float networks.
    """

    row: str
    seed: int
    accuracy: float
    keras_accuracy: float
    agreement: float
    logit_difference: float
    logit_spread: float
    density: float
    tflite_bytes: int
    gzip_bytes: int
    arena_bytes: int
    pool_instructions: int | None


def measure(trainer: Trainer) -> Iterator[Measured]:
    """Converts and runs every row of one seed; the .tflite files stay in the trainer's folder."""
    examples = trainer.dataset.validation
    normalize = normalization(NORMALIZATION)
    for row, form, after_training in ROWS:
        model = trainer.model(form)
        path = trainer.folder / f"{row.replace(', ', '_').replace(' + ', '_')}.tflite"
        calibration = trainer.calibration() if after_training else None
        data = rnnpool_tf.convert(model, path, calibration=calibration)
        expected = predict(model, examples, NORMALIZATION)
        # LiteRT for float: TensorFlow Lite Micro gives the same to float rounding, slowly.
        engine = "litert" if row == "float" else "tflm"
        given = Runtime(path, engine=engine).predict(normalize(examples.images))
        yield Measured(
            row=row,
            seed=trainer.seed,
            accuracy=accuracy(given, examples.labels),
            keras_accuracy=accuracy(expected, examples.labels),
            agreement=float(np.mean(given.argmax(1) == expected.argmax(1))),
            logit_difference=float(np.mean(np.abs(given - expected))),
            logit_spread=float(np.std(expected)),
            density=1 - compression.sparsity_report(model).sparsity,
            tflite_bytes=len(data),
            gzip_bytes=len(gzip.compress(data, 9)),
            arena_bytes=Runtime(path, engine="tflm").arena_bytes,
            pool_instructions=None if row == "float" else _pool_instructions(path),
        )


def _pool_instructions(path: Path) -> int | None:
    try:
        return sum(layer["instructions"] for layer in measure_model(path, "dsp"))
    except EmulationError as error:
        print(f"no instructions: {error}", flush=True)
        return None

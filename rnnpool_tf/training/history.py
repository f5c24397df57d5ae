"""The course of a training as files: history.csv (grows with every epoch) and history.json."""

from __future__ import annotations

import csv
import json
import os
import time
from pathlib import Path

import tensorflow as tf

from rnnpool_tf._keras import keras


class HistoryFiles(keras.callbacks.Callback):
    """One row per epoch: epoch (from 1), the metrics, the last learning rate, seconds.

    With `first_epoch > 0` the rows of the epochs before it are kept, later ones dropped, so that
    a resumed training leaves one unbroken history.
    """

    def __init__(self, folder: str | os.PathLike, first_epoch: int = 0):
        super().__init__()
        self.folder = Path(folder)
        self.rows = [row for row in read_history(folder) if row["epoch"] <= first_epoch]
        self._started = 0.0

    def on_epoch_begin(self, epoch: int, logs=None) -> None:
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs=None) -> None:
        row = {"epoch": epoch + 1}
        row |= {name: round(float(value), 6) for name, value in (logs or {}).items()}
        row["learning_rate"] = round(_learning_rate(self.model.optimizer), 8)
        row["seconds"] = round(time.perf_counter() - self._started, 2)
        self.rows.append(row)
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "history.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, list(row), extrasaction="ignore")
            writer.writeheader()
            writer.writerows(self.rows)
        (self.folder / "history.json").write_text(json.dumps(self.rows, indent=1) + "\n")


def read_history(folder: str | os.PathLike) -> list[dict[str, float]]:
    """The rows written so far, oldest first; an empty list when there are none."""
    path = Path(folder) / "history.json"
    return json.loads(path.read_text()) if path.exists() else []


def _learning_rate(optimizer) -> float:
    rate = optimizer.learning_rate
    # A schedule, a number, or the variable that holds the rate of the last step, mirrored or not.
    return float(tf.convert_to_tensor(rate(optimizer.iterations) if callable(rate) else rate))

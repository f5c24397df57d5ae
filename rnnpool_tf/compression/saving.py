"""Saving and loading QAT (and pruning) models, in the formats that work."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from rnnpool_tf._keras import keras, require_legacy_keras
from rnnpool_tf.compression.checks import require_model
from rnnpool_tf.compression.quantization import quantize_scope

_FORMATS = "use a name ending in .h5 for one file, or a name without ending for a SavedModel folder"


def save(model, path: str | os.PathLike) -> Path:
    """Saves a model with its weights, quantisation ranges and pruning masks.

    Written beside the target first and renamed when complete, so that an interrupted save leaves
    what was there.

    Args:
        model: Functional or sequential tf_keras model: float, QAT or being pruned.
        path: "name.h5" (HDF5), from which training goes on exactly where it stopped; or "name" (a
            SavedModel folder, for tools that read those), which keeps weights and ranges but not
            the optimizer's state. Layers frozen in training are trainable again after `load()`.

    Returns:
        The path written.

    Raises:
        RuntimeError: `tf.keras` is Keras 3.
        ValueError: Another ending. `.keras` is refused because a QAT model saved so cannot be
            loaded again (tfmot's quantise layers restore only part of their variables).
    """
    require_model(model, "save()")
    path = Path(path)
    _check_format(path, "save()")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    _remove(partial)
    # tfmot lists the weights of a frozen BatchNormalization twice, which HDF5 refuses.
    frozen = [layer for layer in model.layers if not layer.trainable]
    try:
        for layer in frozen:
            layer.trainable = True
        with quantize_scope():
            model.save(partial, save_format="h5" if path.suffix == ".h5" else "tf")
        if path.is_dir():
            _remove(path)
        os.replace(partial, path)
    finally:
        for layer in frozen:
            layer.trainable = False
        _remove(partial)
    return path


def load(path: str | os.PathLike, *, compile: bool = True):
    """Loads a model written by `save()`, ready to train on.

    Args:
        path: The file or folder.
        compile: Restore loss, metrics and optimizer too, when the model was compiled.

    Returns:
        The tf_keras model; weights, ranges and, from .h5, the optimizer's state are those saved.

    Raises:
        RuntimeError: `tf.keras` is Keras 3.
        ValueError: The ending is `.keras`. FileNotFoundError: nothing there.
    """
    require_legacy_keras("load()")
    path = Path(path)
    _check_format(path, "load()")
    if not path.exists():
        raise FileNotFoundError(f"load() needs a saved model. Received: '{path}', which is missing")
    with quantize_scope():
        return keras.models.load_model(path, compile=compile)


def _check_format(path: Path, feature: str) -> None:
    if path.suffix == ".keras":
        raise ValueError(
            f"{feature} cannot use the .keras format: tf_keras does not restore QAT models from "
            f"it; {_FORMATS}. Received: '{path}'"
        )
    if path.suffix not in (".h5", ""):
        raise ValueError(f"{feature} does not know this format; {_FORMATS}. Received: '{path}'")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

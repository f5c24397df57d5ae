"""What `rnnpool summary` is given, opened: files of all kinds, and networks of the zoo by name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rnnpool_tf.analysis.model_summary import ModelSummary, summarize_file, summarize_model
from rnnpool_tf.analysis.summary.layers import Summary, summarize
from rnnpool_tf.conversion.command import choose_keras
from rnnpool_tf.conversion.keras_file import keras_of_file
from rnnpool_tf.conversion.model_bytes import is_tflite

ZOO = "zoo:"


@dataclass(frozen=True)
class Opened:
    """A model.

    Attributes:
        summary: Its layers, work and memory.
        source: What the layers are those of: "Keras", or ".tflite" for files and for models that
            had to be converted first.
        weights: How a .tflite file that was given stores its weights; None of other models.
        model: What can be converted: a Keras model or the path of one; None of .tflite files.
        data: A .tflite file that was given.
    """

    summary: ModelSummary
    source: str
    weights: Summary | None = None
    model: object = None
    data: bytes | None = None


def choose_keras_of(names: Sequence[str]) -> None:
    """Makes the process run the Keras that wrote the files among the models, if nothing says
    otherwise.

    Raises:
        ValueError: Their files are of two Keras versions.
    """
    versions = {
        path: keras_of_file(path)
        for path in map(Path, names)
        if path.is_file() and path.suffix != ".tflite" and not is_tflite(path)
    }
    if {2, 3} <= set(versions.values()):
        told = ", ".join(f"'{path}' of Keras {version}" for path, version in versions.items())
        raise ValueError(
            "MODEL and OTHER must be files of the same Keras, as one process runs one. "
            f"Received: {told}"
        )
    for path in versions:
        choose_keras(path)


def open_model(name: str, element_bytes: int | None) -> Opened:
    """Opens a .tflite, .keras or .h5 file, a SavedModel folder, or "zoo:" with a network's name.

    Args:
        name: Path or name.
        element_bytes: Bytes of an element of a Keras model's maps; None for 4.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no model, or one that cannot be summarised.
    """
    if name.startswith(ZOO):
        short = name.removeprefix(ZOO)
        return _open_keras(_from_zoo(short), short, element_bytes)
    path = Path(name)
    if not path.exists():
        raise FileNotFoundError(
            f"there is no such file; networks of the zoo are called {ZOO}NAME. Received: '{name}'"
        )
    if is_tflite(path):
        if element_bytes is not None:
            raise ValueError(
                "`--element-bytes` goes with a Keras model: a .tflite file has a type. "
                f"Received: --element-bytes {element_bytes} and '{name}'"
            )
        data = path.read_bytes()
        return Opened(summarize_file(data, path.stem), ".tflite", summarize(data), data=data)
    if path.suffix == ".tflite" and path.is_file():
        raise ValueError(
            "MODEL must be a .tflite file, which has 'TFL3' as its bytes 4 to 7. "
            f"Received: '{name}', {path.stat().st_size} bytes"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if path.is_dir():
        return _open_converted(path, path.name, element_bytes)
    from rnnpool_tf.conversion.source import load_keras

    return _open_keras(load_keras(path), path.stem, element_bytes)


def zoo_lines() -> list[str]:
    """A line for each network of the zoo."""
    from rnnpool_tf.models import NETWORKS

    width = max(map(len, NETWORKS)) + len(ZOO)
    return [f"{ZOO + name:<{width}}  {one.description}" for name, one in NETWORKS.items()]


def _from_zoo(name: str):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from rnnpool_tf.models import NETWORKS, build

    if name not in NETWORKS:
        raise ValueError(
            f"MODEL must be a network that `rnnpool summary {ZOO}` lists. Received: {ZOO}{name}"
        )
    return build(name)


def _open_keras(model, name: str, element_bytes: int | None) -> Opened:
    if _is_wrapped(model):
        return _open_converted(model, name, element_bytes)
    summary = summarize_model(model, element_bytes=4 if element_bytes is None else element_bytes)
    return Opened(replace(summary, name=name), "Keras", model=model)


def _open_converted(model, name: str, element_bytes: int | None) -> Opened:
    """Quantisation-aware models and SavedModels: by the .tflite file that becomes of them."""
    if element_bytes is not None:
        raise ValueError(
            "`--element-bytes` goes with a float model in a .keras or .h5 file or of the zoo. "
            f"Received: --element-bytes {element_bytes} and '{name}'"
        )
    from rnnpool_tf.conversion import convert

    return Opened(summarize_file(convert(model, fuse="none"), name), ".tflite", model=model)


def _is_wrapped(model) -> bool:
    """Whether a model is wrapped for quantisation-aware training."""
    return any(type(layer).__name__.startswith("Quantize") for layer in model.layers)

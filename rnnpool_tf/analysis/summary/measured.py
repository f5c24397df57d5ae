"""What a model takes in TensorFlow Lite Micro, measured, or why that could not be measured."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnnpool_tf.analysis.summary.opening import Opened
from rnnpool_tf.runtime.arena_probe import AbortedError

_SEED = 20241129
_PICTURES = 2


@dataclass(frozen=True)
class Arena:
    """A measurement.

    Attributes:
        bytes: The smallest arena in which the model runs; None where it does not.
        what: What was measured, or the reason why not.
    """

    bytes: int | None
    what: str


def measure_arena(opened: Opened) -> Arena:
    """Measures the smallest arena, found by trying.

    Of a .tflite file as it is; of a Keras model in the form of an int8 file with fused operators
    and a memory plan, as `rnnpool convert` writes it. A float model is quantised with random
    pictures for that: its maps, which are what takes memory, do not depend on them. Where maps of
    an untrained model hardly vary, which TensorFlow Lite Micro does not survive, BatchNormalization
    of a copy sees the pictures first.
    """
    try:
        try:
            return _measured(opened)
        except AbortedError:
            if opened.source != "Keras":
                raise
            return _measured(replace(opened, model=_adapted(opened)))
    except (ValueError, RuntimeError) as error:
        return Arena(None, f"not measured: {_one_line(error)}")


def _measured(opened: Opened) -> Arena:
    from rnnpool_tf.analysis.arena import Variant, measure

    data, what = _file(opened)
    return Arena(measure(Variant(opened.summary.name, data)).smallest, what)


def _file(opened: Opened) -> tuple[bytes, str]:
    if opened.data is not None:
        return opened.data, "this file"
    from rnnpool_tf.conversion import convert

    if opened.source != "Keras":
        try:
            return convert(opened.model, quantize=True), "converted to int8, fused and planned"
        except ValueError:  # a float SavedModel
            return _calibrated(opened.model, opened.summary.input_shapes)
    return _calibrated(opened.model, opened.summary.input_shapes)


def _calibrated(model, shapes: dict[str, tuple[int, ...]]) -> tuple[bytes, str]:
    from rnnpool_tf.conversion import convert

    pictures = _pictures(shapes)
    calibration = next(iter(pictures.values())) if len(pictures) == 1 else pictures
    data = convert(model, calibration=calibration)
    return data, "converted to int8 with random pictures, fused and planned"


def _pictures(shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(_SEED)
    return {
        name: rng.uniform(-1, 1, (_PICTURES, *shape)).astype(np.float32)
        for name, shape in shapes.items()
    }


def _adapted(opened: Opened):
    """A copy of a Keras model with the averages of random pictures in its BatchNormalizations."""
    from rnnpool_tf._keras import keras

    copy = keras.models.clone_model(opened.model)
    copy.set_weights(opened.model.get_weights())
    for layer in copy._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable, layer.momentum = True, 0.0  # the averages are those of one batch
    pictures = list(_pictures(opened.summary.input_shapes).values())
    copy(pictures if len(pictures) > 1 else pictures[0], training=True)
    return copy


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

"""What a model takes in TensorFlow Lite Micro, measured, or why that could not be measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpool_tf.analysis.summary.opening import Opened

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
    pictures for that: its maps, which are what takes memory, do not depend on them.
    """
    from rnnpool_tf.analysis.arena import Variant, measure

    try:
        data, what = _file(opened)
        measured = measure(Variant(opened.summary.name, data))
    except (ValueError, RuntimeError) as error:
        return Arena(None, f"not measured: {_one_line(error)}")
    return Arena(measured.smallest, what)


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

    rng = np.random.default_rng(_SEED)
    pictures = {
        name: rng.uniform(-1, 1, (_PICTURES, *shape)).astype(np.float32)
        for name, shape in shapes.items()
    }
    calibration = next(iter(pictures.values())) if len(pictures) == 1 else pictures
    data = convert(model, calibration=calibration)
    return data, "converted to int8 with random pictures, fused and planned"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

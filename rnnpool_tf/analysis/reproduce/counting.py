"""The networks of the tables, counted."""

from __future__ import annotations

import functools
from collections.abc import Callable

from rnnpool_tf._keras import keras
from rnnpool_tf.analysis.model_summary import ModelSummary, summarize_model
from rnnpool_tf.models import face_a, face_b, face_c, face_m4, face_quant
from rnnpool_tf.models.zoo import build

DETECTORS: dict[str, Callable] = {
    builder.__name__: builder for builder in (face_a, face_b, face_c, face_quant, face_m4)
}
_BYTES = {"face_quant": 1, "face_m4": 1, "visual_wake_words": 1}  # others are float32


@functools.lru_cache(maxsize=64)
def summary_of(name: str, arguments: tuple[tuple, ...] = ()) -> ModelSummary:
    """Builds a network and counts it.

    Args:
        name: In `rnnpool_tf.models.zoo.NETWORKS` or `DETECTORS`.
        arguments: (name, value) pairs for its builder. Visual Wake Words always has two classes.
    """
    keras.backend.clear_session()
    given = dict(arguments)
    if name.startswith("visual_wake_words"):
        given.pop("num_classes", None)
    if name in DETECTORS:
        shape = given.pop("input_shape")
        model = DETECTORS[name](shape, **given)
    else:
        model = build(name, **given)
    elements = next((size for start, size in _BYTES.items() if name.startswith(start)), 4)
    return summarize_model(model, element_bytes=elements)

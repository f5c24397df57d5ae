"""Memory plans in model files: what would lead TensorFlow Lite Micro outside of its arena."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.conversion import plan_metadata
from rnnpool_tf.conversion.flatbuffer import Graph, schema
from rnnpool_tf.conversion.model_bytes import pack
from rnnpool_tf.runtime import Runtime
from rnnpool_tf.runtime.engines import ENGINES
from tests.runtime.test_runtime import int8_model

pytestmark = pytest.mark.keras_free


def with_values(values) -> bytes:
    """The model with exactly these int32 as its plan."""
    graph = Graph.from_bytes(int8_model())
    plan_metadata.replace_offsets(graph.model, {graph.inputs[0]: 0})
    graph.model.buffers[-1].data = np.array(values, "<i4").view(np.uint8)
    return pack(graph.model)


def tensors() -> int:
    return len(Graph.from_bytes(int8_model()).tensors)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda n: [], "not for its"),
        (lambda n: [1, 1], "not for its"),
        (lambda n: [1, 1, n], "not for its"),
        (lambda n: [1, 1, n + 1] + [-1] * n, "not for its"),
        (lambda n: [1, 1, n] + [-1] * (n - 1), "not for its"),
        (lambda n: [1, 1, n] + [-16] + [-1] * (n - 1), "offset -16"),
        (lambda n: [1, 1, n] + [-1] * (n - 1) + [2**31 - 16], "offset 2147483632"),
    ],
    ids=["empty", "short", "no offsets", "other count", "one too few", "negative", "too large"],
)
def test_a_hostile_plan_is_refused(make, sentence, engine):
    with pytest.raises(ValueError, match=f"damaged: its memory plan .*{sentence}"):
        Runtime(with_values(make(tensors())), engine)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_sound_plan_is_followed(engine):
    count = tensors()
    model = Graph.from_bytes(int8_model())
    offsets = [-1] * count
    offsets[model.inputs[0]] = 4096
    planned = Runtime(with_values([1, 1, count, *offsets]), engine)
    plain = Runtime(int8_model(), engine)
    x = np.random.default_rng(4).integers(-128, 128, plain.input_details[0].shape).astype(np.int8)
    np.testing.assert_array_equal(planned.predict_quantized(x), plain.predict_quantized(x))
    if engine == "tflm":
        assert planned.arena_breakdown["head"] >= 4096 + x.nbytes


def test_other_metadata_is_nobodys_business():
    graph = Graph.from_bytes(int8_model())
    entry = schema.MetadataT()
    entry.name, entry.buffer = b"OfflineMemoryAllocations", 0
    graph.model.metadata = [entry]
    Runtime(pack(graph.model), "tflm")

"""Fused models compute the unfused model's bytes: random models, both engines."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from rnnpool_tf.conversion import Graph, fuse, fuse_model
from rnnpool_tf.runtime import Runtime
from tests.conversion.random_models import RandomModel, random_model

pytestmark = pytest.mark.keras_free

SEEDS = range(240)
ENGINES = {
    "LiteRT's reference kernels": {"engine": "litert", "reference_kernels": True},
    "TFLite Micro": {"engine": "tflm"},
}


@functools.cache
def model(seed: int) -> RandomModel:
    return random_model(seed)


@pytest.mark.parametrize("seed", SEEDS, ids="seed{}".format)
def test_fused_is_unfused(seed):
    case = model(seed)
    x = case.inputs()
    fused = fuse_model(case.data)
    for name, options in ENGINES.items():
        expected = Runtime(case.data, **options).predict_quantized(x)
        found = Runtime(fused, **options).predict_quantized(x)
        np.testing.assert_array_equal(found, expected, err_msg=f"{name}: {case.name}")


@pytest.mark.parametrize("seed", range(20), ids="seed{}".format)
def test_fused_models_with_an_open_batch(seed):
    graph = Graph.from_bytes(model(seed).data)
    for index in range(len(graph.tensors)):
        shape = graph.shape(index)
        if graph.constant(index) is None:
            graph.tensors[index].shapeSignature = np.array((-1, *shape[1:]), np.int32)
    data = graph.to_bytes()
    batch, *shape = graph.shape(graph.inputs[0])
    x = np.random.default_rng(seed).integers(-128, 128, (3 * batch, *shape)).astype(np.int8)
    expected, found = (
        Runtime(file, reference_kernels=True).predict_quantized(x)
        for file in (data, fuse_model(data))
    )
    np.testing.assert_array_equal(found, expected, err_msg=model(seed).name)


def test_the_random_models_exercise_every_pass():
    notes, blocks, pools = [], 0, 0
    for seed in SEEDS:
        case = model(seed)
        blocks, pools = blocks + case.blocks, pools + case.pools
        notes += fuse(Graph.from_bytes(case.data))
    fused = [note for note in notes if note.fused]
    by_kind = {kind: [n for n in fused if n.kind == kind] for kind in ("stem", "block", "mean")}
    assert len(by_kind["stem"]) == pools
    assert len(by_kind["block"]) == blocks
    assert len(by_kind["mean"]) >= 8
    details = [note.detail for note in fused]
    assert sum("+ sum" in detail for detail in details) >= 40
    assert sum("PAD" in detail for detail in details) >= 40

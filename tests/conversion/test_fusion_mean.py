"""MEAN over whole maps to AVERAGE_POOL_2D: both formulas, and what becomes of the operators."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from rnnpool_tf.conversion import Graph, fuse
from rnnpool_tf.conversion.flatbuffer import Quantization
from rnnpool_tf.conversion.fusion.mean import average_pool, mean
from rnnpool_tf.runtime import Runtime
from tests.conversion.helpers import names
from tests.conversion.random_models import Builder

pytestmark = pytest.mark.keras_free

ENGINES = ({"engine": "litert", "reference_kernels": True}, {"engine": "tflm"})
ENGINE_IDS = ("litert", "tflm")
SEED = 9


def maps(count: int, side: tuple[int, int]) -> np.ndarray:
    """Maps whose channels have sums all over the range; int8 [1, height, width, count]."""
    rng = np.random.default_rng(SEED)
    levels = np.linspace(-128, 127, count)
    noise = rng.integers(-12, 13, (1, *side, count))
    return np.clip(np.round(levels) + noise, -128, 127).astype(np.int8)


def model_with_mean(side, channels, quantization, output=None, keep_dimensions=False):
    build = Builder(SEED, (1, *side, channels))
    build.graph.set_quantization(build.value, quantization)
    build.mean(keep_dimensions, rescale=False)
    build.graph.set_quantization(build.value, output or quantization)
    return build


@pytest.mark.parametrize("engine", ENGINES, ids=ENGINE_IDS)
@pytest.mark.parametrize("output_scale", [0.02, 0.0035, 0.11], ids="scale{}".format)
@pytest.mark.parametrize(
    "side", [(1, 3), (2, 2), (3, 3), (7, 7), (6, 5)], ids="{0[0]}x{0[1]}".format
)
@pytest.mark.parametrize("zero_point", [-128, 0, 77], ids="zero{}".format)
def test_mean_is_that_of_the_engines(zero_point, side, output_scale, engine):
    count = side[0] * side[1]
    x = maps(600, side)
    input_, output = (
        Quantization(np.float32(0.02), zero_point),
        Quantization(np.float32(output_scale), -40),
    )
    build = model_with_mean(side, 600, input_, output)
    found = Runtime(build.finish(), **engine).predict_quantized(x)
    sums = x.astype(np.int64).sum(axis=(1, 2))
    np.testing.assert_array_equal(found, mean(sums, count, input_, output), err_msg=f"seed {SEED}")


@pytest.mark.parametrize("engine", ENGINES, ids=ENGINE_IDS)
@pytest.mark.parametrize(
    "side", [(1, 3), (2, 2), (3, 3), (7, 7), (6, 5)], ids="{0[0]}x{0[1]}".format
)
def test_average_pool_is_that_of_the_engines(side, engine):
    count = side[0] * side[1]
    x = maps(600, side)
    quantization = Quantization(np.float32(0.02), 3)
    build = Builder(SEED, (1, *side, 600))
    build.graph.set_quantization(build.value, quantization)
    options = schema.Pool2DOptionsT()
    options.filterHeight, options.filterWidth = side
    options.strideH = options.strideW = 1
    options.padding = schema.Padding.VALID
    output = build.graph.add_tensor("pooled", (1, 1, 1, 600), np.int8, quantization)
    build.append("AVERAGE_POOL_2D", [build.value], output, options, version=2)
    found = Runtime(build.finish(), **engine).predict_quantized(x)
    sums = x.astype(np.int64).sum(axis=(1, 2), keepdims=True)
    np.testing.assert_array_equal(found, average_pool(sums, count), err_msg=f"seed {SEED}")


def fused(build: Builder) -> tuple[list[str], str]:
    """Operators after fusion and the note about the mean; the results must not change."""
    data = build.finish()
    graph = Graph.from_bytes(data)
    (note,) = fuse(graph)
    assert note.kind == "mean"
    result = graph.to_bytes()
    x = np.random.default_rng(SEED).integers(-128, 128, Runtime(data).input_details[0].shape)
    for engine in ENGINES:
        expected = Runtime(data, **engine).predict_quantized(x.astype(np.int8))
        found = Runtime(result, **engine).predict_quantized(x.astype(np.int8))
        np.testing.assert_array_equal(found, expected, err_msg=f"seed {SEED}")
    return names(result), note.detail


def test_dense_layers_read_the_pooled_map_as_it_is():
    build = model_with_mean((1, 3), 5, Quantization(0.02, -128))
    build.dense(4)
    assert fused(build) == (["AVERAGE_POOL_2D", "FULLY_CONNECTED"], "AVERAGE_POOL_2D")


def test_kept_dimensions_need_no_reshape():
    build = model_with_mean((1, 3), 5, Quantization(0.02, -128), keep_dimensions=True)
    build.convolution(2)
    assert fused(build) == (["AVERAGE_POOL_2D", "CONV_2D"], "AVERAGE_POOL_2D")


def test_output_of_the_model_keeps_its_shape():
    build = model_with_mean((1, 3), 5, Quantization(0.02, -128))
    found, detail = fused(build)
    assert found == ["AVERAGE_POOL_2D", "RESHAPE"]
    assert detail == "AVERAGE_POOL_2D and a RESHAPE for what reads it"


def test_output_that_a_dense_layer_reads_as_well():
    build = model_with_mean((1, 3), 5, Quantization(0.02, -128))
    pooled = build.value
    build.dense(4)
    data = build.finish(pooled)
    graph = Graph.from_bytes(data)
    assert [note.fused for note in fuse(graph)] == [True]
    x = maps(5, (1, 3))
    for engine in ENGINES:
        expected = Runtime(data, **engine).predict_quantized(x)
        found = Runtime(graph.to_bytes(), **engine).predict_quantized(x)
        for ours, theirs in zip(found, expected, strict=True):
            np.testing.assert_array_equal(ours, theirs, err_msg=f"seed {SEED}")


def test_where_rounding_differs_the_mean_stays():
    # Sum 4 over 9 pixels: MEAN rounds 4/9 to 2/4 and that to 1, AVERAGE_POOL_2D to 0.
    build = model_with_mean((3, 3), 5, Quantization(0.02, 0))
    found, detail = fused(build)
    assert found == ["MEAN"]
    assert detail == "AVERAGE_POOL_2D would round 255 of 2296 sums differently"


def test_other_scale_is_named():
    build = model_with_mean((1, 3), 5, Quantization(0.02, 0), Quantization(0.01, 0))
    found, detail = fused(build)
    assert found == ["MEAN"]
    assert detail.endswith("; its input and output have different scales")


def test_mean_over_channels_stays():
    build = model_with_mean((1, 3), 5, Quantization(0.02, 0))
    axes = build.graph.operators[-1].inputs[1]
    build.graph.model.buffers[build.graph.tensors[axes].buffer].data = np.frombuffer(
        np.array([2, 3], np.int32).tobytes(), np.uint8
    )
    build.graph.tensors[build.value].shape = np.array([1, 1], np.int32)
    found, detail = fused(build)
    assert found == ["MEAN"]
    assert detail == "it is not over height and width"


def test_very_large_maps_stay():
    found, detail = fused(model_with_mean((70, 60), 2, Quantization(0.02, 0)))
    assert found == ["MEAN"]
    assert detail == "its map has more than 4096 pixels"

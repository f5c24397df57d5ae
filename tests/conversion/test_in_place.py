"""The builtin operator that may work in place does so in TFLite Micro without changing a byte."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf import Runtime
from rnnpool_tf.conversion.flatbuffer import Graph, Quantization, schema
from rnnpool_tf.conversion.in_place import in_place_offset

pytestmark = pytest.mark.keras_free

SEED = 20240618
HEIGHT, WIDTH, CHANNELS = 7, 5, 12
BYTES = HEIGHT * WIDTH * CHANNELS


def l2_graph(dtype=np.int8) -> Graph:
    """RELU of the input, then L2_NORMALIZATION of that, the only reader."""
    model = schema.ModelT()
    model.version, model.buffers, model.operatorCodes = 3, [schema.BufferT()], []
    subgraph = schema.SubGraphT()
    subgraph.tensors, subgraph.operators = [], []
    model.subgraphs = [subgraph]
    graph = Graph(model)
    shape, grid = (1, HEIGHT, WIDTH, CHANNELS), Quantization(0.5, 3)
    x, middle = (graph.add_tensor(name, shape, dtype, grid) for name in ("x", "middle"))
    y = graph.add_tensor("y", shape, dtype, Quantization(1 / 128, 0))
    normalise = graph.make_operator("L2_NORMALIZATION", [middle], [y], version=2)
    normalise.builtinOptionsType = schema.BuiltinOptions.L2NormOptions
    normalise.builtinOptions = schema.L2NormOptionsT()
    graph.operators.extend([graph.make_operator("RELU", [x], [middle], version=2), normalise])
    subgraph.inputs, subgraph.outputs = np.array([x]), np.array([y])
    return graph


@pytest.mark.parametrize("distance", [0, -16, -BYTES // 2 // 16 * 16], ids=str)
def test_l2_normalization_over_its_own_input(distance):
    graph = l2_graph()
    x, middle = graph.operators[0].inputs[0], graph.operators[0].outputs[0]
    y = graph.operators[1].outputs[0]
    assert distance <= in_place_offset(graph, graph.operators[1])
    apart = graph.to_bytes()
    start = 1024
    overlapped = graph.to_bytes({int(x): 2048, int(middle): start, int(y): start + distance})
    images = np.random.default_rng(SEED).integers(-128, 128, (8, HEIGHT, WIDTH, CHANNELS), np.int8)
    images[0] = 3  # nothing but zeros: no length to divide by
    expected = Runtime(apart, engine="tflm").predict_quantized(images)
    received = Runtime(overlapped, engine="tflm").predict_quantized(images)
    np.testing.assert_array_equal(received, expected, err_msg=f"seed {SEED}")
    assert len(np.unique(expected)) > 50


def test_others_must_not_overlap():
    graph = l2_graph()
    assert in_place_offset(graph, graph.operators[0]) is None
    graph = l2_graph(np.float32)
    assert in_place_offset(graph, graph.operators[1]) is None

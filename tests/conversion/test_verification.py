"""Verification: a lost, changed or malformed RNNPool operator must not pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from flatbuffers import flexbuffers

from rnnpool_tf.conversion import Graph, convert, rnnpool_op, rnnpool_operators, verify
from rnnpool_tf.conversion.int8 import GRID_TOLERANCE, weight_grid
from rnnpool_tf.conversion.rnnpool_op import read_options
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.layers import annotated
from tests.conversion.helpers import names, one_pool

pytestmark = pytest.mark.keras_free


@pytest.fixture(scope="module")
def data():
    return convert(one_pool())


@pytest.fixture
def changed(data):
    """The file as a graph to damage, its RNNPool operator and that operator's shape."""
    graph = Graph.from_bytes(data)
    (found,) = rnnpool_operators(graph)
    return graph, found.operator, found.shape


def test_the_converted_file_passes(data):
    (found,) = verify(data, [("pool", rnnpool_operators(Graph.from_bytes(data))[0].shape)], False)
    assert found.layer.startswith("pool")


def test_layers_and_conversion_agree_on_the_format():
    assert (rnnpool_op.OP_NAME, rnnpool_op.OP_VERSION) == (annotated.OP_NAME, annotated.OP_VERSION)
    assert rnnpool_op.EXTENDED_VERSION == annotated.GATES_VERSION


def test_a_missing_operator_is_an_error(changed):
    graph, _, shape = changed
    expected = [("pool", shape), ("second", replace(shape, hidden1=7))]
    with pytest.raises(ValueError, match=r"each of 2 layer calls.*'second'.*Received: 1 operators"):
        verify(graph.to_bytes(), expected, False)


def test_a_silent_expansion_is_an_error(monkeypatch):
    # Without the flag the converter expands the layer, which is what it does without a word.
    signature = annotated._signature

    def without_flag(attributes):
        return signature(attributes).replace("tfl_fusable_op", "other")

    monkeypatch.setattr(annotated, "_signature", without_flag)
    annotated._annotated.cache_clear()
    try:
        with pytest.raises(ValueError, match=r"1 layer calls: 'pool.*Received: 0 operators: none"):
            convert(one_pool())
    finally:
        annotated._annotated.cache_clear()


@pytest.mark.parametrize(
    "change",
    [
        {"pool_height": 3},
        {"stride_width": 1},
        {"padding": "same"},
        {"version": 2, "gates": "piecewise_linear"},
    ],
    ids=str,
)
def test_another_shape_is_an_error(changed, change):
    graph, operator, shape = changed
    set_options(operator, change)
    with pytest.raises(ValueError, match="Received: 1 operators"):
        verify(graph.to_bytes(), [("pool", shape)], False)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"version": 7}, "RNNPool version 7 is not supported; this package knows versions 1 to 2"),
        ({"gates": "smooth"}, "the option `gates` must be missing in version 1. Received"),
        ({"version": 2, "gates": "hard"}, "`gates` must be one of 'smooth', 'piecewise_linear'"),
        ({"pool_width": None}, "the option `pool_width` is missing"),
        ({"stride_height": 0}, "`strides` must be a positive integer"),
        ({"padding": "reflect"}, "`padding` must be one of"),
    ],
    ids=str,
)
def test_malformed_options_are_an_error(changed, change, message):
    graph, operator, _ = changed
    set_options(operator, change)
    with pytest.raises(ValueError, match=f"RNNPool operator of layer 'pool.*{message}"):
        rnnpool_operators(Graph.from_bytes(graph.to_bytes()))


def test_options_that_are_no_map_are_an_error(changed):
    graph, operator, _ = changed
    for raw in (b"", bytes(flexbuffers.Dumps([1, 2])), b"\xff\xff\xff"):
        operator.customOptions = np.frombuffer(raw, np.uint8)
        with pytest.raises(ValueError, match="its options"):
            rnnpool_operators(graph)


@pytest.mark.parametrize("shape", [(4, 5), (5, 5), (5,)], ids=str)
def test_a_wrong_weight_shape_is_an_error(changed, shape):
    graph, operator, _ = changed
    index = graph.add_constant("model/pool/w", np.zeros(shape, np.float32))
    operator.inputs = np.array([operator.inputs[0], index, *operator.inputs[2:]], np.int32)
    with pytest.raises(ValueError, match="must have shape"):
        rnnpool_operators(graph)


def test_int8_expected_but_float_found(data, changed):
    with pytest.raises(ValueError, match=r"must be int8\. Received: float32"):
        verify(data, [("pool", changed[2])], True)


def test_the_operators_survive_rewriting(changed):
    graph, operator, shape = changed
    read = Graph.from_bytes(graph.to_bytes())
    assert rnnpool_operators(read)[0].shape == shape
    assert shape.geometry == Geometry((4, 3), (3, 2), "valid")
    assert "RNNPool" in names(graph.to_bytes())
    assert set(read_options(operator)) == {
        "pool_height", "pool_width", "stride_height", "stride_width", "padding", "version",
    }  # fmt: skip


def set_options(operator, change: dict) -> None:
    options = {**read_options(operator), **change}
    options = {key: value for key, value in options.items() if value is not None}
    operator.customOptions = np.frombuffer(bytes(flexbuffers.Dumps(options)), np.uint8)


@pytest.mark.parametrize("largest", [127, 126, 90, 3, 1])
@pytest.mark.parametrize("scale", [1e-4, 0.0123, 3.7])
def test_weight_grid_finds_the_integers(largest, scale):
    rng = np.random.default_rng(largest)
    steps = rng.integers(-largest, largest + 1, (6, 7))
    steps[0, 0], steps[0, 1] = largest, max(largest - 1, 1)  # no common factor
    weights = steps.astype(np.float32) * np.float32(scale)
    found, found_scale = weight_grid(weights)
    rebuilt = found * np.float64(found_scale)
    assert np.abs(rebuilt - weights).max() <= GRID_TOLERANCE * scale, f"seed {largest}"
    known, known_scale = weight_grid(weights, [99.0, scale])
    np.testing.assert_array_equal(known, steps)
    assert known_scale == np.float32(scale)


def test_weight_grid_of_zeros():
    steps, scale = weight_grid(np.zeros((2, 3), np.float32))
    assert not steps.any() and scale == np.float32(1 / 127)


@pytest.mark.parametrize("seed", range(5))
def test_weight_grid_refuses_other_weights(seed):
    weights = np.random.default_rng(seed).normal(size=(4, 4)).astype(np.float32)
    with pytest.raises(ValueError, match=r"must lie on a symmetric int8 grid.*16 weights"):
        weight_grid(weights)

"""Fused operators in a file: what is read is what was written, and what is malformed is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from flatbuffers import flexbuffers

from rnnpool_tf.conversion import Graph, fuse, verify
from rnnpool_tf.conversion.flatbuffer import Quantization
from rnnpool_tf.conversion.fusion.fused_operators import (
    conv_rnnpools,
    in_place_offset,
    inverted_residuals,
    read_fused,
    rnnpool_layers,
)
from rnnpool_tf.conversion.fusion.operator_writing import inverted_residual_operator
from rnnpool_tf.conversion.fusion.stage import Window
from rnnpool_tf.conversion.rnnpool_op import read_options
from rnnpool_tf.geometry import Geometry
from tests.conversion.fusion_models import block, stem

pytestmark = pytest.mark.keras_free


def fused(build) -> Graph:
    graph = Graph.from_bytes(build.finish())
    assert fuse(graph)[0].fused
    return graph


def residual_block():
    build = block()
    build.convolution(4)  # a second block, whose input is its own
    x = build.value
    build.convolution(7)
    build.convolution(None, (3, 3))
    build.convolution(4)
    build.add(x)
    return build


def set_options(operator, **changes):
    options = {**read_options(operator), **changes}
    kept = {name: value for name, value in options.items() if value is not None}
    operator.customOptions = np.frombuffer(flexbuffers.Dumps(kept), np.uint8)


def test_blocks_written_again_are_the_same():
    graph = fused(residual_block())
    for found in inverted_residuals(graph):
        x, output = int(found.operator.inputs[0]), int(found.operator.outputs[0])
        again = inverted_residual_operator(graph, found, x, output)
        assert bytes(again.customOptions) == bytes(found.operator.customOptions)
        for ours, theirs in zip(again.inputs, found.operator.inputs, strict=True):
            if ours >= 0 and ours != x:
                np.testing.assert_array_equal(graph.constant(ours), graph.constant(theirs))
    first, second = inverted_residuals(graph)
    assert first.residual is None and second.residual is not None
    assert second.macs() == 9 * 8 * (7 * 4 + 9 * 7 + 7 * 4)


def test_operators_that_are_none():
    graph = Graph.from_bytes(block().finish())
    assert [read_fused(graph, operator) for operator in graph.operators] == [None] * 3
    assert [in_place_offset(graph, operator) for operator in graph.operators] == [None] * 3
    assert inverted_residuals(graph) == conv_rnnpools(graph) == []


def test_how_far_blocks_may_work_in_place():
    graph = fused(residual_block())
    first, second = inverted_residuals(graph)
    # Row r of 9 is written when r + 1 rows of 8x4 bytes are done with; the last may overlap all.
    assert first.in_place_offset() == 8 * (8 * 4) - 8 * (8 * 5)
    assert second.in_place_offset() == 0  # with the sum, pixel by pixel over itself
    assert in_place_offset(graph, second.operator) == 0
    assert replace(second, residual=None).in_place_offset() == 0
    assert replace(first, input_shape=(2, 9, 8, 4)).in_place_offset() is None


def test_how_far_a_stem_may_work_in_place():
    (found,) = conv_rnnpools(fused(stem((3, 3))))
    (convolution,) = found.convolutions
    network = replace(  # Visual Wake Words at 96x96
        found,
        input_shape=(1, 96, 96, 3),
        output_shape=(1, 12, 12, 32),
        convolutions=(replace(convolution, window=Window((3, 3), (2, 2), (0, 0), (48, 48))),),
        geometry=Geometry((6, 6), (4, 4), "replicate"),
    )
    # Row 0 needs 6 rows of the stem; the next of them begins at row 12 of the picture.
    assert network.in_place_offset() == 12 * 96 * 3 - 12 * 32
    assert replace(network, input_shape=(2, 96, 96, 3)).in_place_offset() is None


@pytest.mark.parametrize(
    "change, message",
    [
        ({"version": 2}, "version 2 is not supported; this package knows version 1"),
        ({"stride_height": None}, "the option `stride_height` must be a number. Received: None"),
        ({"filtered_min": 1.5}, "the option `filtered_min` must be an integer. Received: 1.5"),
        ({"expanded_zero_point": None}, "`expanded_zero_point` must be a number"),
        ({"residual": 1}, "`sum_min` must be a number"),
    ],
    ids=str,
)
def test_wrong_options_of_a_block(change, message):
    graph = fused(block())
    set_options(graph.operators[0], **change)
    with pytest.raises(ValueError) as error:
        inverted_residuals(graph)
    assert str(error.value).startswith("InvertedResidual operator 'y': ")
    assert message in str(error.value)


def other_weights(graph, operator, position, value):
    inputs = [int(index) for index in operator.inputs]
    inputs[position] = graph.add_constant("other", value)
    operator.inputs = np.array(inputs, np.int32)


@pytest.mark.parametrize(
    "position, value, message",
    [
        (1, np.ones((6, 5), np.int8), "must take the 4 channels"),
        (3, np.ones((3, 3, 7), np.int8), "`parameters` must be int32 with shape (3, 7)"),
        (3, np.ones((3, 6), np.int8), "weights must have 3 dimensions"),
        (5, np.ones((5, 6), np.int16), "`weights` must be int8"),
        (6, np.ones((3, 5), np.int8), "`parameters` must be int32"),
    ],
)
def test_wrong_constants_of_a_block(position, value, message):
    graph = fused(block())
    other_weights(graph, graph.operators[0], position, value)
    with pytest.raises(ValueError) as error:
        inverted_residuals(graph)
    assert message in str(error.value)


def test_a_block_with_another_output():
    graph = fused(block())
    output = int(graph.operators[0].outputs[0])
    graph.tensors[output].shape = np.array([1, 9, 8, 6], np.int32)
    with pytest.raises(ValueError, match=r"the output must have 5 channels\. Received: 6"):
        inverted_residuals(graph)


def test_a_block_whose_input_has_no_scale():
    graph = fused(block())
    graph.tensors[int(graph.operators[0].inputs[0])].quantization = None
    with pytest.raises(
        ValueError, match=r"must be int8 with one scale and zero point\. Received: 'x'"
    ):
        inverted_residuals(graph)


def test_a_block_with_too_few_inputs():
    graph = fused(block())
    graph.operators[0].inputs = graph.operators[0].inputs[:5]
    with pytest.raises(ValueError, match=r"7 inputs\. Received: 5"):
        inverted_residuals(graph)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"version": 3}, "version 3 is not supported"),
        ({"convolutions": 2}, "Received: 2 convolutions, 11 inputs"),
        ({"convolutions": 5}, "Received: 5 convolutions"),
        ({"conv0_pad_left": None}, "`conv0_pad_left` must be a number"),
        ({"pool_scale": None}, "`pool_scale` must be a number"),
        ({"pool_scale": 300.0}, "Received"),
        ({"pool_height": None}, "`pool_height` is missing"),
    ],
    ids=str,
)
def test_wrong_options_of_a_stem(change, message):
    graph = fused(stem((3, 3)))
    set_options(graph.operators[0], **change)
    with pytest.raises(ValueError) as error:
        conv_rnnpools(graph)
    assert str(error.value).startswith("ConvRNNPool operator 'map': ")
    assert message in str(error.value)


def test_a_stem_with_another_output_grid():
    graph = fused(stem((3, 3)))
    graph.set_quantization(int(graph.operators[0].outputs[0]), Quantization(1 / 64, 0))
    with pytest.raises(ValueError, match="scale 1/128"):
        conv_rnnpools(graph)


def test_verification_knows_fused_layers():
    graph = fused(stem((3, 3)))
    (layer,) = rnnpool_layers(graph)
    data = graph.to_bytes()
    assert [found.shape for found in verify(data, [("pool", layer.shape)], True)] == [layer.shape]
    with pytest.raises(ValueError, match="each of 2 layer calls"):
        verify(data, [("pool", layer.shape)] * 2, True)
    with pytest.raises(ValueError, match="must be float32"):
        verify(data, [("pool", layer.shape)], False)


def test_verification_reads_fused_blocks():
    graph = fused(block())
    set_options(graph.operators[0], version=9)
    with pytest.raises(ValueError, match="version 9"):
        verify(graph.to_bytes(), [], True)

"""Convolutions with RNNPool: what is fused, what is not and why; choice of passes; reading back."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.conversion import Graph, fuse_model
from rnnpool_tf.conversion.fusion.fused_operators import conv_rnnpools, inverted_residuals
from rnnpool_tf.conversion.rnnpool_op import read_options
from rnnpool_tf.gates import PIECEWISE_LINEAR
from tests.conversion.fusion_models import BLOCK, block, check, stem
from tests.conversion.helpers import names

pytestmark = pytest.mark.keras_free


def test_stem():
    build = stem((3, 3), (5, 5), strides=(2, 2))
    data = build.finish()
    found, (note,) = check(data)
    assert found == ["ConvRNNPool"]
    assert note.detail == "3x3 stride 2 -> 5x5 stride 2 -> RNNPool"


def test_stem_with_piecewise_linear_gates():
    data = stem((3, 3), strides=(2, 2), gates=PIECEWISE_LINEAR).finish()
    found, (note,) = check(data)
    assert found == ["ConvRNNPool"] and note.fused
    (fused,) = conv_rnnpools(Graph.from_bytes(fuse_model(data)))
    assert fused.cell1.gates == fused.cell2.gates == PIECEWISE_LINEAR
    options = read_options(fused.operator)
    assert (options["version"], options["gates"]) == (2, PIECEWISE_LINEAR)


def test_stem_with_smooth_gates_is_written_as_version_1():
    (fused,) = conv_rnnpools(Graph.from_bytes(fuse_model(stem((3, 3)).finish())))
    options = read_options(fused.operator)
    assert options["version"] == 1 and "gates" not in options


def test_at_most_four_convolutions():
    found, (note,) = check(stem(*[(2, 2)] * 5).finish())
    assert found == ["CONV_2D", "ConvRNNPool"]
    assert note.detail.endswith("; 4 convolutions are the most")


def test_convolution_with_a_large_kernel_stays_in_front_of_the_rest():
    found, (note,) = check(stem((12, 3), (3, 3)).finish())
    assert found == ["CONV_2D", "ConvRNNPool"]
    assert note.detail.endswith(
        "; the convolution in front of it stays: its kernel 12x3 is larger than 11x11"
    )


def test_pool_on_the_image_stays():
    found, (note,) = check(stem().finish())
    assert found == ["RNNPool"]
    assert str(note) == (
        f"not fused stem '{note.name}': the model's input is in front of it, not a convolution"
    )


def test_map_with_another_reader_stays():
    build = stem((3, 3))
    map_ = int(build.graph.operators[0].outputs[0])
    found, (note,) = check(build.finish(map_))
    assert found == ["CONV_2D", "RNNPool"]
    assert note.detail == ("the convolution in front of it stays: 'y' is an output of the model")


def test_image_with_another_reader():
    build = stem((3, 3))
    pooled = build.value
    build.value = build.graph.inputs[0]
    build.convolution(2)
    found, _ = check(build.finish(pooled))
    assert found == ["ConvRNNPool", "CONV_2D"]


def test_stem_keeps_a_pad_that_does_not_fit():
    found, (note,) = check(stem((2, 2), padding=((2, 2), (2, 2))).finish())
    assert found == ["PAD", "ConvRNNPool"]
    assert "the PAD in front of it stays: some of its windows lie in the padding" in note.detail


@pytest.mark.parametrize(
    "what, expected",
    [
        ("none", ["CONV_2D", "RNNPool", *BLOCK, "MEAN"]),
        ("stem", ["ConvRNNPool", *BLOCK, "MEAN"]),
        ("blocks", ["CONV_2D", "RNNPool", "InvertedResidual", "MEAN"]),
        ("all", ["ConvRNNPool", "InvertedResidual", "AVERAGE_POOL_2D", "RESHAPE"]),
    ],
)
def test_choice_of_passes(what, expected):
    build = stem((3, 3), strides=(2, 2))
    build.convolution(6)
    height, width = build.shape[1:3]
    build.convolution(None, (height, width - 2), padding="VALID")  # leaves 1x3 pixels
    build.convolution(3)
    build.mean(keep_dimensions=False, rescale=False)
    data = build.finish()
    found = fuse_model(data, what, plan="greedy")
    assert names(found) == expected
    assert (found is data) == (what == "none")


def test_unknown_choice():
    with pytest.raises(ValueError, match="`fuse` must be one of 'none', 'stem', 'blocks', 'all'"):
        fuse_model(block().finish(), "some")
    with pytest.raises(ValueError, match=r"`data` must be the bytes.*'net.tflite'"):
        fuse_model("net.tflite")
    with pytest.raises(ValueError, match="`plan` must be one of"):
        fuse_model(block().finish(), plan="some")


def test_everything_is_fused_at_once_or_twice():
    data = block().finish()
    assert fuse_model(fuse_model(data)) == fuse_model(data)


def test_constants_share_buffers_and_scales_are_gone():
    """Weights stand in the fused file once, without scales per channel."""
    data = block().finish()
    (found,) = inverted_residuals(Graph.from_bytes(fuse_model(data)))
    graph = Graph.from_bytes(data)
    for stage, original in zip(
        (found.expand, found.depthwise, found.project), graph.operators, strict=True
    ):
        weights = graph.constant(int(original.inputs[1]))
        np.testing.assert_array_equal(stage.weights.ravel(), weights.ravel())
    assert len(fuse_model(data)) < len(data)


def test_what_is_read_back_is_what_was_fused():
    build = stem((3, 3), (5, 4), strides=(2, 1), padding=((1, 1), (1, 2)))
    original = Graph.from_bytes(build.finish())
    (found,) = conv_rnnpools(Graph.from_bytes(fuse_model(build.finish())))
    first, second = found.convolutions
    assert (first.window.kernel, first.window.strides) == ((3, 3), (2, 1))
    assert (second.window.kernel, second.window.pads) == ((5, 4), (1, 1))
    assert found.input_shape == (1, 16, 15, 3)
    assert found.pool_shape == original.shape(int(original.operators[-1].inputs[0]))[1:]
    assert found.pool_input == original.quantization(int(original.operators[-1].inputs[0]))
    macs = sum(
        original.constant(int(op.inputs[1])).size * np.prod(original.shape(int(op.outputs[0]))[1:3])
        for op in original.operators
        if original.name_of(op) == "CONV_2D"
    )
    assert found.macs() == macs

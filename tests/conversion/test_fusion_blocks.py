"""Blocks: what is fused, what is not and why, and that results never change."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from rnnpool_tf.conversion import Graph
from rnnpool_tf.conversion.flatbuffer import Quantization
from tests.conversion.fusion_models import BLOCK, SEED, block, check
from tests.conversion.random_models import Builder

pytestmark = pytest.mark.keras_free


def operator(build: Builder, name: str, index: int = 0) -> schema.OperatorT:
    found = [op for op in build.graph.operators if build.graph.name_of(op) == name]
    return found[index]


def depthwise(build: Builder) -> schema.OperatorT:
    return operator(build, "DEPTHWISE_CONV_2D")


def test_block():
    found, (note,) = check(block().finish())
    assert found == ["InvertedResidual"]
    assert str(note) == "fused block 'y': 1x1 -> depthwise 3x3 stride 1 -> 1x1"


# Models whose depthwise convolution must stay: how to make one of `block()`, and the reason.
# Fields that no kernel here runs are marked, the others run.
def dilated(build):
    depthwise(build).builtinOptions.dilationHFactor = 2
    return False  # the shapes no longer fit


def twice_as_deep(build):
    depthwise(build).builtinOptions.depthMultiplier = 2
    return False


def activated(build):
    depthwise(build).builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.TANH
    return False


def huge_bias(build):
    expanded = int(depthwise(build).inputs[0])
    build.graph.set_quantization(expanded, Quantization(0.1, 0))
    constant = build.graph.add_constant("bias", np.full(6, 2**31 - 1, np.int32))
    depthwise(build).inputs = np.array([*depthwise(build).inputs[:2], constant], np.int32)
    return True


def float_bias(build):
    constant = build.graph.add_constant("bias", np.zeros(6, np.float32))
    depthwise(build).inputs = np.array([*depthwise(build).inputs[:2], constant], np.int32)
    return False


def fed_weights(build):
    weights = int(depthwise(build).inputs[1])
    build.graph.tensors[weights].buffer = 0
    build.graph.subgraph.inputs = np.array([*build.graph.inputs, weights], np.int32)
    return False


def shifted_weights(build):
    parameters = build.graph.tensors[int(depthwise(build).inputs[1])].quantization
    parameters.zeroPoint = np.ones(len(parameters.scale), np.int64)
    return False


def unscaled_weights(build):
    build.graph.tensors[int(depthwise(build).inputs[1])].quantization = None
    return False


def float_output(build):
    build.graph.tensors[int(depthwise(build).outputs[0])].type = schema.TensorType.FLOAT32
    return False


def other_size(build):
    depthwise(build).builtinOptions.padding = schema.Padding.VALID
    return False


def open_size(build):
    tensor = build.graph.tensors[int(depthwise(build).inputs[0])]
    tensor.shapeSignature = np.array([1, -1, 8, 6], np.int32)
    return False


REASONS = {
    dilated: "it is dilated",
    twice_as_deep: "its depth multiplier is not 1",
    activated: "its activation function (number 4) is none of the fused ones",
    huge_bias: "may exceed 32 bits",
    float_bias: "its bias is not int32",
    fed_weights: "its weights are not constant",
    shifted_weights: "its weights have a zero point",
    unscaled_weights: "its weights have no scale",
    float_output: "'y' is not int8",
    other_size: "its output has another size than its padding and strides give",
    open_size: "the size of 'y' is open",
}


@pytest.mark.parametrize("change", REASONS, ids=lambda change: change.__name__)
def test_depthwise_convolution_that_stays(change):
    build = block()
    runs = change(build)
    found, (note,) = check(build.finish(), runs=runs)
    assert found == BLOCK
    assert not note.fused and note.kind == "block" and REASONS[change] in note.detail


def test_large_kernel_stays():
    found, (note,) = check(block(kernel=(8, 1)).finish())
    assert found == BLOCK
    assert note.detail == "its kernel 8x1 is larger than 7x7"


def test_tensors_that_the_model_gives_out_stay():
    for position, expected, reason in (
        (
            0,
            [*BLOCK[:1], "InvertedResidual"],
            "the 1x1 convolution in front stays: 'y' is an output",
        ),
        (1, BLOCK, "'y' is an output of the model"),
        (2, ["InvertedResidual"], "1x1 -> depthwise"),
    ):
        build = block()
        tensor = int(build.graph.operators[position].outputs[0])
        found, (note,) = check(build.finish(tensor) if position < 2 else build.finish())
        assert found == expected
        assert reason in note.detail


def test_expansion_with_another_reader_stays_outside():
    build = Builder(SEED, (1, 9, 8, 4))
    build.convolution(6)
    expanded = build.value
    build.convolution(None, (3, 3))
    build.convolution(6)
    build.add(expanded)
    found, (note,) = check(build.finish())
    # What is left is a block without expansion whose input is added.
    assert found == ["CONV_2D", "InvertedResidual"]
    assert "+ sum; the 1x1 convolution in front stays: 'y' is read by 2 operators" in note.detail


def test_filtered_map_with_two_readers_stays():
    build = Builder(SEED, (1, 9, 8, 4))
    build.convolution(None, (3, 3))
    filtered = build.value
    build.convolution(4)
    build.add(filtered)
    found, (note,) = check(build.finish())
    assert found == ["DEPTHWISE_CONV_2D", "CONV_2D", "ADD"]
    assert note.detail == "'y' is read by 2 operators"


def test_what_follows_must_be_pointwise():
    build = Builder(SEED, (1, 9, 8, 4))
    build.convolution(None, (3, 3))
    build.convolution(5, (3, 3))
    assert check(build.finish())[1][0].detail == (
        "the convolution behind it is not 1x1 with stride 1"
    )
    build = Builder(SEED, (1, 9, 8, 4))
    build.convolution(None, (3, 3))
    build.convolution(5, strides=(2, 2))
    assert not check(build.finish())[1][0].fused
    build = Builder(SEED, (1, 9, 8, 4))
    build.convolution(None, (3, 3))
    build.mean(keep_dimensions=True, rescale=False)
    note, _ = check(build.finish())[1]
    assert note.detail == "MEAN follows it, not a 1x1 convolution"


def test_sum_with_something_else_stays():
    build = Builder(SEED, (1, 9, 8, 4))
    build.convolution(5)
    first = build.value
    build.convolution(4)
    build.convolution(7)
    build.convolution(None, (3, 3))
    build.convolution(5)
    build.add(first)
    found, (note,) = check(build.finish())
    assert found == ["CONV_2D", "CONV_2D", "InvertedResidual", "ADD"]
    assert "sum" not in note.detail


def test_sum_that_broadcasts_stays():
    build = Builder(SEED, (1, 1, 1, 4))
    x = build.value
    build.convolution(None, (3, 3), padding=((2, 2), (2, 2)))
    build.convolution(4)
    build.add(x)
    found, _ = check(build.finish())
    assert found == ["InvertedResidual", "ADD"]


def test_projection_that_is_added_and_given_out():
    build = Builder(SEED, (1, 9, 8, 4))
    x = build.value
    build.convolution(7)
    build.convolution(None, (3, 3))
    build.convolution(4)
    projected = build.value
    build.add(x)
    found, _ = check(build.finish(projected))
    assert found == ["InvertedResidual", "ADD"]


@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (1, 3)], ids=str)
def test_pad_becomes_part_of_the_block(strides):
    build = block(padding=((1, 1), (1, 1)), strides=strides)
    found, (note,) = check(build.finish())
    assert found == ["InvertedResidual"]
    assert note.detail.endswith(", with its PAD")


def change_scale(build, pad):
    padded = int(pad.outputs[0])
    build.graph.set_quantization(padded, build.graph.quantization(padded)._replace(scale=0.7))


def pad_channels(build, pad):
    amounts = build.graph.constant(int(pad.inputs[1])).copy()
    amounts[3] = (0, 2)
    pad.inputs = np.array([pad.inputs[0], build.graph.add_constant("pads", amounts)], np.int32)


def feed_amounts(build, pad):
    build.graph.tensors[int(pad.inputs[1])].buffer = 0


def give_out(build, pad):
    build.graph.subgraph.outputs = np.array([int(pad.outputs[0]), build.value], np.int32)


def pad_with(value):
    def change(build, pad):
        quantization = build.graph.quantization(int(pad.outputs[0]))
        filling = np.array([quantization.zero_point + value], np.int8)
        constant = build.graph.add_constant("value", filling, quantization)
        pad.inputs = np.array([*pad.inputs, constant], np.int32)
        pad.opcodeIndex = build.graph.make_operator("PADV2", [], [], 2).opcodeIndex
        pad.builtinOptionsType = schema.BuiltinOptions.PadV2Options
        pad.builtinOptions = schema.PadV2OptionsT()

    return change


@pytest.mark.parametrize(
    "change, reason, runs",
    [
        (change_scale, "it changes the scale", True),
        (pad_channels, "it pads the batch or the channels", False),
        (feed_amounts, "its amounts are not constant", False),
        (pad_with(-1), "its value is not the zero point", True),
        (give_out, "is an output of the model", True),
    ],
    ids=["scale", "channels", "amounts", "value", "output"],
)
def test_pad_that_stays(change, reason, runs):
    build = block(padding=((1, 1), (1, 1)), strides=(2, 2), activation="NONE")
    data = build.finish()
    build.graph = Graph.from_bytes(data)
    build.value = build.graph.outputs[0]
    change(build, operator(build, "PAD"))
    graph = build.graph
    found, (note,) = check(graph.to_bytes(), runs=runs)
    assert found[:2] == ["CONV_2D", found[1]] and found[1].startswith("PAD")
    assert found[2:] == ["InvertedResidual"]
    assert "its PAD stays: " in note.detail and reason in note.detail


def test_pad_with_the_zero_point_as_value_is_absorbed():
    build = block(padding=((1, 1), (1, 1)), strides=(2, 2))
    build.graph.subgraph.outputs = np.array([build.value], np.int32)
    pad_with(0)(build, operator(build, "PAD"))
    assert check(build.finish())[0] == ["InvertedResidual"]


def test_pad_larger_than_the_kernel_stays():
    found, (note,) = check(block(padding=((3, 3), (1, 1))).finish())
    assert found == ["CONV_2D", "PAD", "InvertedResidual"]
    assert note.detail.endswith(
        "its PAD stays: some of its windows lie in the padding alone (padding 3x1)"
    )

"""Every model the fused operators must refuse, in both engines: a sentence, never a crash."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from flatbuffers import flexbuffers

from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.runtime import Runtime, library_path
from rnnpool_tf.runtime.engines import ENGINES, start
from rnnpool_tf.runtime.model_file import read_model
from tests.kernels.block_cases import ordinary_case
from tests.kernels.conv_pool_cases import random_conv_pool
from tests.kernels.fused_core import plan_block
from tests.runtime.fused_models import block_node, conv_pool_node, conv_pool_options
from tests.runtime.models import Node, Tensor, build, constant
from tests.runtime.test_refusals import remove, with_input

pytestmark = pytest.mark.keras_free

SHAPE = (7, 9, 4)  # expanded to 6 channels
WORKSPACE = plan_block(ordinary_case(0, SHAPE, 6, 4, (1, 1), True).block())[0]


def block(adds: bool = True, workspace: int | None = None, **options) -> Node:
    """A sound block with changed options."""
    case = ordinary_case(0, SHAPE, 6, 4, (1, 1), adds)
    return block_node(case, workspace=workspace, **options)


def unexpanded() -> Node:
    """A block that filters x itself; its depthwise convolution has x's four channels."""
    case = ordinary_case(0, SHAPE, 4, 4, (1, 1), False)
    return block_node(case).without("expand_weights").without("expand_params")


def pool(**options) -> Node:
    """Sound convolutions, conv 3x1 from 1 to 8 channels and depthwise 3x3, with RNNPool."""
    return conv_pool_node(random_conv_pool(4), **options)


def resized(node: Node, tensor: str, shape: tuple[int, ...]) -> Node:
    """The node with a constant of another shape."""
    dtype = node.tensors[tensor].dtype
    return node.change(tensor, shape=shape, data=np.ones(shape, dtype))


def set_params(node: Node, tensor: str, row: int, value: int) -> Node:
    """The node with one parameter, that of a stage's second channel, changed."""
    params = node.tensors[tensor].data.copy()
    params[row, 1] = value
    return node.change(tensor, data=params)


def double_option(key: str, value: float) -> bytes:
    """Options of `pool` with a number in 8 bytes."""
    options = {k: v for k, v in conv_pool_options(random_conv_pool(4)).items() if k != key}
    builder = flexbuffers.Builder()
    with builder.Map():
        for name, number in options.items():
            builder.Key(name)
            builder.Add(number)
        builder.Key(key)
        builder.Float(value, 8)
    return bytes(builder.Finish())


BLOCKS = {
    # counts
    "six-inputs": (lambda: remove(block(), "project_params"), "7 inputs.*Received: 6"),
    "nine-inputs": (
        lambda: with_input(block(workspace=WORKSPACE), "more", Tensor((1,), np.int8)),
        "7 inputs, or 8 with a workspace. Received: 9",
    ),
    "absent-depthwise": (
        lambda: block().without("depthwise_weights"),
        "depthwise weights is missing",
    ),
    "absent-params": (
        lambda: block().without("project_params"),
        "projection parameters is missing",
    ),
    "half-an-expansion": (
        lambda: block().without("expand_params"),
        "both expansion weights and parameters, or none",
    ),
    # options
    "no-options": (lambda: replace(block(), options=b""), "options are not a map"),
    "garbage-options": (lambda: replace(block(), options=b"\xff" * 60), "not a map|damaged"),
    "cut-options": (lambda: replace(block(), options=block().options[:-7]), "not a map|damaged"),
    "version-2": (
        lambda: block(version=2),
        "InvertedResidual version 2 is not supported; this build knows version 1",
    ),
    "no-version": (lambda: block(version=None), "`version` is missing"),
    "no-stride": (lambda: block(stride_width=None), "`stride_width` is missing"),
    "stride-0": (lambda: block(stride_height=0), r"`stride_height` must be in 1\.\..*=0"),
    "stride-40000": (lambda: block(stride_height=40000), "Received: stride_height=40000"),
    "text-stride": (lambda: block(stride_height="1"), "`stride_height` must be an integer"),
    "float-pad": (lambda: block(pad_top=1.0), "`pad_top` must be an integer"),
    "negative-pad": (lambda: block(pad_left=-1), "`pad_left` must be in 0..6"),
    "pad-of-a-kernel": (
        lambda: block(adds=False, pad_top=3).change("output", shape=(1, 8, 9, 4)),
        "padding less than the kernel",
    ),
    "residual-2": (lambda: block(residual=2), r"`residual` must be in 0\.\.1"),
    "no-expanded-min": (lambda: block(expanded_min=None), "`expanded_min` is missing"),
    "no-filtered-max": (lambda: block(filtered_max=None), "`filtered_max` is missing"),
    "zero-point-128": (
        lambda: block(projected_zero_point=128),
        "`projected_zero_point` must be in -128..127",
    ),
    "min-above-max": (lambda: block(filtered_min=5, filtered_max=4), "[Rr]ange|min"),
    "no-sum-shift": (lambda: block(sum_shift=None), "`sum_shift` is missing"),
    "sum-shift-31": (lambda: block(sum_shift=31), "`sum_shift` must be in -31..30"),
    "sum-shift-1": (
        lambda: block(sum_shift=1),
        "InvertedResidual: A sum's multipliers .* its shifts",
    ),
    "small-multiplier": (
        lambda: block(input_multiplier=5),
        "InvertedResidual: A sum's multipliers .* its shifts",
    ),
    "negative-multiplier": (
        lambda: block(projected_multiplier=-(2**30)),
        "`projected_multiplier` must be at least 0",
    ),
    "huge-multiplier": (lambda: block(input_multiplier=2**31), "Received: input_multiplier=2147"),
    # input and output
    "float-input": (
        lambda: block().change("input", dtype=np.float32, scales=(), zero_points=()),
        r"input must be int8\. ?Received: float32",
    ),
    "uint8-input": (lambda: block().change("input", dtype=np.uint8), "input must be int8"),
    "rank-3-input": (
        lambda: block().change("input", shape=SHAPE),
        "input must have rank 4. Received: rank 3",
    ),
    "unquantised-input": (
        lambda: block().change("input", scales=(), zero_points=()),
        "input must have 1 scale and 1 zero point",
    ),
    "input-zero-point": (lambda: block().change("input", zero_points=(128,)), "Received: 128"),
    "int16-output": (lambda: block().change("output", dtype=np.int16), "output must be int8"),
    "rank-2-output": (lambda: block().change("output", shape=(1, 4)), "output must have rank 4"),
    "unquantised-output": (
        lambda: block().change("output", scales=(), zero_points=()),
        "output must have 1 scale and 1 zero point",
    ),
    "output-zero-point": (
        lambda: block(adds=False).change("output", zero_points=(126,)),
        "must have the projection's zero point -?[0-9]+. Received: 126",
    ),
    "output-channels": (
        lambda: block().change("output", shape=(1, 7, 9, 5)),
        "output must have size 4 in dimension 3. Received: size 5",
    ),
    "output-too-low": (
        lambda: block(adds=False).change("output", shape=(1, 5, 9, 4)),
        "output must have size 6 or more in dimension 1. Received: size 5",
    ),
    "output-too-high": (
        lambda: block(adds=False).change("output", shape=(1, 9, 9, 4)),
        "every window must begin inside the map",
    ),
    "residual-of-another-shape": (
        lambda: block().change("output", shape=(1, 6, 9, 4)),
        "residual needs .* an output of the input's shape",
    ),
    # weights and parameters
    "expand-channels": (
        lambda: resized(block(), "expand_weights", (6, 3)),
        "expansion weights must have size 4 in dimension 1. Received: size 3",
    ),
    "expand-rank": (
        lambda: resized(block(), "expand_weights", (6, 1, 1, 4)),
        "expansion weights must have rank 2. Received: rank 4",
    ),
    "depthwise-channels": (
        lambda: resized(block(), "depthwise_weights", (3, 3, 5)),
        "depthwise weights must have size 6 in dimension 2. Received: size 5",
    ),
    "depthwise-rank": (
        lambda: resized(block(), "depthwise_weights", (1, 3, 3, 6)),
        "depthwise weights must have rank 3",
    ),
    "kernel-8": (
        lambda: resized(unexpanded(), "depthwise_weights", (8, 3, 4)),
        r"kernel's height and width must be in 1\.\.7",
    ),
    "project-channels": (
        lambda: resized(block(), "project_weights", (4, 5)),
        "projection weights must have size 6 in dimension 1",
    ),
    "two-rows": (
        lambda: resized(block(), "expand_params", (2, 6)),
        "expansion parameters must have size 3 in dimension 0. Received: size 2",
    ),
    "params-of-five": (
        lambda: resized(block(), "depthwise_params", (3, 5)),
        "depthwise parameters must have size 6 in dimension 1",
    ),
    "float-weights": (
        lambda: block().change(
            "project_weights", dtype=np.float32, data=np.zeros((4, 6), np.float32)
        ),
        "projection weights must be int8.*float32",
    ),
    "int64-params": (
        lambda: block().change("project_params", dtype=np.int64, data=np.zeros((3, 4), np.int64)),
        "projection parameters must be int32",
    ),
    "variable-weights": (
        lambda: block().change("depthwise_weights", data=None),
        "depthwise weights must be a constant",
    ),
    "variable-params": (
        lambda: block().change("expand_params", data=None),
        "expansion parameters must be a constant",
    ),
    "weights-zero-point": (
        lambda: block().change("project_weights", scales=(0.1,), zero_points=(3,)),
        "projection weights must have zero point 0. Received: 3",
    ),
    "multiplier-1": (lambda: set_params(block(), "expand_params", 1, 1), "multiplier"),
    "multiplier-negative": (
        lambda: set_params(block(), "depthwise_params", 1, -(2**31)),
        "multiplier",
    ),
    "shift-31": (lambda: set_params(block(), "project_params", 2, 31), "shift"),
    "shift-minus-32": (lambda: set_params(block(), "project_params", 2, -32), "shift"),
    "shift-far-away": (lambda: set_params(block(), "expand_params", 2, -(2**31)), "shift"),
    "bias-overflows": (
        lambda: set_params(block(), "expand_params", 0, 2**31 - 1),
        "overflow",
    ),
    "bias-most-negative": (
        lambda: set_params(block(), "depthwise_params", 0, -(2**31)),
        "overflow",
    ),
    # workspace
    "float-workspace": (
        lambda: block(workspace=WORKSPACE).change("workspace", dtype=np.float32),
        "workspace must be int8",
    ),
    "constant-workspace": (
        lambda: block(workspace=WORKSPACE).change("workspace", data=np.zeros(WORKSPACE, np.int8)),
        "workspace must not be a constant",
    ),
    "small-workspace": (
        lambda: block(workspace=WORKSPACE - 1),
        f"workspace must have at least {WORKSPACE} bytes. Received: {WORKSPACE - 1}",
    ),
}
POOLS = {
    # counts
    "one-input-fewer": (
        lambda: remove(pool(), "update_bias2"),
        "with 2 convolutions must have 13 inputs. Received: 12",
    ),
    "three-convolutions": (
        lambda: pool(convolutions=1),
        "with 1 convolutions must have 11 inputs. Received: 13",
    ),
    "absent-weights": (
        lambda: pool().without("conv1_weights"),
        "conv1 weights is missing",
    ),
    "absent-params": (lambda: pool().without("conv0_params"), "conv0 parameters is missing"),
    "absent-bias": (lambda: pool().without("gate_bias1"), "gate bias 1 is missing"),
    # options
    "no-options": (lambda: replace(pool(), options=b""), "options are not a map"),
    "garbage-options": (lambda: replace(pool(), options=b"\xff" * 60), "not a map|damaged"),
    "cut-options": (lambda: replace(pool(), options=pool().options[:-7]), "not a map|damaged"),
    "version-2": (
        lambda: pool(version=2),
        "ConvRNNPool version 2 is not supported; this build knows version 1",
    ),
    "no-convolutions": (lambda: pool(convolutions=0), r"`convolutions` must be in 1\.\.4"),
    "five-convolutions": (lambda: pool(convolutions=5), "Received: convolutions=5"),
    "no-stride": (lambda: pool(conv1_stride_width=None), "`conv1_stride_width` is missing"),
    "stride-0": (lambda: pool(conv0_stride_height=0), "Received: conv0_stride_height=0"),
    "huge-stride": (
        lambda: pool(conv0_stride_height=2**31 - 1),
        r"strides must be in 1\.\.32767",
    ),
    "pad-11": (lambda: pool(conv1_pad_top=11), r"`conv1_pad_top` must be in 0\.\.10"),
    "no-rows": (lambda: pool(conv1_out_height=0), "`conv1_out_height` must be at least 1"),
    "too-few-rows": (
        lambda: pool(conv0_out_height=2),
        "conv0 output must have size 4 or more in dimension 1. Received: size 2",
    ),
    "too-many-rows": (
        lambda: pool(conv1_out_height=40000),
        # TFLite Micro's output has a shape of its own, which is found wrong first.
        r"sizes and strides .* 1\.\.32767|output must have size 13333",
    ),
    "zero-point-200": (lambda: pool(conv0_zero_point=200), "Received: conv0_zero_point=200"),
    "no-min": (lambda: pool(conv1_min=None), "`conv1_min` is missing"),
    "min-above-max": (lambda: pool(conv1_min=5, conv1_max=4), "[Rr]ange|min"),
    "no-scale": (lambda: pool(pool_scale=None), "`pool_scale` is missing"),
    "integer-scale": (lambda: pool(pool_scale=1), "`pool_scale` must be a floating-point number"),
    "nan-scale": (lambda: pool(pool_scale=float("nan")), "`pool_scale` must be a finite number"),
    "infinite-scale": (lambda: pool(pool_scale=float("inf")), "must be a finite number"),
    "scale-beyond-float32": (
        lambda: replace(pool(), options=double_option("pool_scale", 1e300)),
        "must be a finite number",
    ),
    "zero-scale": (lambda: pool(pool_scale=0.0), "ConvRNNPool: .*[Ss]cale"),
    "huge-scale": (lambda: pool(pool_scale=256.0), "ConvRNNPool: .*[Ss]cale"),
    "no-pool-height": (lambda: pool(pool_height=None), "`pool_height` is missing"),
    "unknown-padding": (lambda: pool(padding="full"), "`padding` must be"),
    "patch-too-large": (lambda: pool(pool_width=99), "larger than the map"),
    # input and output
    "int16-input": (lambda: pool().change("input", dtype=np.int16), "input must be int8"),
    "rank-5-input": (
        lambda: pool().change("input", shape=(1, 1, 10, 20, 1)),
        "input must have rank 4",
    ),
    "input-channels": (
        lambda: pool().change("input", shape=(1, 10, 20, 2)),
        "conv0 weights must have size 2 in dimension 3. Received: size 1",
    ),
    "input-zero-point": (lambda: pool().change("input", zero_points=(-129,)), "Received: -129"),
    "output-scale": (
        lambda: pool().change("output", scales=(1 / 64,)),
        "must have the scale 1/128",
    ),
    "output-type": (lambda: pool().change("output", dtype=np.int16), "output must be int8"),
    # weights
    "weights-rank-2": (
        lambda: resized(pool(), "conv0_weights", (8, 3)),
        "conv0 weights must have rank 4, or 3 if depthwise. Received: rank 2",
    ),
    "weights-empty": (
        lambda: pool().change("conv0_weights", shape=(0, 3, 1, 1), data=None),
        "conv0 weights must not be empty",
    ),
    "kernel-12": (
        lambda: resized(pool(), "conv0_weights", (5, 12, 1, 1)),
        "ConvRNNPool: .*kernel|parameters must",
    ),
    "params-channels": (
        lambda: resized(pool(), "conv1_params", (3, 4)),
        "conv1 parameters must have size . in dimension 1. Received: size 4",
    ),
    "variable-weights": (
        lambda: pool().change("conv0_weights", data=None),
        "conv0 weights must be a constant",
    ),
    "int8-params": (
        lambda: pool().change("conv0_params", dtype=np.int8, data=np.zeros((3, 8), np.int8)),
        "conv0 parameters must be int32",
    ),
    "weights-zero-point": (
        lambda: pool().change("conv1_weights", scales=(0.1,), zero_points=(-1,)),
        "conv1 weights must have zero point 0. Received: -1",
    ),
    "multiplier-1": (lambda: set_params(pool(), "conv1_params", 1, 1), "multiplier"),
    "shift-31": (lambda: set_params(pool(), "conv0_params", 2, 31), "shift"),
    "bias-overflows": (lambda: set_params(pool(), "conv0_params", 0, 2**31 - 1), "overflow"),
    # RNNPool's part, whose own cases are in test_refusals.py
    "W1-inputs": (
        lambda: resized(pool(), "W1", (4, 2)),
        "kernel 1 must have size . in dimension 1",
    ),
    "W1-scale": (lambda: pool().change("W1", scales=(0.0,)), "[Ss]cale"),
    "bias-scale": (
        lambda: pool().change("gate_bias2", scales=(1.0,)),
        r"gate bias 2 must have the scale 2\^-26",
    ),
    "W2-not-square": (
        lambda: pool().change("U2", data=None),
        "recurrent kernel 2 must be a constant",
    ),
    "extra-input": (
        lambda: with_input(pool(), "zeta_nu", constant(np.ones((2, 2), np.float32))),
        "must have 13 inputs. Received: 14",
    ),
}
REFUSED = {f"block-{name}": case for name, case in BLOCKS.items()} | {
    f"pool-{name}": case for name, case in POOLS.items()
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, engine):
    make, sentence = REFUSED[case]
    node = make()
    with pytest.raises(ValueError, match=sentence) as error:
        start(read_model(build(node)), engine)
    assert node.name in str(error.value)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("make", [block, unexpanded, pool], ids=lambda make: make.__name__)
def test_unchanged_nodes_run(make, engine):
    """What the cases above start from is sound."""
    node = make()
    x = np.zeros(node.tensors["input"].shape, np.int8)
    assert Runtime(build(node), engine).predict_quantized(x).shape == node.tensors["output"].shape


@pytest.mark.parametrize("engine", ENGINES)
def test_numbers_may_stand_in_eight_bytes(engine):
    """One wide value widens all; the scale is a float32 value in any case."""
    scale = float(np.float32(random_conv_pool(4).map.scale))
    wide = replace(pool(), options=double_option("pool_scale", scale))
    x = np.random.default_rng(0).integers(-128, 128, wide.tensors["input"].shape).astype(np.int8)
    outputs = [Runtime(build(node), engine).predict_quantized(x) for node in (wide, pool())]
    np.testing.assert_array_equal(*outputs)


@pytest.mark.parametrize("make", [block, pool], ids=lambda make: make.__name__)
def test_tflm_refuses_wrong_batch(make):
    """TFLite Micro's outputs are planned from the file; LiteRT's are resized by the operator."""
    node = make()
    shape = (2, *node.tensors["output"].shape[1:])
    model = build(node.change("output", shape=shape), open_batch=False)
    with pytest.raises(ValueError, match=r"must have size 1 in dimension 0\. Received: size 2"):
        Runtime(model, "tflm")


@pytest.mark.parametrize("make", [block, pool], ids=lambda make: make.__name__)
@pytest.mark.parametrize("engine", ENGINES)
def test_two_outputs(make, engine):
    node = make()
    tensors = {**node.tensors, "output2": node.tensors["output"]}
    node = replace(node, tensors=tensors, outputs=("output", "output2"))
    with pytest.raises(ValueError, match=rf"{node.name} must have 1 output\. Received: 2"):
        Runtime(build(node), engine)


@pytest.mark.parametrize("make", [block, pool], ids=lambda make: make.__name__)
def test_plain_litert_names_the_operator(make):
    """A fused model does not run, or run wrongly, where the package's operators are missing."""
    from ai_edge_litert.interpreter import Interpreter

    node = make()
    interpreter = Interpreter(model_content=build(node))
    with pytest.raises(RuntimeError, match=rf"unresolved custom op: {node.name}"):
        interpreter.allocate_tensors()


def test_resized_map_is_found_out():
    """Sizes of convolutions are the model's; an input of another size would give nonsense."""
    from ai_edge_litert import interpreter as litert

    delegate = litert.load_delegate(str(library_path("librnnpool")))
    interpreter = litert.Interpreter(
        model_content=build(block(adds=False)), experimental_delegates=[delegate]
    )
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], (1, 12, 9, 4))
    with pytest.raises(RuntimeError, match="output must have size 11 or more in dimension 1"):
        interpreter.allocate_tensors()


def test_misplaced_workspace_is_found_out():
    """A memory plan of the model file may say anything; the operator asks for words."""
    case = ordinary_case(0, SHAPE, 6, 4, (1, 1), True)
    graph = Graph.from_bytes(build(block(workspace=WORKSPACE), open_batch=False))
    (workspace,) = (i for i in graph.inputs if "workspace" in graph.tensor_name(i))
    engine = start(read_model(graph.to_bytes({workspace: 1})), "tflm")
    with pytest.raises(ValueError, match="workspace must be aligned to 4 bytes"):
        engine.invoke([case.inputs(), np.zeros(WORKSPACE, np.int8)])

"""The fused operators in TFLite Micro and LiteRT give the unfused model's bytes.

The unfused model runs by TFLite's reference kernels, whose rounding the fused operators share; so
everything here is equal to the byte.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.runtime import Runtime
from rnnpool_tf.runtime.engines import ENGINES, start
from rnnpool_tf.runtime.model_file import read_model
from tests.kernels.block_cases import Case, ordinary_case, random_case
from tests.kernels.conv_pool_cases import ConvPoolCase, random_conv_pool
from tests.kernels.fused_core import plan_block
from tests.runtime.fused_models import block_node, conv_pool_node
from tests.runtime.models import build

pytestmark = pytest.mark.keras_free

BATCH = 2
# The core's own tests cover the arithmetic; here it is how its arguments come out of a model file.
BLOCK_SEEDS = range(1000, 1100)
CONV_POOL_SEEDS = range(100)


@functools.cache
def block(seed: int) -> Case:
    return random_case(seed)


@functools.cache
def conv_pool(seed: int) -> ConvPoolCase:
    return random_conv_pool(seed)


def unfused(case: Case | ConvPoolCase, x: np.ndarray) -> np.ndarray:
    """The output by reference kernels."""
    return Runtime(case.model(len(x)), reference_kernels=True).predict_quantized(x)


def check(case, make_node) -> None:
    x = case.inputs(BATCH)
    expected = unfused(case, x)
    model = build(make_node(case, BATCH), open_batch=False)
    for engine in ENGINES:
        output = Runtime(model, engine).predict_quantized(x)
        np.testing.assert_array_equal(output, expected, err_msg=f"{engine} {case.name}")


@pytest.mark.parametrize("seed", BLOCK_SEEDS, ids=lambda seed: f"seed{seed}")
def test_random_blocks(seed):
    check(block(seed), block_node)


@pytest.mark.parametrize("seed", CONV_POOL_SEEDS, ids=lambda seed: f"seed{seed}")
def test_random_convolutions_with_rnnpool(seed):
    check(conv_pool(seed), conv_pool_node)


def test_random_cases_are_of_every_kind():
    blocks = [block(seed) for seed in BLOCK_SEEDS]
    kinds = {(case.expand is not None, case.sum is not None) for case in blocks}
    assert kinds == {(e, s) for e in (False, True) for s in (False, True)}
    paddings = {case.padding if isinstance(case.padding, str) else "pad" for case in blocks}
    assert paddings == {"SAME", "VALID", "pad"}

    pools = [conv_pool(seed) for seed in CONV_POOL_SEEDS]
    kinds = {
        (c.layer.depthwise, c.padding if isinstance(c.padding, str) else "pad")
        for case in pools
        for c in case.convolutions
    }
    assert kinds == {(d, p) for d in (False, True) for p in ("SAME", "VALID", "pad")}
    assert {len(case.convolutions) for case in pools} == {1, 2, 3, 4}
    values = [len(np.unique(unfused(case, case.inputs()))) for case in pools[:20]]
    assert np.median(values) > 8  # of 256; constant outputs would hide every error


def an_ordinary_block() -> Case:
    return ordinary_case(1, (9, 10, 8), 24, 8, (1, 1), True)


@pytest.mark.parametrize("engine", ENGINES)
def test_unfused_models_agree(engine):
    """TFLite Micro's kernels round as the reference kernels do, so one expectation serves both."""
    case = an_ordinary_block()
    x = case.inputs(BATCH)
    output = Runtime(case.model(BATCH), engine, reference_kernels=engine == "litert")
    np.testing.assert_array_equal(output.predict_quantized(x), unfused(case, x))


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 2, 7, 40])
@pytest.mark.parametrize("operator", ["InvertedResidual", "ConvRNNPool"])
def test_batches_and_threads_of_litert(operator, batch, threads):
    """An open batch is shared among threads, and above 32 maps runs in parts."""
    fused = operator == "InvertedResidual"
    case = an_ordinary_block() if fused else conv_pool(4)
    model = build((block_node if fused else conv_pool_node)(case))
    x = case.inputs(batch)
    runtime = Runtime(model, num_threads=threads)
    expected = unfused(case, x)
    for _ in range(2):  # the second run is without a resize
        np.testing.assert_array_equal(runtime.predict_quantized(x), expected)


@pytest.mark.parametrize("engine", ENGINES)
def test_operators_in_a_row(engine):
    """A model with both operators, as the converter writes it."""
    front = conv_pool(13)
    rest = ordinary_case(3, front.out_shape, 16, 6, (2, 2), False)
    first, second = conv_pool_node(front), block_node(rest)
    # RNNPool's output has one quantisation; the block takes it as it is.
    second = second.change("input", scales=(1 / 128,), zero_points=(0,))
    x = front.inputs(3)
    between = unfused(front, x)
    alone = Runtime(build(second)).predict_quantized(between)
    output = Runtime(build(first, second), engine).predict_quantized(x)
    np.testing.assert_array_equal(output, alone)
    assert len(np.unique(output)) > 8


@pytest.mark.parametrize(
    ("strides", "residual", "outputs", "offset"),
    [
        ((1, 1), True, 8, 0),
        # Output row r lies below the rows of x that windows from r + 1 on see.
        ((2, 2), False, 8, 0),
        ((1, 1), False, 8, -(2 * 10 * 8)),
    ],
    ids=["sum", "stride-2", "two-rows-before"],
)
def test_output_over_the_input(strides, residual, outputs, offset):
    """As a memory plan may place it; the arena then holds one map and the ring."""
    case = ordinary_case(5, (9, 10, 8), 24, outputs, strides, residual)
    x = case.inputs()
    graph = Graph.from_bytes(build(block_node(case), open_batch=False))
    places = {graph.inputs[0]: -min(offset, 0), graph.outputs[0]: 0}
    engine = start(read_model(graph.to_bytes(places)), "tflm")
    (output,) = engine.invoke([x])
    np.testing.assert_array_equal(output, unfused(case, x))
    apart = start(read_model(build(block_node(case), open_batch=False)), "tflm").arena_use().head
    assert engine.arena_use().head <= apart - np.prod(output.shape) + abs(offset) + 16


def test_head_is_maps_and_ring():
    case = an_ordinary_block()
    needed = 2 * np.prod(case.shape) + plan_block(case.block())[0]
    head = start(read_model(build(block_node(case))), "tflm").arena_use().head
    # The planner aligns buffers to 16 bytes and keeps its own notes in the head while it plans.
    assert needed <= head <= needed + 512


def test_little_is_kept_per_block():
    """A second block costs the arena's persistent part no more than its tensors and a few bytes.

    TFLite Micro keeps 24 bytes of every tensor, 7 constants and an output, and 64 of the node.
    """
    case = an_ordinary_block()
    tails = [
        start(read_model(build(*[block_node(case)] * count)), "tflm").arena_use().tail
        for count in (3, 4)
    ]
    assert tails[1] - tails[0] <= 8 * 24 + 64 + 160, tails

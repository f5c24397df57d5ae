"""Memory plans: lifetimes, TFLite Micro's own placement, better ones, and what the file carries."""

from __future__ import annotations

import random

import numpy as np
import pytest

from rnnpool_tf.conversion import memory_plan, placement, plan_metadata
from rnnpool_tf.conversion.buffers import Buffer, buffers_of, overlaps_of
from rnnpool_tf.conversion.flatbuffer import Graph, Quantization, schema
from rnnpool_tf.conversion.model_bytes import pack
from rnnpool_tf.conversion.scratch import UnknownScratchError
from rnnpool_tf.runtime import Runtime
from tests.conversion.random_models import Builder

pytestmark = pytest.mark.keras_free

SEED = 20261120
STEP = Quantization(1 / 128, 0)
UNIT = 16


def empty_graph() -> Graph:
    model = schema.ModelT()
    model.version = 3
    model.buffers, model.operatorCodes = [schema.BufferT()], []
    subgraph = schema.SubGraphT()
    subgraph.tensors, subgraph.operators = [], []
    model.subgraphs = [subgraph]
    return Graph(model)


def add(graph: Graph, name: str, inputs: list[int], width: int, options=None) -> int:
    """Appends an operator with an int8 output [1, 1, 1, width]; returns the output."""
    output = graph.add_tensor(f"t{len(graph.tensors)}", (1, 1, 1, width), np.int8, STEP)
    operator = graph.make_operator(name, inputs, [output])
    if options is not None:
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        operator.builtinOptions = options
    graph.operators.append(operator)
    return output


def concatenate(graph: Graph, parts: list[int]) -> int:
    options = schema.ConcatenationOptionsT()
    options.axis = 3
    return add(graph, "CONCATENATION", parts, sum(graph.shape(i)[-1] for i in parts), options)


def mean(graph: Graph, x: int) -> int:
    """Over height and width, which are 1: the values stay, but scratch buffers are needed."""
    options = schema.ReducerOptionsT()
    options.keepDims = True
    axes = graph.add_constant(f"axes{len(graph.tensors)}", np.array([1, 2], np.int32))
    return add(graph, "MEAN", [x, axes], graph.shape(x)[-1], options)


def random_graph(seed: int) -> Graph:
    """Tensors of very different sizes and lifetimes: ReLUs, concatenations and means at random."""
    chance = random.Random(seed)
    graph = empty_graph()
    x = graph.add_tensor("x", (1, 1, 1, UNIT * chance.randint(1, 9) - 3), np.int8, STEP)
    tensors = [x]
    for _ in range(chance.randint(8, 20)):
        kind = chance.choice(("relu", "concatenate", "concatenate", "mean"))
        recent = tensors[-6:]
        if kind == "relu":
            one = chance.choice(recent)
            tensors.append(add(graph, "RELU", [one], graph.shape(one)[-1]))
        elif kind == "mean":
            tensors.append(mean(graph, chance.choice(recent)))
        else:
            parts = chance.sample(recent, min(len(recent), chance.randint(1, 3)))
            small = [i for i in parts if graph.shape(i)[-1] < 600] or [x]
            tensors.append(concatenate(graph, small))
    graph.subgraph.inputs = np.array([x], np.int32)
    graph.subgraph.outputs = np.array([tensors[-1], chance.choice(tensors[1:])], np.int32)
    return graph


def buffer(size: int, first: int, last: int) -> Buffer:
    return Buffer("b", "activation", size, first, last)


SEEDS = [SEED + i for i in range(25)]


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed {seed}")
def test_greedy_and_planned_head_are_what_the_interpreter_takes(seed):
    data = random_graph(seed).to_bytes()
    report = memory_plan.plan(Graph.from_bytes(data))
    before = Runtime(data, engine="tflm")
    assert report.greedy.head == before.arena_breakdown["head"]

    planned = memory_plan.with_plan(data)
    after = Runtime(planned, engine="tflm")
    in_file = memory_plan.plan_in_file(Graph.from_bytes(planned))
    assert in_file.kind == ("offline" if report.wins else "greedy")
    assert in_file.head == after.arena_breakdown["head"]
    assert in_file.head == min(report.offline.head, report.greedy.head) >= report.bound

    x = np.random.default_rng(seed).integers(-128, 128, (3, *before.input_details[0].shape[1:]))
    x = x.astype(np.int8)
    expected = before.predict_quantized(x)
    for engine in (after, Runtime(planned)):
        for one, other in zip(expected, engine.predict_quantized(x), strict=True):
            np.testing.assert_array_equal(one, other)


def test_random_graphs_give_the_plan_something_to_win():
    reports = [memory_plan.plan(random_graph(seed)) for seed in SEEDS]
    assert sum(report.wins for report in reports) >= 3
    assert all(report.offline.head >= report.bound for report in reports)


def test_lifetimes_are_counted_as_the_planner_counts_them():
    graph = empty_graph()
    x = graph.add_tensor("x", (1, 1, 1, 20), np.int8, STEP)
    a = add(graph, "RELU", [x], 20)
    b = mean(graph, x)
    y = concatenate(graph, [a, b])
    graph.subgraph.inputs, graph.subgraph.outputs = np.array([x]), np.array([b, y])
    found = [(b.kind, b.bytes, b.size, b.first, b.last) for b in buffers_of(graph)]
    assert found == [
        ("input", 20, 32, 0, 2),
        ("activation", 20, 32, 1, 3),
        ("output", 20, 32, 2, 3),
        ("output", 40, 48, 3, 3),
        ("scratch", 80, 80, 2, 2),  # sums
        ("scratch", 16, 16, 2, 2),  # indices of four dimensions
        ("scratch", 8, 16, 2, 2),  # the axes
    ]


def test_equal_buffers_are_placed_last_first():
    buffers = [buffer(16, 0, 1), buffer(16, 0, 1), buffer(32, 0, 0)]
    assert placement.greedy(buffers) == [48, 32, 0]


def test_fixed_buffers_come_first_and_gaps_are_used():
    buffers = [buffer(16, 0, 1), buffer(64, 1, 1), buffer(16, 1, 1)]
    assert placement.greedy(buffers, {0: 32}) == [32, 48, 0]


def test_live_bytes_with_an_output_that_may_begin_where_its_input_does():
    buffers = [buffer(96, 0, 1), buffer(64, 1, 2), buffer(16, 1, 1)]
    assert placement.live_bytes(buffers) == [96, 176, 64]
    assert placement.live_bytes(buffers, {(0, 1): 0}) == [96, 112, 64]
    assert placement.live_bytes(buffers, {(0, 1): -32}) == [96, 144, 64]
    assert placement.live_bytes(buffers, {(0, 1): -999}) == [96, 176, 64]


@pytest.mark.parametrize("distance", [-64, -32, 0, 32])
def test_search_uses_overlaps_as_far_as_they_go(distance):
    buffers = [buffer(96, 0, 1), buffer(64, 1, 2), buffer(16, 1, 1), buffer(80, 2, 3)]
    overlaps = {(0, 1): distance}
    offsets = placement.improved(buffers, overlaps)
    assert placement.allowed(buffers, offsets, overlaps)
    assert placement.peak(buffers, offsets) == max(placement.live_bytes(buffers, overlaps))


def test_search_reaches_the_bound_where_greedy_does_not():
    """Two large buffers at the bottom leave no low gap for a small one above them."""
    buffers = [buffer(96, 0, 1), buffer(64, 1, 2), buffer(16, 2, 3), buffer(96, 3, 4)]
    assert placement.peak(buffers, placement.greedy(buffers)) == 176
    offsets = placement.improved(buffers, {})
    assert placement.allowed(buffers, offsets, {})
    assert placement.peak(buffers, offsets) == 160


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [((0, 0), True), ((16, 0), True), ((0, 16), False), ((0, 96), True), ((64, 0), True)],
)
def test_allowed_tells_overlaps_from_clashes(offsets, expected):
    buffers = [buffer(96, 0, 1), buffer(64, 1, 2)]
    assert placement.allowed(buffers, offsets, {(0, 1): 0}) is expected
    assert placement.allowed(buffers, offsets, {}) is (abs(offsets[0] - offsets[1]) >= 64
                                                       and offsets != (0, 64))  # fmt: skip


def test_only_an_input_that_dies_may_be_overlapped():
    graph = empty_graph()
    x = graph.add_tensor("x", (1, 1, 1, 40), np.int8, STEP)
    a = add(graph, "RELU", [x], 40)  # x lives on
    b = add(graph, "RELU", [a], 40)
    c = concatenate(graph, [x, x])  # reads x twice
    y = concatenate(graph, [c, b])
    graph.subgraph.inputs, graph.subgraph.outputs = np.array([x]), np.array([y])
    buffers = buffers_of(graph)
    found = overlaps_of(graph, buffers, lambda *_: -5)
    names = {(buffers[i].tensor, buffers[j].tensor): gap for (i, j), gap in found.items()}
    assert names == {(a, b): -16, (c, y): -16}


def test_a_changed_graph_loses_its_plan_and_other_metadata_stays():
    graph = random_graph(next(s for s in SEEDS if memory_plan.plan(random_graph(s)).wins))
    entry = schema.MetadataT()
    entry.name, entry.buffer = b"note", 0
    graph.model.metadata = [entry]
    planned = memory_plan.with_plan(graph.to_bytes())
    again = Graph.from_bytes(planned)
    assert plan_metadata.read_offsets(again.model)
    rewritten = Graph.from_bytes(again.to_bytes())
    assert plan_metadata.read_offsets(rewritten.model) == {}
    assert [bytes(entry.name) for entry in rewritten.model.metadata] == [b"note"]


def test_offsets_follow_tensors_that_are_renumbered():
    graph = empty_graph()
    graph.add_tensor("unused", (1, 4), np.int8)
    x = graph.add_tensor("x", (1, 1, 1, 40), np.int8, STEP)
    y = add(graph, "RELU", [x], 40)
    graph.subgraph.inputs, graph.subgraph.outputs = np.array([x]), np.array([y])
    written = Graph.from_bytes(graph.to_bytes({x: 48, y: 0}))
    names = {written.tensor_name(i): o for i, o in
             plan_metadata.read_offsets(written.model).items()}  # fmt: skip
    assert names == {"x": 48, "t2": 0}


def test_a_plan_for_another_number_of_tensors_is_an_error():
    graph = random_graph(SEED)
    plan_metadata.replace_offsets(graph.model, {0: 0})
    graph.add_tensor("new", (1, 4), np.int8)
    with pytest.raises(ValueError, match="offset for each of"):
        memory_plan.plan_in_file(graph)


def test_metadata_that_lead_nowhere_are_a_damaged_file():
    graph = random_graph(SEED)
    plan_metadata.replace_offsets(graph.model, {0: 0})
    graph.model.metadata[0].buffer = 999
    with pytest.raises(ValueError, match="damaged"):
        Graph.from_bytes(pack(graph.model))


def test_a_model_with_an_unknown_operator_is_left_to_the_interpreter():
    graph = empty_graph()
    x = graph.add_tensor("x", (1, 1, 1, 40), np.int8, STEP)
    y = add(graph, "Mystery", [x], 40)
    graph.subgraph.inputs, graph.subgraph.outputs = np.array([x]), np.array([y])
    with pytest.raises(UnknownScratchError, match="Mystery"):
        memory_plan.plan(graph)
    data = graph.to_bytes()
    assert memory_plan.with_plan(data) == data


def _layer(kind: str) -> Builder:
    build = Builder(SEED, (1, 8, 8, 4))
    if kind == "FULLY_CONNECTED":
        build.dense(8)
    else:
        build.convolution(6 if kind == "CONV_2D" else None, (3, 3))
    return build


@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"])
def test_int4_weights_are_unpacked_in_scratch_memory(kind):
    build = _layer(kind)
    graph = build.graph
    weights = graph.tensors[int(graph.operators[0].inputs[1])]
    weights.type = schema.TensorType.INT4
    buffer = graph.model.buffers[weights.buffer]
    buffer.data = np.full(-(-len(buffer.data) // 2), 0x31, np.uint8)  # two in a byte
    data = build.finish()
    head = Runtime(data, engine="tflm").arena_breakdown["head"]
    assert memory_plan.plan_in_file(Graph.from_bytes(data)).head == head


def test_several_subgraphs_are_left_to_the_interpreter():
    graph = random_graph(SEED)
    graph.model.subgraphs.append(random_graph(SEED).subgraph)
    with pytest.raises(UnknownScratchError, match="one subgraph"):
        memory_plan.plan(graph)

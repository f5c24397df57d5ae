"""Reordering: the smallest peak there is, never an invalid order, the same results."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rnnpool_tf.conversion import operator_order
from rnnpool_tf.conversion.flatbuffer import Graph, schema
from rnnpool_tf.conversion.operator_order import reorder

pytestmark = pytest.mark.keras_free


def empty_graph() -> Graph:
    model = schema.ModelT()
    model.version, model.buffers, model.operatorCodes = 3, [schema.BufferT()], []
    subgraph = schema.SubGraphT()
    subgraph.tensors, subgraph.operators = [], []
    model.subgraphs = [subgraph]
    return Graph(model)


def build(operators, outputs, sizes) -> Graph:
    """A graph of int8 tensors; operator i reads tensors operators[i] and writes tensor i + 1.

    Tensor 0 is the model's input.
    """
    graph = empty_graph()
    for index, size in enumerate(sizes):
        graph.add_tensor(f"t{index}", (1, size), np.int8)
    for index, reads in enumerate(operators):
        graph.operators.append(graph.make_operator("ADD", reads, [index + 1]))
    graph.subgraph.inputs, graph.subgraph.outputs = np.array([0]), np.array(outputs)
    return graph


def order_of(graph: Graph) -> list[int]:
    return [int(operator.outputs[0]) - 1 for operator in graph.operators]


def peak(operators, outputs, sizes, order) -> int:
    """The definition: a tensor is alive from its writer (or the start) to its last reader."""
    position = {0: -1, **{index + 1: step for step, index in enumerate(order)}}
    last = dict(position)
    for step, index in enumerate(order):
        for tensor in operators[index]:
            last[tensor] = max(last[tensor], step)
    for tensor in outputs:
        last[tensor] = len(order)
    return max(
        sum(sizes[t] for t in position if position[t] <= step <= last[t])
        for step in range(len(order))
    )


def valid_orders(operators):
    for order in itertools.permutations(range(len(operators))):
        step = {index: place for place, index in enumerate(order)}
        if all(t == 0 or step[t - 1] < step[i] for i, reads in enumerate(operators) for t in reads):
            yield list(order)


@pytest.mark.parametrize("seed", range(40))
def test_no_valid_order_of_a_random_graph_has_a_smaller_peak(seed):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 8))
    operators = [
        [int(t) for t in rng.choice(index + 1, min(index + 1, int(rng.integers(1, 3))), False)]
        for index in range(count)
    ]
    read = {t for reads in operators for t in reads}
    outputs = [t for t in range(1, count + 1) if t not in read or rng.random() < 0.2]
    sizes = [int(size) for size in rng.integers(1, 100, count + 1)]
    graph = build(operators, outputs, sizes)
    report = reorder(graph)
    orders = list(valid_orders(operators))
    assert order_of(graph) in orders
    assert report.before == peak(operators, outputs, sizes, range(count))
    assert report.after == peak(operators, outputs, sizes, order_of(graph))
    assert report.after == min(peak(operators, outputs, sizes, order) for order in orders)
    assert report.moved == (order_of(graph) != list(range(count)))


# A backbone 0 → 1 → 2 → 3 of maps of 100 and a small head on each, all heads last.
DETECTOR = dict(
    operators=[[0], [1], [2], [1], [2], [3]], outputs=[4, 5, 6], sizes=[10, *[100] * 3, 1, 1, 1]
)


def test_heads_move_behind_the_map_they_read():
    graph = build(**DETECTOR)
    report = reorder(graph)
    assert (report.before, report.after) == (301, 202)
    order = order_of(graph)
    assert order.index(3) < order.index(2)
    assert [int(i) for i in graph.outputs] == DETECTOR["outputs"]


def test_best_order_stays():
    graph = build(**DETECTOR)
    reorder(graph)
    before = order_of(graph)
    assert not reorder(graph).moved
    assert order_of(graph) == before


@pytest.mark.parametrize(
    ("offset", "peak"),
    [(None, 150), (0, 100), (-10, 110), (20, 100), (80, 130), (200, 150)],
    ids=str,
)
def test_output_in_place_of_the_input_counts_once(offset, peak):
    graph = build([[0]], [1], [100, 50])
    assert reorder(graph, in_place=lambda graph, operator: offset).after == peak


def test_input_that_is_read_again_is_not_overwritten(monkeypatch):
    graph = build([[0], [0, 1]], [2], [100, 50, 1])
    monkeypatch.setattr(operator_order, "scratch_bytes", scratch_of_first(1000))
    assert reorder(graph, in_place=lambda graph, operator: 0).after == 100 + 50 + 1000


def scratch_of_first(size):
    return lambda graph, operator: (size,) if int(operator.outputs[0]) == 1 else ()


def test_scratch_counts_while_its_operator_runs(monkeypatch):
    graph = build([[0], [1]], [2], [10, 20, 5])
    monkeypatch.setattr(operator_order, "scratch_bytes", scratch_of_first(100))
    assert reorder(graph).after == 130


def test_inputs_that_nobody_reads_do_not_count():
    graph = build([[0]], [1], [10, 20])
    graph.subgraph.inputs = np.array([0, graph.add_tensor("unread", (1, 1000), np.int8)])
    assert reorder(graph).after == 30


def test_constants_do_not_count():
    graph = build([[0]], [1], [10, 20])
    constant = graph.add_constant("weights", np.zeros(1000, np.int8))
    graph.operators[0].inputs = np.array([0, constant], np.int32)
    assert reorder(graph).after == 30


@pytest.mark.parametrize("kind", ["stateful", "variable", "too_many_branches"])
def test_order_stays_where_it_matters_or_cannot_be_searched(kind, monkeypatch):
    graph = build(**DETECTOR)
    if kind == "stateful":
        graph.operators.append(graph.make_operator("CALL_ONCE", [], []))
    elif kind == "variable":
        graph.tensors[graph.add_tensor("state", (1, 3), np.int8)].isVariable = True
    else:
        monkeypatch.setattr(operator_order, "_LARGEST_SEARCH", 3)
    before = list(graph.operators)
    report = reorder(graph)
    assert graph.operators == before
    assert report.before == report.after == 301
    assert not report.moved


def test_ten_branches_are_searched():
    operators = [[0]] * 10 + [[i + 1] for i in range(10)]
    graph = build(operators, list(range(11, 21)), [5, *[50] * 10, *[1] * 10])
    # The input, one branch's map, and the results of the nine before it.
    assert reorder(graph).after == 5 + 50 + 9

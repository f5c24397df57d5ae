"""Memory plans of fused operators: scratch memory as the interpreter asks for it, outputs that
overlap their inputs, and bytes that stay those of the unfused model."""

from __future__ import annotations

import functools
import json

import numpy as np
import pytest

from rnnpool_tf import cli
from rnnpool_tf.conversion import memory_plan
from rnnpool_tf.conversion.buffers import buffers_of
from rnnpool_tf.conversion.finishing import fuse_model
from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.runtime import Runtime
from tests.kernels.block_cases import Case, random_case
from tests.kernels.conv_pool_cases import ConvPoolCase, random_conv_pool
from tests.runtime.fused_models import block_node, conv_pool_node
from tests.runtime.models import build

pytestmark = pytest.mark.keras_free

SEEDS = range(4000, 4030)
KINDS = {"block": (random_case, block_node), "stem": (random_conv_pool, conv_pool_node)}


@functools.cache
def case_and_model(kind: str, seed: int) -> tuple[Case | ConvPoolCase, bytes]:
    make_case, make_node = KINDS[kind]
    case = make_case(seed)
    return case, build(make_node(case, 1), open_batch=False)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed{seed}")
@pytest.mark.parametrize("kind", KINDS)
def test_planned_operators_take_what_the_plan_says_and_give_the_same_bytes(kind, seed):
    case, model = case_and_model(kind, seed)
    planned = memory_plan.with_plan(model)
    for data in (model, planned):
        head = Runtime(data, engine="tflm").arena_breakdown["head"]
        assert memory_plan.plan_in_file(Graph.from_bytes(data)).head == head

    x = case.inputs(1)
    expected = Runtime(case.model(1), reference_kernels=True).predict_quantized(x)
    output = Runtime(planned, engine="tflm").predict_quantized(x)
    np.testing.assert_array_equal(output, expected, err_msg=case.name)


@pytest.mark.parametrize("kind", KINDS)
def test_most_outputs_overlap_their_inputs(kind):
    graphs = [Graph.from_bytes(case_and_model(kind, seed)[1]) for seed in SEEDS]
    reports = [memory_plan.plan(graph) for graph in graphs]
    assert all(report.offline.head >= report.in_place_bound for report in reports)
    assert sum(report.offline.head < report.bound for report in reports) > len(SEEDS) // 2


def test_files_get_a_plan_unless_it_is_left_to_the_interpreter():
    """A model in which nothing is left to fuse, but whose output may overlap its input."""
    _, model = case_and_model("block", SEEDS[0])
    assert fuse_model(model, plan="greedy") == model
    planned = fuse_model(model)
    assert memory_plan.has_plan(planned) and not memory_plan.has_plan(model)
    assert fuse_model(planned) == planned
    assert not memory_plan.has_plan(fuse_model(planned, plan="greedy"))


def test_command_says_what_the_plan_saves(tmp_path, capsys):
    model = tmp_path / "block.tflite"
    model.write_bytes(case_and_model("block", SEEDS[0])[1])
    found = {}
    for plan in memory_plan.PLANS:
        output = tmp_path / f"{plan}.tflite"
        assert cli.main(["convert", str(model), "-o", str(output), "--plan", plan, "--json"]) == 0
        found[plan] = json.loads(capsys.readouterr().out)["memory_plan"]
        assert found[plan]["bytes"] == Runtime(output, engine="tflm").arena_breakdown["head"]
    assert found["offline"]["kind"] == "offline" and found["greedy"]["kind"] == "greedy"
    assert found["offline"]["bytes"] < found["greedy"]["bytes"]
    assert found["offline"]["greedy_bytes"] == found["greedy"]["bytes"]
    assert cli.main(["convert", str(model), "-o", str(tmp_path / "text.tflite")]) == 0
    assert "by the plan in the file" in capsys.readouterr().out


def test_the_map_stays_readable_where_it_is_an_output_too():
    _, model = case_and_model("block", SEEDS[0])
    graph = Graph.from_bytes(model)
    graph.subgraph.outputs = np.array([*graph.outputs, graph.inputs[0]], np.int32)
    report = memory_plan.plan(graph)
    assert report.in_place_bound == report.bound
    buffers = buffers_of(graph)
    assert {b.last for b in buffers if b.tensor in graph.inputs} == {len(graph.operators)}

"""Files that make no sense get a sentence from the planner; odd but legal ones are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.analysis.tflite_network import tflite_network
from rnnpool_tf.conversion import Graph, fuse_model
from rnnpool_tf.conversion.flatbuffer import Quantization, schema
from rnnpool_tf.conversion.memory_plan import plan_in_file, with_plan
from rnnpool_tf.conversion.model_bytes import pack
from rnnpool_tf.conversion.scratch import UnknownScratchError
from rnnpool_tf.runtime import Runtime
from tests.conversion.fusion_models import block, stem
from tests.conversion.helpers import names
from tests.conversion.test_fusion_damaged import DATA, damage

pytestmark = pytest.mark.keras_free

SEEDS = range(150)


@pytest.mark.parametrize("what", ["none", "all"])
def test_damaged_files(what):
    data = fuse_model(DATA, fuse=what)
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        graph = Graph.from_bytes(data)
        done = damage(graph, rng)
        damaged = pack(graph.model)
        for use in (with_plan, lambda file: plan_in_file(Graph.from_bytes(file)), _path):
            try:
                use(damaged)
            except ValueError:
                continue
            except Exception as error:
                raise AssertionError(f"seed {seed}: {done}") from error


def _path(data: bytes) -> None:
    tflite_network(Graph.from_bytes(data))


def _rnnpool(change) -> bytes:
    """A file with one RNNPool operator, changed by change(graph, its inputs)."""
    build = stem()
    graph = build.graph
    change(graph, graph.operators[0].inputs)
    return build.finish()


def _set_shape(graph: Graph, index: int, shape: tuple[int, ...]) -> None:
    graph.tensors[int(index)].shape = np.array(shape, np.int32)


# The native core, which tells how much scratch memory it needs, reads as much as these promise.
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda graph, inputs: _set_shape(graph, inputs[0], (1, 16, 15)), "four dimensions"),
        (lambda graph, inputs: setattr(graph.tensors[inputs[1]], "buffer", 0), "must be constant"),
        (lambda graph, inputs: inputs.put(3, inputs[1]), "`bias_gate1` must have shape"),
        (lambda graph, inputs: setattr(graph.tensors[inputs[0]], "quantization", None), "scale"),
    ],
    ids=["rank", "no-constant", "short-bias", "no-scale"],
)
def test_rnnpool_is_checked_before_the_core_reads_it(change, message):
    with pytest.raises(ValueError, match=message):
        with_plan(_rnnpool(change))


@pytest.mark.parametrize("tensor", ["inputs", "outputs"])
@pytest.mark.parametrize("build", [block, lambda: stem((3, 3))], ids=["block", "stem"])
def test_maps_of_fused_operators_have_four_dimensions(build, tensor):
    graph = Graph.from_bytes(fuse_model(build().finish()))
    index = getattr(graph.operators[0], tensor)[0]
    _set_shape(graph, index, graph.shape(index)[1:])
    with pytest.raises(ValueError, match=r"must be maps.*Received"):
        with_plan(pack(graph.model))


def test_constants_are_not_overlapped():
    build = block()
    graph = build.graph
    values = graph.add_constant("values", np.arange(12, dtype=np.int8).reshape(1, 1, 1, 12))
    graph.set_quantization(values, Quantization(0.1, 0))
    output = graph.add_tensor("unit", (1, 1, 1, 12), np.int8, Quantization(1 / 128, 0))
    operator = graph.make_operator("L2_NORMALIZATION", [values], [output])
    operator.builtinOptionsType = schema.BuiltinOptions.L2NormOptions
    operator.builtinOptions = schema.L2NormOptionsT()
    graph.operators.append(operator)
    data = build.finish(output)
    x = np.zeros((1, 9, 8, 4), np.int8)
    both = [Runtime(d, engine="tflm").predict_quantized(x) for d in (data, fuse_model(data))]
    for expected, found in zip(*both, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_models_with_variables_are_fused_and_get_no_plan():
    """Handles of variables have no size that is known here."""
    build = block()
    graph = build.graph
    handle = graph.add_tensor("handle", (), np.int32)
    graph.tensors[handle].type = schema.TensorType.RESOURCE
    read = graph.add_tensor("read", build.shape, np.int8, build.quantization)
    graph.operators.extend(
        [
            graph.make_operator("VAR_HANDLE", [], [handle]),
            graph.make_operator("ASSIGN_VARIABLE", [handle, build.value], []),
            graph.make_operator("READ_VARIABLE", [handle], [read]),
        ]
    )
    fused = fuse_model(build.finish(read))
    states = ["VAR_HANDLE", "ASSIGN_VARIABLE", "READ_VARIABLE"]
    assert names(fused) == ["InvertedResidual", *states]
    with pytest.raises(UnknownScratchError, match="'handle'"):
        plan_in_file(Graph.from_bytes(fused))

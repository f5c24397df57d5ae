"""The flatbuffer module: reading, damaged files, changing, writing."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.conversion.flatbuffer import Graph, Quantization, schema
from rnnpool_tf.conversion.model_bytes import ALIGNMENT, pack

pytestmark = pytest.mark.keras_free

SIZE = 5


def tiny_graph() -> Graph:
    """input → ADD(constant) → RELU → output, with rubbish that compaction must drop."""
    model = schema.ModelT()
    model.version = 3
    model.description = b"tiny"
    model.buffers = [schema.BufferT()]
    model.operatorCodes = []
    subgraph = schema.SubGraphT()
    subgraph.tensors, subgraph.operators = [], []
    model.subgraphs = [subgraph]
    graph = Graph(model)
    graph.add_constant("unused", np.arange(100, dtype=np.int32))
    x = graph.add_tensor("x", (1, SIZE), np.float32)
    offset = graph.add_constant("offset", np.arange(SIZE, dtype=np.float32)[None])
    total = graph.add_tensor("total", (1, SIZE), np.float32)
    y = graph.add_tensor("y", (1, SIZE), np.float32)
    graph.make_operator("MAXIMUM", [x, x], [y])  # leaves an operator type that nobody uses
    add = graph.make_operator("ADD", [x, offset], [total])
    add.builtinOptionsType = schema.BuiltinOptions.AddOptions
    add.builtinOptions = schema.AddOptionsT()
    graph.operators.extend([add, graph.make_operator("RELU", [total], [y])])
    subgraph.inputs, subgraph.outputs = np.array([x]), np.array([y])
    signature = schema.SignatureDefT()
    signature.signatureKey = b"serving_default"
    signature.inputs, signature.outputs = [_entry("in", x)], [_entry("out", y)]
    model.signatureDefs = [signature]
    return graph


def _entry(name: str, index: int) -> schema.TensorMapT:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name.encode(), index
    return entry


def run(data: bytes, x: np.ndarray) -> np.ndarray:
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_content=data).get_signature_runner("serving_default")
    return runner(**{"in": x})["out"]


def test_written_model_runs_and_is_compact():
    data = tiny_graph().to_bytes()
    x = np.array([[-3.0, -3.0, 1.0, 1.0, -4.5]], np.float32)
    np.testing.assert_array_equal(run(data, x), [[0, 0, 3, 4, 0]])
    graph = Graph.from_bytes(data)
    assert [graph.tensor_name(i) for i in range(len(graph.tensors))] == [
        "x",
        "offset",
        "total",
        "y",
    ]
    assert [graph.name_of(op) for op in graph.operators] == ["ADD", "RELU"]
    assert len(graph.model.operatorCodes) == 2
    assert len(graph.model.buffers) == 2  # the empty one and `offset`
    assert Graph.from_bytes(data).to_bytes() == data, "writing again must change nothing"


@pytest.mark.parametrize("sizes", [(1, 2, 3), (16, 17), (5, 1, 31, 64)], ids=str)
def test_constants_are_aligned(sizes):
    graph = tiny_graph()
    for number, size in enumerate(sizes):
        value = np.full(size, number + 1, np.int8)
        index = graph.add_constant(f"c{number}", value)
        graph.operators.append(graph.make_operator("RELU", [index], [graph.outputs[0]]))
    data = graph.to_bytes()
    root = schema.Model.GetRootAs(data, 0)
    addresses = []
    for i in range(root.BuffersLength()):
        buffer = root.Buffers(i)
        if buffer.DataLength():
            table = buffer._tab
            addresses.append(table.Vector(table.Offset(4)))
    assert len(addresses) == 1 + len(sizes)
    assert not [address for address in addresses if address % ALIGNMENT]


def test_equal_constants_share_a_buffer():
    graph = tiny_graph()
    offset = graph.constant(2)
    again = graph.add_constant("again", offset.copy())
    graph.operators.append(graph.make_operator("RELU", [again], [graph.outputs[0]]))
    read = Graph.from_bytes(graph.to_bytes())
    shared = [tensor.buffer for tensor in read.tensors if tensor.name in (b"offset", b"again")]
    assert len(shared) == 2 and len(set(shared)) == 1


def test_replacing_and_removing():
    graph = tiny_graph()
    x, total, y = graph.inputs[0], 3, graph.outputs[0]
    graph.replace_tensors({total: x, y: total})
    graph.remove_unused(["RELU"])
    assert [graph.name_of(op) for op in graph.operators] == ["ADD"]
    data = graph.to_bytes()
    np.testing.assert_array_equal(run(data, np.zeros((1, SIZE), np.float32)), [range(SIZE)])


def test_producers_and_consumers():
    graph = tiny_graph()
    add, relu = graph.operators
    assert graph.producers() == {3: add, 4: relu}
    assert graph.consumers() == {1: [add], 2: [add], 3: [relu]}


def test_quantization_round_trip():
    graph = tiny_graph()
    index = graph.add_tensor("q", (1, SIZE), np.int8, Quantization(0.25, -7))
    graph.operators.append(graph.make_operator("QUANTIZE", [graph.inputs[0]], [index], version=2))
    read = Graph.from_bytes(graph.to_bytes())
    index = int(read.operators[-1].outputs[0])
    assert read.quantization(index) == Quantization(0.25, -7)
    assert read.quantization(read.inputs[0]) is None
    assert read.constant(index) is None
    assert read.dtype(index) == np.int8


@pytest.mark.parametrize(
    "data", [b"", b"TFL3", b"\x1c\x00\x00\x00TFL3", b"PK\x03\x04" * 20], ids=repr
)
def test_what_is_no_model_is_refused(data):
    with pytest.raises(ValueError, match=f"Received: {len(data)} bytes"):
        Graph.from_bytes(data)


def test_every_truncation_is_refused():
    data = tiny_graph().to_bytes()
    for length in range(len(data)):
        with pytest.raises(ValueError, match="Received"):
            Graph.from_bytes(data[:length])


def test_damaged_bytes_never_raise_anything_else():
    data = tiny_graph().to_bytes()
    rng = np.random.default_rng(1)
    refused = 0
    for _ in range(300):
        damaged = bytearray(data)
        for position in rng.integers(8, len(data), 4):
            damaged[position] = rng.integers(256)
        try:
            Graph.from_bytes(bytes(damaged))
        except ValueError:
            refused += 1
    assert refused > 30, "seed 1: the damage must be seen at all"


def test_index_that_leads_nowhere_is_refused():
    graph = tiny_graph()
    graph.operators[1].inputs = np.array([77])
    with pytest.raises(ValueError, match="a tensor index leads nowhere"):
        Graph.from_bytes(pack(graph.model))


@pytest.mark.parametrize("count", [3, 12])
def test_outputs_stand_in_the_order_of_their_names(count):
    graph = tiny_graph()
    (signature,) = graph.model.signatureDefs
    indices = [graph.add_tensor(f"y{i}", (1, SIZE), np.float32) for i in range(count)]
    shuffled = np.random.default_rng(4).permutation(count)
    signature.outputs = [_entry(f"output_{i}", indices[i]) for i in shuffled]
    graph.subgraph.outputs = np.array(indices[::-1])
    graph.order_outputs()
    assert graph.outputs == indices


def test_outputs_that_the_signature_does_not_name_stay():
    graph = tiny_graph()
    graph.subgraph.outputs = np.array([*graph.outputs, graph.inputs[0]])
    before = graph.outputs
    graph.order_outputs()
    assert graph.outputs == before


@pytest.mark.parametrize("attribute", ["inputs", "outputs", "builtinOptions"])
@pytest.mark.parametrize("missing", [None, ()], ids=["missing", "empty"])
def test_operators_without_what_they_need_are_damaged(attribute, missing):
    graph = tiny_graph()
    operator = graph.make_operator("CONV_2D", [1, 2], [3])
    operator.builtinOptionsType = schema.BuiltinOptions.Conv2DOptions
    operator.builtinOptions = schema.Conv2DOptionsT()
    graph.operators.append(operator)
    Graph.from_bytes(pack(graph.model))  # so far it is in order
    if attribute == "builtinOptions":
        operator.builtinOptionsType, operator.builtinOptions = 0, None
    else:
        setattr(operator, attribute, missing)
    with pytest.raises(ValueError, match="truncated or damaged"):
        Graph.from_bytes(pack(graph.model))


def test_no_operators():
    graph = tiny_graph()
    graph.subgraph.operators = None
    assert Graph.from_bytes(pack(graph.model)).operators == []

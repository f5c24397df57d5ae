"""Compressed weights: TFLite Micro unpacks what was packed, which is checked before writing."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rnnpool_tf import cli
from rnnpool_tf.conversion import Graph, fuse_model, tflm_compression
from rnnpool_tf.conversion.decode_forms import (
    BITMASK,
    DECODE,
    LOOKUP_TABLE,
    best_form,
    bitmask,
    describe,
    lookup_table,
)
from rnnpool_tf.conversion.memory_plan import plan_in_file
from rnnpool_tf.conversion.tflm_compression import compress, compressed
from rnnpool_tf.runtime import Runtime
from tests.conversion.sparse_model import SEED, sparse_model
from tests.deploy.tiny_model import tiny_model

pytestmark = pytest.mark.keras_free

ARRAYS = {
    "half": np.random.default_rng(SEED).integers(-3, 4, (5, 3, 3, 7)).astype(np.int8),
    "all_zero": np.zeros((3, 5), np.int8),
    "no_zero": np.full((9,), -128, np.int8),
    "every_value": np.arange(-128, 128).astype(np.int8),
    "128_values": np.arange(-64, 64).astype(np.int8),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_forms_hold_what_they_were_made_of(name):
    values = ARRAYS[name]
    encoded = bitmask(values)
    bits = np.unpackbits(encoded.values)[: values.size]
    unpacked = np.zeros(values.size, np.int8)
    unpacked[bits == 1] = encoded.about[16:].view(np.int8)
    np.testing.assert_array_equal(unpacked, values.ravel())
    nonzero = np.count_nonzero(values)
    assert describe(encoded.values, encoded.about, values.size) == (BITMASK, nonzero)
    table = lookup_table(values)
    if name == "every_value":
        assert table is None
        return
    assert describe(table.values, table.about, values.size) == (LOOKUP_TABLE, nonzero)
    assert best_form(values).bytes == min(encoded.bytes, table.bytes)


@pytest.mark.parametrize(
    ("density", "values", "form"),
    [(0.5, 127, BITMASK), (0.1, 127, BITMASK), (1.0, 3, LOOKUP_TABLE), (0.9, 60, LOOKUP_TABLE)],
    ids=["half", "few", "six_values", "7_bits"],
)
def test_tflm_computes_the_same_bytes(density, values, form):
    data = sparse_model(density, values)
    result = compress(data)
    assert {tensor.form for tensor in result.tensors} == {form}
    assert len(result.data) < len(data)
    assert DECODE in names(result.data)
    inputs = np.random.default_rng(SEED).integers(-128, 128, (4, 6, 6, 32)).astype(np.int8)
    expected = Runtime(data, engine="tflm").predict_quantized(inputs)
    received = Runtime(result.data, engine="tflm").predict_quantized(inputs)
    np.testing.assert_array_equal(received, expected)
    assert len(np.unique(expected)) > 10  # the comparison means something


def test_bytes_and_arena_are_what_it_says():
    result = compress(sparse_model())
    runtime = Runtime(result.data, engine="tflm")
    assert result.arena[1] == runtime.arena_bytes
    graph = Graph.from_bytes(result.data)
    for tensor, operator in zip(
        result.tensors, (o for o in graph.operators if graph.name_of(o) == DECODE), strict=True
    ):
        constants = [graph.constant(int(index)) for index in operator.inputs]
        assert sum(constant.nbytes for constant in constants) == tensor.after < tensor.before
        assert graph.tensor_name(int(operator.outputs[0])) == tensor.name
    assert plan_in_file(graph).head == runtime.arena_breakdown["head"]


def test_dense_weights_and_those_of_our_operators_stay():
    dense = sparse_model(density=1.0)
    assert compress(dense).data is dense
    model = tiny_model(size=48, stem=True, block=True)
    fused = fuse_model(model)
    for data in (model, fused):
        assert not {"RNNPool", "ConvRNNPool"}.isdisjoint(names(data))
    graph = Graph.from_bytes(fused)
    ours = [o for o in graph.operators if graph.name_of(o) in ("ConvRNNPool", "InvertedResidual")]
    kept = {graph.tensor_name(int(index)) for o in ours for index in o.inputs[1:] if index >= 0}
    assert kept.isdisjoint(tensor.name for tensor in compressed(fused).tensors)


def test_shared_weights_stay():
    graph = Graph.from_bytes(sparse_model())
    first, second = (o for o in graph.operators if graph.name_of(o) == "CONV_2D")
    index = int(first.inputs[1])
    graph.tensors[int(second.inputs[1])].buffer = graph.tensors[index].buffer
    graph.tensors[int(second.inputs[1])].shape = graph.tensors[index].shape
    result = compressed(graph.to_bytes())
    assert result.tensors
    after = Graph.from_bytes(result.data)
    for operator in after.operators:
        if after.name_of(operator) == "CONV_2D":
            assert after.has_data(int(operator.inputs[1]))


def test_outputs_that_differ_are_never_returned(monkeypatch):
    def damaged(weights):
        encoded = bitmask(weights)
        encoded.about[16:] ^= 1
        return encoded

    monkeypatch.setattr(tflm_compression, "best_form", damaged)
    with pytest.raises(RuntimeError, match="the same bytes"):
        compress(sparse_model())


def test_command(tmp_path, capsys):
    source, target = tmp_path / "model.tflite", tmp_path / "small.tflite"
    source.write_bytes(sparse_model())
    arguments = ["convert", str(source), "-o", str(target), "--fuse", "none", "--compress"]
    assert cli.main(arguments) == 0
    text = capsys.readouterr().out
    assert "AddDecode()" in text and DECODE in text
    assert target.stat().st_size < source.stat().st_size
    assert cli.main([*arguments, "--json"]) == 0
    done = json.loads(capsys.readouterr().out)["compression"]
    assert done["bytes"][1] == target.stat().st_size
    assert {tensor["form"] for tensor in done["tensors"]} == {BITMASK}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [([], "none that would shrink"), (["--stream"], "without --stream")],
    ids=["dense", "stream"],
)
def test_command_says_why_not_and_writes_nothing(options, sentence, tmp_path, capsys):
    source, target = tmp_path / "model.tflite", tmp_path / "small.tflite"
    source.write_bytes(sparse_model(density=1.0))
    assert cli.main(["convert", str(source), "-o", str(target), "--compress", *options]) == 1
    assert sentence in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [source]


def names(data: bytes) -> list[str]:
    graph = Graph.from_bytes(data)
    return [graph.name_of(operator) for operator in graph.operators]

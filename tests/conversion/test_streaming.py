"""Cutting a model into a front that takes lines and a body: the pair computes what it computed."""

from __future__ import annotations

import json
import re
import subprocess
import zlib

import numpy as np
import pytest

from rnnpool_tf import Runtime, StreamedRuntime
from rnnpool_tf.conversion import Graph, fuse_model, split_stream
from rnnpool_tf.conversion.front_image import read_front_image
from rnnpool_tf.conversion.memory_plan import PLANS, plan_in_file
from rnnpool_tf.conversion.stream_header import read_header
from rnnpool_tf.datasets import NORMALIZATIONS
from rnnpool_tf.gates import PIECEWISE_LINEAR
from rnnpool_tf.native import kernels_path
from tests.deploy.tiny_model import SIZE, tiny_model

pytestmark = pytest.mark.keras_free

SEED = 20261120


def _model(channels=3, blocks=1):
    return tiny_model(channels=channels, stem=True, block=blocks)


def _pictures(channels=3, count=5):
    shape = (count, SIZE, SIZE, channels)
    return np.random.default_rng(SEED).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("normalization", sorted(NORMALIZATIONS))
@pytest.mark.parametrize("blocks", [0, 1])
@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "rgb"])
def test_the_pair_equals_the_model(channels, blocks, normalization):
    model = _model(channels)
    pair = split_stream(model, blocks_in_front=blocks, normalization=normalization)
    assert pair.blocks_in_front == blocks
    pictures = _pictures(channels)
    inputs = NORMALIZATIONS[normalization].quantize(pictures, 1 / 128, 0)
    expected = Runtime(model, reference_kernels=True).predict_quantized(inputs)
    assert len(np.unique(expected, axis=0)) > 1, f"seed {SEED}: the pictures are not told apart"
    streamed = StreamedRuntime(pair.header.encode(), pair.body)
    np.testing.assert_array_equal(streamed.predict_quantized(pictures), expected)
    np.testing.assert_array_equal(streamed.predict_quantized(inputs), expected)


@pytest.mark.parametrize("engine", ["litert", "tflm"])
def test_the_pair_of_a_model_with_piecewise_linear_gates(engine):
    if engine == "tflm":
        pytest.importorskip("tflite_micro", reason="needs the package tflite_micro")
    model = tiny_model(stem=True, gates=PIECEWISE_LINEAR)
    pair = split_stream(model, blocks_in_front=0)
    assert read_front_image(pair.image).stem.cell1.gates == PIECEWISE_LINEAR
    pictures = _pictures()
    inputs = NORMALIZATIONS["symmetric"].quantize(pictures, 1 / 128, 0)
    expected = Runtime(model, reference_kernels=True).predict_quantized(inputs)
    assert len(np.unique(expected, axis=0)) > 1, f"seed {SEED}: the pictures are not told apart"
    smooth = Runtime(tiny_model(stem=True), reference_kernels=True).predict_quantized(inputs)
    assert (smooth != expected).any()
    streamed = StreamedRuntime(pair.header.encode(), pair.body, engine)
    np.testing.assert_array_equal(streamed.predict_quantized(pictures), expected)


@pytest.mark.parametrize(("blocks", "in_front"), [(0, 0), (2, 0), (2, 1), (2, 2), (3, 2)])
def test_blocks_on_either_side(blocks, in_front):
    model = _model(blocks=blocks)
    pair = split_stream(model, blocks_in_front=in_front)
    body = Graph.from_bytes(pair.body)
    behind = [body.name_of(operator) for operator in body.operators].count("InvertedResidual")
    assert behind == blocks - in_front
    pictures = _pictures()
    expected = Runtime(model, reference_kernels=True).predict_quantized(
        NORMALIZATIONS["symmetric"].quantize(pictures, 1 / 128, 0)
    )
    streamed = StreamedRuntime(pair.header.encode(), pair.body)
    np.testing.assert_array_equal(streamed.predict_quantized(pictures), expected)


def test_inputs_of_the_body():
    pair = split_stream(_model(), blocks_in_front=0)
    graph = Graph.from_bytes(pair.body)
    mapped, workspace = graph.inputs
    assert graph.shape(mapped) == (1, *pair.facts.map_shape)
    assert graph.tensor_name(workspace) == "workspace"
    assert graph.dtype(workspace) == np.int8
    assert graph.shape(workspace) == (pair.facts.workspace_bytes,)
    assert workspace not in graph.consumers()


def test_memory_of_the_workspace_is_used_again():
    """It takes arena beside the map only; what runs afterwards finds it free."""
    graph = Graph.from_bytes(split_stream(_model(), blocks_in_front=0).body)
    plan = plan_in_file(graph)
    workspace = next(buffer for buffer in plan.buffers if buffer.tensor == graph.inputs[1])
    assert (workspace.first, workspace.last) == (0, 0)
    mapped = next(buffer for buffer in plan.buffers if buffer.tensor == graph.inputs[0])
    assert plan.head == mapped.size + workspace.size


def test_a_fused_model_gives_the_same_pair():
    assert split_stream(fuse_model(_model())) == split_stream(_model())


def test_plan_of_the_body():
    planned, greedy = (split_stream(_model(), blocks_in_front=0, plan=p) for p in PLANS[::-1])
    heads = [plan_in_file(Graph.from_bytes(pair.body)).head for pair in (planned, greedy)]
    assert heads[0] <= heads[1]
    assert planned.image == greedy.image
    assert not Graph.from_bytes(greedy.body).model.metadata


def test_default_is_what_needs_least():
    pytest.importorskip("tflite_micro", reason="needs the package tflite_micro")
    totals = []
    for blocks in (0, 1):
        pair = split_stream(_model(), blocks_in_front=blocks)
        totals.append(StreamedRuntime(pair.header.encode(), pair.body, "tflm").total_bytes)
    assert totals[0] != totals[1]
    assert split_stream(_model()).blocks_in_front == int(np.argmin(totals))


def test_header_is_cpp_and_reads_back(tmp_path):
    pair = split_stream(_model(), name="hall 2", blocks_in_front=0)
    header = read_header(pair.header.encode())
    assert header.namespace == "hall_2_front"
    assert header.image == pair.image
    assert header.body_crc32 == zlib.crc32(pair.body)
    assert max(map(len, pair.header.splitlines())) <= 100
    (tmp_path / "front.h").write_text(pair.header)
    (tmp_path / "use.cpp").write_text(
        '#include "front.h"\n#include "rnnpool/line_stream.h"\n'
        "namespace front = hall_2_front;\n"
        f"static_assert(sizeof(front::kImage) == {len(pair.image)}, \"\");\n"
        "static_assert(front::kWidth == 24 && front::kHeight == 24, \"\");\n"
        "static_assert(front::kLineBytes == 24 * front::kChannels, \"\");\n"
        f"static_assert(front::kMapBytes == {np.prod(pair.facts.map_shape)}, \"\");\n"
        "const char* Open(rnnpool::LineStream* stream) {\n"
        "  return stream->Open(front::kImage, sizeof(front::kImage));\n}\n"
    )  # fmt: skip
    source = kernels_path() / "src"
    flags = ["-std=c++11", "-Wall", "-Wextra", "-Werror", f"-I{source}", "-fsyntax-only"]
    subprocess.run(["g++", *flags, tmp_path / "use.cpp"], check=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "", "must hold a front image.*Received: 0 bytes"),
        (lambda text: text.replace("kImage", "kOther"), "must hold a front image"),
        (lambda text: text.replace("0x52, ", "", 1), r"must have \d+ bytes. Received: \d+"),
        (lambda text: text.replace("0x52, ", "0xfff, ", 1), "front image is damaged"),
        (lambda text: text.replace("0x52, ", "0x53, ", 1), "Received: "),
    ],
    ids=["empty", "other constant", "byte missing", "no byte", "other magic"],
)
def test_damaged_header(change, message):
    pair = split_stream(_model())
    text = change(pair.header)
    assert text != pair.header
    with pytest.raises(ValueError, match=message):
        StreamedRuntime(text.encode(), pair.body)


def _with_map_as_output():
    graph = Graph.from_bytes(_model())
    pooled = next(op.outputs[0] for op in graph.operators if graph.name_of(op) == "RNNPool")
    graph.subgraph.outputs = np.array([*graph.outputs, pooled], np.int32)
    return graph.to_bytes()


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (lambda: tiny_model(quantized=False), {}, "int8 input.*Received: input of type float32"),
        (lambda: tiny_model(), {}, "begins with RNNPool"),
        (lambda: split_stream(_model(), blocks_in_front=0).body, {}, "already split"),
        (_with_map_as_output, {}, "an output of the model"),
        (lambda: tiny_model(channels=2, stem=True), {}, r"grey or RGB.*\[1, 24, 24, 2\]"),
        (_model, {"blocks_in_front": 2}, "must be at most 1"),
        (_model, {"blocks_in_front": 3}, "must be 0 to 2, or None. Received: blocks_in_front=3"),
        (_model, {"normalization": "none"}, "`normalization` must be one of"),
        (lambda: b"no model", {}, "must be a .tflite model"),
        (lambda: _model()[:2000], {}, "truncated or damaged"),
    ],
    ids=[
        "float", "no convolution", "split already", "map is an output", "two channels",
        "too many blocks", "three blocks", "normalization", "text", "truncated",
    ],
)  # fmt: skip
def test_refused(model, options, message):
    with pytest.raises(ValueError, match=message):
        split_stream(model(), **options)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.tflite"):
        split_stream(tmp_path / "nowhere.tflite")


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_command(tmp_path, capsys, as_json):
    pytest.importorskip("tflite_micro", reason="needs the package tflite_micro")
    from rnnpool_tf.cli import main

    (tmp_path / "m.tflite").write_bytes(_model())
    command = ["convert", str(tmp_path / "m.tflite"), "--stream", "-o", str(tmp_path / "hall")]
    assert main([*command, *(["--json"] if as_json else [])]) == 0
    pair = split_stream(_model(), name="hall")
    assert (tmp_path / "hall_front.h").read_text() == pair.header
    assert (tmp_path / "hall_body.tflite").read_bytes() == pair.body
    total = StreamedRuntime(pair.header.encode(), pair.body, "tflm").total_bytes
    printed = capsys.readouterr().out
    if as_json:
        assert json.loads(printed)["ram"]["total"] == total
    else:
        assert re.search(rf"RAM +{total:,} bytes: arena", printed)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--blocks-in-front", "1"], "`--blocks-in-front` goes with `--stream`"),
        (["--normalization", "imagenet"], "`--normalization` goes with `--stream`"),
        (["--stream", "--mean", "0", "0", "0"], "must be given together"),
        (["--stream", "-o", "nowhere/x"], "must be in an existing folder"),
        (["--stream", "--fuse", "none"], "a model that begins with CONV_2D"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_command_refuses(tmp_path, capsys, arguments, message):
    from rnnpool_tf.cli import main

    (tmp_path / "m.tflite").write_bytes(_model())
    assert main(["convert", str(tmp_path / "m.tflite"), *arguments]) == 1
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["m.tflite"]

"""`rnnpool convert` on .tflite files, and what it says about fusion."""

from __future__ import annotations

import json

import pytest

from rnnpool_tf import cli
from rnnpool_tf.conversion import Graph, fuse_model
from tests.conversion.fusion_models import block, stem
from tests.conversion.helpers import names, one_pool

pytestmark = pytest.mark.keras_free


@pytest.fixture
def path(tmp_path):
    """A stem with RNNPool and an inverted residual."""
    build = stem((3, 3))
    build.convolution(6)
    build.convolution(None, (2, 2))
    build.convolution(3)
    build.mean(keep_dimensions=False, rescale=True)
    path = tmp_path / "net.tflite"
    path.write_bytes(build.finish())
    return path


def test_fuses_and_lists(path, capsys):
    data = path.read_bytes()
    assert cli.main(["convert", str(path)]) == 0
    output = path.with_name("net_fused.tflite")
    assert output.read_bytes() == fuse_model(data)
    assert path.read_bytes() == data
    printed = capsys.readouterr().out
    assert f"{output}: {output.stat().st_size:,} bytes" in printed
    assert "  operators ConvRNNPool 1, InvertedResidual 1, MEAN 1\n" in printed
    assert "int8: patch " in printed  # the fused RNNPool layer is still described
    assert ": 3x3 stride 1 -> RNNPool\n" in printed
    assert "  fused block 'y': 1x1 -> depthwise 2x2 stride 1 -> 1x1\n" in printed
    assert "  not fused mean 'mean': AVERAGE_POOL_2D would round " in printed


@pytest.mark.parametrize(
    "what, operators",
    [
        ("none", ["CONV_2D", "RNNPool", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "MEAN"]),
        ("stem", ["ConvRNNPool", "CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D", "MEAN"]),
        ("blocks", ["CONV_2D", "RNNPool", "InvertedResidual", "MEAN"]),
        ("all", ["ConvRNNPool", "InvertedResidual", "MEAN"]),
    ],
)
def test_choice_and_json(path, what, operators, capsys):
    output = path.with_name("out.tflite")
    arguments = ["--fuse", what, "--plan", "greedy", "--json", "-o", str(output)]
    assert cli.main(["convert", str(path), *arguments]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert names(output.read_bytes()) == operators
    assert (output.read_bytes() == path.read_bytes()) == (what == "none")
    kinds = {"none": [], "stem": ["stem"], "blocks": ["block"], "all": ["stem", "block"]}[what]
    assert [note["kind"] for note in summary["fusion"] if note["fused"]] == kinds


def test_nothing_to_fuse_changes_nothing(tmp_path, capsys):
    build = block()
    build.graph.operators.pop()
    build.value = int(build.graph.operators[-1].outputs[0])
    path = tmp_path / "net.tflite"
    path.write_bytes(build.finish())
    assert cli.main(["convert", str(path), "--plan", "greedy"]) == 0
    assert path.with_name("net_fused.tflite").read_bytes() == path.read_bytes()
    assert "not fused block 'y': 'y' is an output of the model" in capsys.readouterr().out


@pytest.mark.parametrize(
    "what, sentence",
    [
        ("stem", "not fused model: it has no convolutions that feed RNNPool\n"),
        ("blocks", "fused block"),
    ],
)
def test_a_pass_that_finds_nothing_says_so(tmp_path, what, sentence, capsys):
    path = tmp_path / "net.tflite"
    path.write_bytes(block().finish())
    assert cli.main(["convert", str(path), "--fuse", what]) == 0
    assert sentence in capsys.readouterr().out


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        ("net.tflite", None, "there is no model to convert"),
        ("net.tflite", b"text", "must be a .tflite file, which has 'TFL3' as its bytes 4 to 7"),
    ],
    ids=["missing", "text"],
)
def test_no_model(tmp_path, name, content, sentence, capsys):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert cli.main(["convert", str(path)]) == 1
    error = capsys.readouterr().err
    assert sentence in error and str(path) in error and error.count("\n") == 1


@pytest.mark.parametrize("what", ["none", "blocks"])
def test_streaming_needs_the_fused_stem(path, what, capsys):
    assert cli.main(["convert", str(path), "--stream", "--fuse", what]) == 1
    assert f"fuse='{what}' leaves them apart" in capsys.readouterr().err
    assert [file.name for file in path.parent.iterdir()] == ["net.tflite"]


def test_float_models_stay_as_they_are(tmp_path, capsys):
    model = tmp_path / "net.keras"
    one_pool().save(model)
    assert cli.main(["convert", str(model), "--float"]) == 0
    assert "fused" not in capsys.readouterr().out
    assert cli.main(["convert", str(model.with_suffix(".tflite")), "--plan", "greedy"]) == 0
    assert "not fused model: it is not int8" in capsys.readouterr().out
    files = [tmp_path / name for name in ("net.tflite", "net_fused.tflite")]
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize(
    "arguments", [["--float"], ["--int8"], ["--input-type", "int8"], ["--output-type", "float32"]]
)
def test_types_are_those_of_the_file(path, arguments, capsys):
    assert cli.main(["convert", str(path), *arguments]) == 1
    error = capsys.readouterr().err
    assert f"`{arguments[0]}` goes with a Keras model" in error and str(path) in error
    assert [file.name for file in path.parent.iterdir()] == ["net.tflite"]


def test_damaged_file(path, capsys):
    path.write_bytes(path.read_bytes()[:200])
    assert cli.main(["convert", str(path)]) == 1
    assert "truncated or damaged" in capsys.readouterr().err
    assert [file.name for file in path.parent.iterdir()] == ["net.tflite"]


def test_the_fused_file_is_the_graph_that_is_described(path, capsys):
    assert cli.main(["convert", str(path), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    graph = Graph.from_bytes(path.with_name("net_fused.tflite").read_bytes())
    (pool,) = summary["rnnpool"]
    assert pool["type"] == "int8" and "4 channels, hidden" in pool["shape"]
    assert summary["inputs"][0]["shape"] == list(graph.shape(graph.inputs[0]))

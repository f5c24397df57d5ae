"""`rnnpool summary`: every byte is counted once, patterns are found, damage is refused."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from rnnpool_tf import cli
from rnnpool_tf.analysis import summarize_file
from rnnpool_tf.analysis.summary import summarize
from rnnpool_tf.analysis.summary.patterns import find_pattern
from rnnpool_tf.conversion import Graph, fuse_model
from rnnpool_tf.conversion.tflm_compression import compressed
from tests.conversion.packable_model import dense as packable_model
from tests.conversion.sparse_model import sparse_model
from tests.deploy.tiny_model import tiny_model

pytestmark = pytest.mark.keras_free

SEED = 20241128


def image_model() -> bytes:
    """Convolution, RNNPool, an inverted residual, classifier; unfused."""
    return tiny_model(size=48, stem=True, block=True)


MODELS = {
    "unfused": image_model,
    "fused": lambda: fuse_model(image_model()),
    "compressed": lambda: compressed(sparse_model()).data,
}


@pytest.mark.parametrize("name", MODELS)
def test_every_byte_is_counted_once(name):
    data = MODELS[name]()
    summary = summarize(data)
    parts = (
        summary.weights_bytes,
        summary.bias_bytes,
        summary.quantization_bytes,
        summary.names_bytes,
        summary.rest_bytes,
    )
    assert sum(parts) == summary.bytes == len(data)
    assert min(parts) > 0
    assert len(gzip.decompress(gzip.compress(data, 9))) == len(data)
    assert summary.gzip_bytes == len(gzip.compress(data, 9, mtime=0)) < len(data)
    assert [layer.operator for layer in summary.layers] == [
        Graph.from_bytes(data).name_of(operator) for operator in Graph.from_bytes(data).operators
    ]


def test_fusing_changes_no_weight():
    unfused, fused = summarize(image_model()), summarize(fuse_model(image_model()))
    assert (unfused.weights, unfused.nonzero) == (fused.weights, fused.nonzero)
    assert unfused.weights_bytes == fused.weights_bytes == unfused.weights
    names = [weights.name for layer in fused.layers for weights in layer.weights]
    assert names[:5] == ["conv0", "kernel1", "recurrent_kernel1", "kernel2", "recurrent_kernel2"]
    assert {"expand", "depthwise", "project"} < set(names)


def test_numbers_are_those_of_the_tensors():
    data = sparse_model()
    graph, summary = Graph.from_bytes(data), summarize(data)
    for operator, layer in zip(graph.operators, summary.layers, strict=True):
        if layer.operator not in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            assert not layer.weights
            continue
        (weights,) = layer.weights
        values = graph.constant(int(operator.inputs[1]))
        assert layer.output_shape == graph.shape(int(operator.outputs[0]))
        assert (weights.count, weights.bytes) == (values.size, values.nbytes)
        assert weights.nonzero == np.count_nonzero(values)
        assert weights.pattern == "unstructured"
        assert layer.bias_bytes == 4 * layer.output_shape[-1]


def test_compressed_weights_are_looked_into():
    data = sparse_model()
    result = compressed(data)
    before, after = summarize(data), summarize(result.data)
    assert {"bitmask"} == {tensor.form for tensor in result.tensors}
    assert (before.weights, before.nonzero) == (after.weights, after.nonzero)
    saved = sum(tensor.before - tensor.after for tensor in result.tensors)
    assert after.weights_bytes == before.weights_bytes - saved


def test_packed_matrices_are_looked_into():
    dense = summarize(fuse_model(packable_model(), pack="none"))
    packed = summarize(fuse_model(packable_model()))
    assert (dense.weights, dense.nonzero) == (packed.weights, packed.nonzero)
    assert packed.weights_bytes < dense.weights_bytes
    schemes = {w.name: (w.scheme, w.pattern) for x in packed.layers for w in x.weights}
    assert schemes["recurrent_kernel1"] == ("int8 per tensor, packed pairs", "1x2")


def test_float_models_have_no_scales():
    graph = Graph.from_bytes(sparse_model())
    for tensor in graph.tensors:
        tensor.quantization = None
    summary = summarize(graph.to_bytes())
    assert summary.quantization_bytes == 0
    assert {w.scheme for layer in summary.layers for w in layer.weights} == {"int8"}


def random_zeros(shape, density: float) -> np.ndarray:
    rng = np.random.default_rng(SEED)
    return rng.integers(1, 127, shape) * (rng.random(shape) < density)


def pairs(shape, density: float) -> np.ndarray:
    half = (*shape[:-1], shape[-1] // 2)
    return random_zeros(shape, 1.0) * np.repeat(random_zeros(half, density) != 0, 2, axis=-1)


def two_of_four(shape) -> np.ndarray:
    values = random_zeros(shape, 1.0).reshape(-1, 4)
    order = np.argsort(np.random.default_rng(SEED).random(values.shape), axis=1)
    np.put_along_axis(values, order[:, :2], 0, axis=1)
    return values.reshape(shape)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (random_zeros((16, 32), 0.95), "dense"),
        (random_zeros((16, 1, 1, 32), 0.5), "unstructured"),
        (random_zeros((16, 32), 0.1), "unstructured"),
        (pairs((16, 32), 0.5), "1x2"),
        (pairs((16, 32), 0.5) * (random_zeros((16, 32), 0.97) != 0), "1x2"),
        (pairs((8, 3, 3, 6), 0.3), "1x2"),
        (two_of_four((16, 32)), "2:4"),
        (two_of_four((16, 3, 3, 8)), "2:4"),
        (np.zeros((4, 8), np.int8), "unstructured"),
        (np.vstack([np.zeros((16, 32)), random_zeros((16, 32), 0.6)]), "unstructured"),
    ],
    ids=[
        "nearly_all",
        "half_at_random",
        "few_at_random",
        "pairs",
        "pairs_after_rounding",
        "pairs_of_a_3x3",
        "two_of_four",
        "two_of_four_of_a_3x3",
        "all_zero",
        "dead_units",
    ],
)
def test_patterns(values, expected):
    assert find_pattern(values) == expected, f"seed {SEED}"


def test_depthwise_kernels_have_no_groups():
    assert find_pattern(pairs((1, 3, 3, 32), 0.5), groups=False) == "unstructured"


def test_command_prints_a_table_and_json(tmp_path, capsys):
    path = tmp_path / "model.tflite"
    path.write_bytes(image_model())
    assert cli.main(["summary", str(path), "--no-arena"]) == 0
    text = capsys.readouterr().out
    assert text.splitlines()[0].split()[:3] == ["layer", "kind", "output"]
    assert any(line.split()[:3] == ["layer", "operator", "output"] for line in text.splitlines())
    assert f"{len(path.read_bytes()):,}" in text
    assert cli.main(["summary", str(path), "--json", "--no-arena"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert described["bytes"] == len(path.read_bytes())
    pool = next(layer for layer in described["layers"] if layer["operator"] == "RNNPool")
    assert pool["weights"][0]["name"] == "kernel1"
    assert all(0 <= weights["density"] <= 1 for weights in pool["weights"])


@pytest.mark.parametrize("name", ["model.h5", "folder", "truncated.tflite", "missing.tflite"])
def test_files_that_are_none_get_a_sentence(name, tmp_path, capsys):
    path = tmp_path / name
    contents = {"model.h5": b"\x89HDF\r\n", "truncated.tflite": image_model()[:2000]}
    if name in contents:
        path.write_bytes(contents[name])
    elif name == "folder":
        path.mkdir()
    assert cli.main(["summary", str(path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("rnnpool summary: ") and "Received: " in error
    assert "Traceback" not in error


def test_damage_is_refused_or_survived():
    rng = np.random.default_rng(SEED)
    files = [fuse_model(image_model()), compressed(sparse_model()).data]
    refused = 0
    for number in range(200):
        data = bytearray(files[number % 2])
        for place in rng.integers(0, len(data), 4):
            data[place] = rng.integers(256)
        try:
            summarize(bytes(data))
            summarize_file(bytes(data))
        except ValueError as error:
            refused += 1
            assert str(error), f"seed {SEED}, file {number}"
    assert refused

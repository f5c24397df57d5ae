"""`rnnpool arena`: what it measures is what the interpreter takes; table, map, picture, errors."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from rnnpool_tf import cli
from rnnpool_tf.analysis.arena import picture, table
from rnnpool_tf.analysis.arena.measurement import Measured, measure
from rnnpool_tf.analysis.arena.variants import Variant, read_pair, variants_of
from rnnpool_tf.conversion.finishing import fuse_model
from rnnpool_tf.conversion.flatbuffer import Quantization
from rnnpool_tf.conversion.streaming import split_stream
from rnnpool_tf.runtime import Runtime
from rnnpool_tf.runtime.streamed import StreamedRuntime
from tests.conversion.random_models import Builder
from tests.deploy.tiny_model import tiny_model
from tests.kernels.block_cases import ordinary_case

pytestmark = pytest.mark.keras_free

PNG = b"\x89PNG"


def image_model() -> bytes:
    """Convolution, RNNPool, an inverted residual, classifier; unfused."""
    return tiny_model(size=48, stem=True, block=True)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("arena") / "pool.tflite"
    path.write_bytes(image_model())
    return path


@pytest.fixture(scope="module")
def measured(model) -> list[Measured]:
    return [measure(variant) for variant in variants_of(model.read_bytes())]


def test_variants_compute_the_same_bytes(model):
    unfused, *resident, streamed = variants_of(model.read_bytes())
    assert [variant.name for variant in resident] == ["fused", "planned"]
    reference = Runtime(unfused.data, reference_kernels=True)
    shape = (2, *reference.input_details[0].shape[1:])
    x = np.random.default_rng(5000).integers(-128, 128, shape).astype(np.int8)
    expected = reference.predict_quantized(x)
    for variant in resident:
        output = Runtime(variant.data, engine="tflm").predict_quantized(x)
        np.testing.assert_array_equal(output, expected, err_msg=variant.name)
    pair = StreamedRuntime(streamed.header, streamed.data, engine="tflm")
    np.testing.assert_array_equal(pair.predict_quantized(x), expected)


def test_measurements_are_the_interpreters(model, measured):
    for variant, one in zip(variants_of(model.read_bytes()), measured, strict=True):
        if variant.header is not None:
            pair = StreamedRuntime(variant.header, variant.data, engine="tflm")
            assert (one.ram, one.total) == (pair.smallest_total, pair.arena_breakdown["total"])
            assert one.beside == pair.stream_bytes > 0
            continue
        runtime = Runtime(variant.data, engine="tflm")
        assert {"total": one.total, "head": one.head, "tail": one.tail} == runtime.arena_breakdown
        assert one.ram == one.smallest == runtime.smallest_arena
        assert one.plan.head == one.head


def test_each_step_takes_less(measured):
    unfused, fused, planned, _ = (one.head for one in measured)
    assert planned < fused
    assert measured[0].report.bound <= unfused
    assert measured[2].report.in_place_bound <= planned


def test_estimate_of_the_32_bit_tail_is_less_than_the_tail(measured):
    for one in measured:
        descriptors = 32 * len(one.operators)
        assert 0 < one.tail_32_bit_estimate <= one.tail - descriptors


def test_map_shows_every_buffer_while_it_lives(measured):
    for one in measured:
        lines = table.memory_map(one).splitlines()[2:]
        shown = sum(len(line.split("..")) - 1 for line in lines)
        times = range(len(one.operators) + 1)
        assert shown == sum(b.lives_at(t) for b in one.plan.buffers for t in times)
        tops = [o + b.size for b, o in zip(one.plan.buffers, one.plan.offsets, strict=True)]
        assert max(tops) == one.head


def test_an_already_planned_model_is_shown_as_it_is():
    planned = fuse_model(image_model())
    names = [variant.name for variant in variants_of(planned)]
    assert names == ["as it is", "streamed"]


def test_a_model_without_anything_to_fuse_or_stream():
    block = fuse_model(ordinary_case(5200, (8, 8, 8), 24, 8, (1, 1), True).model(1), plan="greedy")
    names = [variant.name for variant in variants_of(block, "block")]
    assert names == ["block as it is", "block planned"]


def test_command_prints_table_and_map(model, capsys, tmp_path):
    plot = tmp_path / "arena.png"
    assert cli.main(["arena", str(model), "--map", "--plot", str(plot)]) == 0
    text = capsys.readouterr().out
    for word in ("unfused", "fused", "planned", "streamed", "the paper's convention",
                 "lower bound, image resident", "ConvRNNPool", "scratch"):  # fmt: skip
        assert word in text
    assert plot.read_bytes()[:4] == PNG


def test_command_as_json(model, measured, capsys):
    assert cli.main(["arena", str(model), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["head"] for one in found["variants"]] == [one.head for one in measured]
    assert [one["ram"] for one in found["variants"]] == [one.ram for one in measured]
    path = found["main_path"]["pool"]
    assert path["lower_bounds"]["streamed"]["bytes"] <= path["lower_bounds"]["resident"]["bytes"]
    sizes = [(b["offset"] + b["bytes"]) for b in found["variants"][0]["buffers"]]
    assert max(sizes) <= measured[0].head


def test_command_with_a_pair_and_several_models(model, capsys, tmp_path):
    header, body = split_stream(model.read_bytes(), name="pool").write(tmp_path / "pool")
    other = tmp_path / "block.tflite"
    other.write_bytes(ordinary_case(5201, (8, 8, 8), 24, 8, (1, 1), True).model(1))
    arguments = ["arena", "--as-is", str(model), str(other), "--stream", str(header), str(body)]
    assert cli.main(arguments) == 0
    first, *_ = capsys.readouterr().out.splitlines()
    assert first.split() == ["pool", "block", "pool_body", "streamed"]


def test_a_pair_alone(model, capsys, tmp_path):
    pair = split_stream(model.read_bytes(), name="pool").write(tmp_path / "pool")
    assert measure(read_pair(*pair)).beside > 0
    assert cli.main(["arena", "--stream", *map(str, pair)]) == 0
    assert "paper" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda folder: [], "a model must be given"),
        (lambda folder: [folder / "none.tflite"], "none.tflite"),
        (lambda folder: [_file(folder, b"not a model")], "TFL3"),
        (lambda folder: [_file(folder, image_model()[:2000])], "damaged"),
        (
            lambda folder: [_file(folder, image_model()), "--plot", folder / "none" / "a.png"],
            "`--plot` must be in an existing folder",
        ),
    ],
    ids=["nothing", "no such file", "no model", "truncated", "no folder for the plot"],
)
def test_what_the_command_refuses(make, sentence, capsys, tmp_path):
    assert cli.main(["arena", *map(str, make(tmp_path))]) == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error and "Errno" not in error


def test_picture_is_not_narrower_than_its_legend(measured, tmp_path):
    widths = []
    for count in (1, 2):
        picture.draw(measured[:count], tmp_path / "arena.png")
        widths.append(int.from_bytes((tmp_path / "arena.png").read_bytes()[16:20], "big"))
    assert widths[0] == 850 < widths[1]


def test_a_model_that_aborts_the_interpreter():
    # SOFTMAX's multiplier, 2^26 times the scale, must be above 1; where it is not, TFLite aborts.
    with pytest.raises(ValueError, match=r"Micro aborts.*SIGABRT"):
        measure(Variant("tiny scale", softmax(1e-12)))
    assert measure(Variant("ordinary", softmax(0.1))).ram > 0


def test_models_called_alike_keep_apart(model, capsys, tmp_path):
    other = _file(tmp_path, ordinary_case(5203, (8, 8, 8), 24, 8, (1, 1), True).model(1))
    other = other.rename(tmp_path / model.name)
    assert cli.main(["arena", "--as-is", "--json", str(model), str(other)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found["variants"]] == [str(model), str(other)]
    assert list(found["main_path"]) == [str(model), str(other)]


def test_nothing_to_draw():
    unknown = Measured("float", ("RNNPool",), 100, 90, 50, 40, 30, 0, None, None)
    with pytest.raises(ValueError, match="memory plan is known"):
        picture.draw([unknown], "never.png")
    assert "no map" in table.memory_map(unknown)
    assert "RAM" in table.summary([unknown])
    assert "head" in table.as_json(unknown)


def test_a_model_with_an_operator_of_unknown_scratch_is_measured_without_a_map(monkeypatch):
    monkeypatch.setattr("rnnpool_tf.conversion.scratch._UNKNOWN", ("CONV_2D",))
    data = ordinary_case(5202, (8, 8, 8), 24, 8, (1, 1), True).model(1)
    one = measure(Variant("unknown", data))
    assert one.plan is None and one.report is None
    assert one.head == Runtime(data, engine="tflm").arena_breakdown["head"]


def _file(folder, data: bytes):
    path = folder / "model.tflite"
    path.write_bytes(data)
    return path


def softmax(scale: float) -> bytes:
    """SOFTMAX of eight int8 values of a scale."""
    build = Builder(5204, (1, 8))
    build.graph.set_quantization(build.value, Quantization(scale, 0))
    output = build.graph.add_tensor("scores", (1, 8), np.int8, Quantization(1 / 256, -128))
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    build.append("SOFTMAX", [build.value], output, options, version=2)
    return build.finish()

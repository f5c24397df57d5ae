"""The exported Arduino project: contents, memory, refusals, and nothing half-written."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from rnnpool_tf import runtime
from rnnpool_tf.conversion import Graph, fuse_model
from rnnpool_tf.conversion.flatbuffer import Quantization
from rnnpool_tf.datasets.preprocess import NORMALIZATIONS, Normalization
from rnnpool_tf.deploy import export_arduino, folder, memory
from tests.deploy.tiny_model import SIZE, tiny_model

pytestmark = pytest.mark.keras_free


@pytest.fixture
def pictures():
    return list(np.random.default_rng(2).integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8))


def _files(root):
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_layout_is_a_sketchbook(tmp_path, pictures):
    export = export_arduino(tiny_model(), tmp_path / "out", images=pictures, name="hall")
    files = _files(tmp_path / "out")
    assert export.sketch == tmp_path / "out" / "hall" / "hall.ino"
    assert {"README.md", "export.json", "hall/hall.ino", "hall/camera_ov7675.cpp"} <= set(files)
    library = [f.removeprefix("libraries/RNNPool/") for f in files if f.startswith("libraries/")]
    assert {"library.properties", "keywords.txt", "src/RNNPool.h", "src/rnnpool_op.cpp"} <= {
        *library
    }
    assert not [f for f in files if "$" in (tmp_path / "out" / f).read_text()]
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]  # no temporary folder is left


def test_resolver_lists_exactly_the_operators(tmp_path):
    export_arduino(tiny_model(), tmp_path / "out", name="s")
    text = (tmp_path / "out" / "s" / "ops.h").read_text()
    assert re.findall(r"ops\.(Add\w+)\(", text) == ["AddFullyConnected", "AddReshape", "AddCustom"]
    assert "MicroMutableOpResolver<3>" in text
    assert 'AddCustom("RNNPool", tflite::Register_RNN_POOL_INT8())' in text
    assert "#include <RNNPool.h>" in text


def test_resolver_of_a_fused_model(tmp_path):
    fused = fuse_model(tiny_model(stem=True, block=True))
    export_arduino(fused, tmp_path / "out", name="s", camera="none")
    text = (tmp_path / "out" / "s" / "ops.h").read_text()
    assert re.findall(r"ops\.(Add\w+)\(", text) == [
        *("AddFullyConnected", "AddReshape", "AddCustom", "AddCustom")
    ]
    assert 'AddCustom("ConvRNNPool", tflite::Register_CONV_RNN_POOL())' in text
    assert 'AddCustom("InvertedResidual", tflite::Register_INVERTED_RESIDUAL())' in text
    assert text.count("#include <RNNPool.h>") == 1


def test_a_fused_model_needs_less_and_scores_the_same(tmp_path, pictures):
    exports, tests = [], []
    for form, convert in (("plain", bytes), ("fused", fuse_model)):
        model = convert(tiny_model(stem=True, block=True))
        exports.append(export_arduino(model, tmp_path / form, images=pictures, name="s"))
        tests.append((tmp_path / form / "s" / "test_pictures.cpp").read_text())
    assert exports[1].memory.arena < exports[0].memory.arena
    assert tests[0] == tests[1]


def test_model_is_stored_aligned_and_whole(tmp_path):
    model = tiny_model()
    export_arduino(model, tmp_path / "out", name="s")
    text = (tmp_path / "out" / "s" / "model.cpp").read_text()
    assert f"alignas(16) const unsigned char kModel[{len(model)}]" in text
    body = text[text.index("kModel[") :]
    assert bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2})", body)) == model


def test_expected_scores_are_those_of_tflm(tmp_path, pictures):
    model = tiny_model()
    export_arduino(model, tmp_path / "out", images=pictures, name="s")
    text = (tmp_path / "out" / "s" / "test_pictures.cpp").read_text()
    scores = re.findall(r"0x[0-9a-f]{8},\s*\{(-?\d+), (-?\d+)\}", text)
    batch = NORMALIZATIONS["symmetric"].quantize(np.stack(pictures), 1 / 128, 0)
    engine = runtime.Runtime(model, engine="tflm")
    expected = np.concatenate([engine.predict_quantized(image[None]) for image in batch])
    assert len(scores) == 3  # the pattern and two pictures
    np.testing.assert_array_equal(np.array(scores[1:], int), expected)
    assert len(np.unique(expected, axis=0)) == 2  # the pictures are told apart


@pytest.mark.parametrize(
    ("channels", "camera", "frame"),
    [(1, "ov7675", 19_200), (3, "ov7675", 38_400), (3, "none", 0)],
    ids=["grey", "rgb", "no_camera"],
)
def test_memory_adds_up(tmp_path, channels, camera, frame):
    model = tiny_model(channels=channels)
    export = export_arduino(model, tmp_path / "out", name="s", camera=camera)
    plan = export.memory
    assert plan.arena_measured == runtime.Runtime(model, engine="tflm").arena_bytes
    assert plan.frame == frame
    assert plan.arena % 16 == 0
    assert 1024 <= plan.arena_margin < 1024 + 16  # no CMSIS-NN scratch in this model
    assert plan.ram == plan.arena + frame + memory.SYSTEM_RAM
    assert plan.model == len(model)
    figures = json.loads((tmp_path / "out" / "export.json").read_text())["bytes"]
    assert figures["ram"] == plan.ram
    text = (tmp_path / "out" / "s" / "model.h").read_text()
    assert f"kArenaBytes = {plan.arena};" in text


@pytest.mark.parametrize("camera", ["ov7675", "none"])
def test_camera_decides_what_is_included(tmp_path, camera):
    export_arduino(tiny_model(), tmp_path / "out", name="s", camera=camera, tflm="tensorflow")
    sketch = tmp_path / "out" / "s"
    text = (sketch / "s.ino").read_text()
    assert "#include <TensorFlowLite.h>" in text
    assert ("camera.h" in text) is (camera == "ov7675")
    assert (sketch / "camera_ov7675.cpp").exists() is (camera == "ov7675")
    assert ("Arduino_OV767X" in (tmp_path / "out" / "README.md").read_text()) is (
        camera == "ov7675"
    )


def test_normalization_is_in_the_table(tmp_path):
    custom = Normalization("custom", (0.1, 0.2, 0.3), (0.5, 0.6, 0.7))
    export_arduino(tiny_model(), tmp_path / "out", name="s", normalization=custom)
    text = (tmp_path / "out" / "s" / "model.cpp").read_text()
    table = text[text.index("kInputTable") : text.index("}  // namespace")]
    values = np.array(re.findall(r"(?<![\w\]])-?\d+(?=[,}])", table), int).reshape(3, 256)
    np.testing.assert_array_equal(values, custom.lookup_table(3, 1 / 128, 0))


def test_labels_may_hold_any_text(tmp_path):
    labels = ['a "quoted" \\ one', "Tür??/"]
    export_arduino(tiny_model(), tmp_path / "out", name="s", labels=labels)
    text = (tmp_path / "out" / "s" / "model.cpp").read_text()
    assert r'"a \"quoted\" \\ one", "T\303\274r\?\?/"' in text


def test_name_comes_from_the_file(tmp_path):
    (tmp_path / "2nd try-96.tflite").write_bytes(tiny_model())
    export = export_arduino(tmp_path / "2nd try-96.tflite", tmp_path / "out")
    assert export.sketch.name == "model_2nd_try_96.ino"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": ["one"]}, r"`labels` must be 2 names.*\['one'\]"),
        ({"labels": "ab"}, r"`labels` must be 2 names"),
        ({"camera": "webcam"}, r"`camera` must be one of .*'webcam'"),
        ({"tflm": "esp"}, r"`tflm` must be one of .*'esp'"),
        ({"name": "my sketch"}, r"`name` must be .*'my sketch'"),
        ({"name": "libraries"}, r"`name` must be"),
        ({"normalization": "none"}, r"`normalization` must be one of"),
        ({"images": [np.zeros((9, 9, 3), np.uint8)]}, r"`images\[0\]` must be uint8"),
        ({"images": "me.jpg"}, r"`images` must be a list .*Received: str"),
        ({"ram_bytes": 60_000}, r"bytes of RAM and the board has 60,000: arena .* camera frame"),
        ({"flash_bytes": 100_000}, r"bytes of flash and the board has 100,000: model"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_refused_and_nothing_written(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        export_arduino(tiny_model(), tmp_path / "out", **options)
    assert list(tmp_path.iterdir()) == []


def test_force_replaces_an_export_and_nothing_else(tmp_path):
    out = tmp_path / "out"
    export_arduino(tiny_model(), out, name="first")
    with pytest.raises(FileExistsError, match="--force"):
        export_arduino(tiny_model(), out, name="second")
    assert (out / "first").is_dir()
    export_arduino(tiny_model(), out, name="second", force=True)
    assert not (out / "first").exists()
    assert (out / "second" / "second.ino").is_file()


def test_force_never_deletes_other_files(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(FileExistsError, match="holds other files"):
        export_arduino(tiny_model(), tmp_path, force=True)
    assert _files(tmp_path) == ["thesis.tex"]


def test_a_model_that_aborts_the_interpreter(tmp_path):
    graph = Graph.from_bytes(tiny_model())
    logits = graph.outputs[0]
    graph.set_quantization(logits, Quantization(1e-12, 0))  # out of SOFTMAX's range
    scores = graph.add_tensor("scores", (1, 2), np.int8, Quantization(1 / 256, -128))
    softmax = graph.make_operator("SOFTMAX", [logits], [scores], 2)
    softmax.builtinOptions = schema.SoftmaxOptionsT()
    softmax.builtinOptions.beta = 1.0
    softmax.builtinOptionsType = schema.BuiltinOptions.SoftmaxOptions
    graph.operators.append(softmax)
    graph.subgraph.outputs = np.array([scores], np.int32)
    with pytest.raises(ValueError, match="TensorFlow Lite Micro aborts"):
        export_arduino(graph.to_bytes(), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(NotADirectoryError, match=r"the file .*out"):
        export_arduino(tiny_model(), tmp_path / "out")


def test_an_error_while_writing_leaves_the_old_export(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "kept").write_text("old")
    with pytest.raises(RuntimeError, match="disk full"), folder.replacing(out) as fresh:
        (fresh / "half").write_text("new")
        raise RuntimeError("disk full")
    assert _files(tmp_path) == ["out/kept"]


@pytest.mark.parametrize("as_json", [False, True], ids=["table", "json"])
def test_command(tmp_path, capsys, as_json):
    from rnnpool_tf.cli import main

    (tmp_path / "m.tflite").write_bytes(tiny_model())
    command = ["export", "arduino", str(tmp_path / "m.tflite"), "-o", str(tmp_path / "out")]
    assert main([*command, *(["--json"] if as_json else [])]) == 0
    printed = capsys.readouterr().out
    if as_json:
        assert json.loads(printed)["sketch"] == "m/m.ino"
    else:
        assert re.search(r"arena +[\d,]+ bytes \([\d,]+ measured\)", printed)
    assert main(command) == 1
    assert "pass --force" in capsys.readouterr().err
    assert main([*command, "--force", "--mean", "0", "0", "0"]) == 1
    assert "given together" in capsys.readouterr().err

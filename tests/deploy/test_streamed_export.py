"""Exported projects whose pictures arrive line by line: contents, and what their sketch does."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from rnnpool_tf import StreamedRuntime
from rnnpool_tf.deploy import export_arduino, pictures, streamed
from rnnpool_tf.deploy.answers import AnswerChoice
from tests.deploy import desktop_build, toolchain
from tests.deploy.pair import tiny_pair
from tests.deploy.tiny_model import SIZE

pytestmark = pytest.mark.keras_free

# channels, camera, whether an inverted residual is behind RNNPool
_CASES = {
    "grey": (1, "ov7675", True),
    "rgb": (3, "ov7675", False),
    "no camera": (3, "none", True),
}


def _export(folder, channels, camera, block):
    pair = tiny_pair(channels, block)
    shape = (2, SIZE, SIZE, channels)
    images = list(np.random.default_rng(4).integers(0, 256, shape, dtype=np.uint8))
    header = pair.header.encode()
    export = export_arduino(
        pair.body, folder / "project", front=header, images=images, name="sketch", camera=camera
    )
    project = streamed.build_project(pair.body, header, images, AnswerChoice())
    return export, project


def _build(folder, project):
    return desktop_build.build(
        folder,
        folder / "project",
        project.inputs[0].size,
        2,
        workspace_bytes=project.workspace_bytes,
    )


@pytest.mark.parametrize("case", _CASES)
def test_sketch_on_the_desktop(tmp_path, case):
    channels, camera, block = _CASES[case]
    _, project = _export(tmp_path, channels, camera, block)
    program = _build(tmp_path, project)
    pixel_format = "grey8" if channels == 1 else "rgb565"
    shape = (120, 160, pictures.PIXEL_BYTES[pixel_format])
    frame = pictures.Picture(
        "frame", np.random.default_rng(6).integers(0, 256, shape, dtype=np.uint8), pixel_format
    )
    (tmp_path / "frame").write_bytes(frame.pixels.tobytes())
    live = np.array([[-20, 40]], np.int8)
    (tmp_path / "scores").write_bytes(np.concatenate([project.outputs[0], live]).tobytes())

    printed = toolchain.run([program, "frame"], cwd=tmp_path).stdout
    assert re.findall(r"^(.+): PASS$", printed, re.M) == ["pattern", "picture 1", "picture 2"]
    assert "self-test: PASS, 3 of 3" in printed
    maps = np.frombuffer((tmp_path / "inputs").read_bytes(), np.int8)
    maps = maps.reshape(-1, *project.inputs.shape[1:])
    np.testing.assert_array_equal(maps[:3], project.inputs)
    # Without a camera the first picture that is classified is the first test picture.
    source = project.tests[0] if camera == "none" else frame
    pair = tiny_pair(channels, block)
    runtime = StreamedRuntime(pair.header.encode(), pair.body)
    np.testing.assert_array_equal(maps[3:], runtime.front(pictures.resize(source, SIZE, SIZE)))
    # (q - zero point 3) * scale 0.05
    assert "no person -1.15, person 1.85, 0 ms: person" in printed


@pytest.mark.parametrize("wrong", ["score", "front"])
def test_self_test_fails_when_the_device_differs(tmp_path, wrong):
    _, project = _export(tmp_path, 3, "none", True)
    scores = project.outputs[0].copy()
    message = "FAIL, the front's map differs from the desktop's"
    if wrong == "score":
        scores[1, 1] ^= 1
        message = "picture 1: FAIL, the score of 'person'"
    else:
        source = tmp_path / "project" / "sketch" / "picture.cpp"
        text = source.read_text()
        assert "+ 32768" in text
        source.write_text(text.replace("+ 32768", "+ 99999"))
    (tmp_path / "scores").write_bytes(np.concatenate([scores, scores[:1]]).tobytes())
    printed = toolchain.run([_build(tmp_path, project)], cwd=tmp_path).stdout
    assert message in printed
    assert "self-test: FAIL" in printed


@pytest.mark.parametrize("headers", ["mirror", "real"])
@pytest.mark.parametrize("case", ["rgb", "no camera"])
def test_every_source_compiles_for_cortex_m4(tmp_path, case, headers):
    compiler = toolchain.compiler("arm-none-eabi-g++")
    export, project = _export(tmp_path, *_CASES[case])
    if headers == "real":
        include = toolchain.real_include_flags(tmp_path / "scratch")
        if include is None:
            pytest.skip(
                "needs TensorFlow Lite Micro's headers: set TFLM_INCLUDE or install xmos-ai-tools, "
                "and libgemmlowp-dev"
            )
    else:
        include = toolchain.fake_include_flags(tmp_path / "scratch")
        include += [f"-DFAKE_INPUT_BYTES={project.inputs[0].size}", "-DFAKE_SCORES=2"]
    flags = [*toolchain.CORTEX_M4.split(), *toolchain.WARNINGS.split(), "-std=c++11", "-Os"]
    library = export.output / "libraries" / "RNNPool" / "src"
    flags += [f"-I{library}", f"-I{toolchain.STUBS}", *include]
    sources = desktop_build.sources(export.output / "sketch")
    assert {"classifier.cpp", "sketch.ino"} <= {source.name for source in sources}
    desktop_build.compile_each(compiler, flags, sources, tmp_path)


def test_the_arena_holds_map_and_workspace(tmp_path):
    export, project = _export(tmp_path, 3, "none", True)
    plan = export.memory
    assert plan.arena_measured == project.arena_bytes
    assert plan.arena_measured > project.inputs[0].size + project.workspace_bytes
    assert plan.stream == project.stream_bytes > SIZE * 3  # the stream object and a line
    assert plan.ram == plan.arena + plan.stream + plan.system_ram
    text = (export.output / "sketch" / "model.h").read_text()
    assert f"kArenaBytes = {plan.arena};" in text
    manifest = json.loads((export.output / "export.json").read_text())
    assert manifest["streamed"] is True
    assert manifest["bytes"]["stream"] == plan.stream


@pytest.mark.parametrize("camera", ["ov7675", "none"])
def test_readme_says_where_lines_come_from(tmp_path, camera):
    export, project = _export(tmp_path, 3, camera, True)
    text = (export.output / "README.md").read_text()
    assert "line_source.h" in text
    assert ("delivers whole frames only" in " ".join(text.split())) is (camera == "ov7675")
    assert f"{project.stream_bytes:,}" in text
    assert "$" not in text
    assert (export.output / "sketch" / "front.h").read_text() == project.header


def test_resolver_lists_the_operators_of_the_body(tmp_path):
    export, _ = _export(tmp_path, 3, "none", True)
    text = (export.output / "sketch" / "ops.h").read_text()
    assert re.findall(r'AddCustom\("(\w+)"', text) == ["InvertedResidual"]
    assert text.count("#include <RNNPool.h>") == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"front": b"int kNothing = 1;"}, "the header must hold a front image"),
        ({"front": None}, "must have one input; the body of a streamed model"),
        ({"normalization": "imagenet"}, "`normalization` must not be given with a front"),
        ({"images": [np.zeros((9, 9, 3), np.uint8)]}, r"`images\[0\]` must be uint8"),
        ({"labels": ["one"]}, "`labels` must be 2 names"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_refused_and_nothing_written(tmp_path, change, message):
    pair = tiny_pair()
    with pytest.raises(ValueError, match=message):
        export_arduino(pair.body, tmp_path / "out", **{"front": pair.header.encode(), **change})
    assert list(tmp_path.iterdir()) == []


def test_a_body_of_another_front_is_refused(tmp_path):
    with pytest.raises(ValueError, match="`body` must belong to the front"):
        export_arduino(
            tiny_pair(block=False).body,
            tmp_path / "out",
            front=tiny_pair(size=SIZE + 8).header.encode(),
        )
    assert list(tmp_path.iterdir()) == []


def test_command(tmp_path, capsys):
    from rnnpool_tf.cli import main

    header, body = tiny_pair().write(tmp_path / "hall")
    command = ["export", "arduino", str(body), "--front", str(header)]
    assert main([*command, "-o", str(tmp_path / "out")]) == 0
    assert re.search(r"stream and line +[\d,]+ bytes", capsys.readouterr().out)
    assert (tmp_path / "out" / "hall" / "hall.ino").is_file()

"""Exported projects of face detectors: what their sketch prints, and what they are refused for."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from rnnpool_tf.box_decoding import native_detections
from rnnpool_tf.datasets.preprocess import NORMALIZATIONS
from rnnpool_tf.deploy import export_arduino, resident, streamed
from rnnpool_tf.deploy.answers import AnswerChoice
from rnnpool_tf.deploy.model_info import read_model
from tests.deploy import desktop_build, toolchain
from tests.deploy.pair import tiny_pair
from tests.deploy.tiny_model import tiny_model

pytestmark = pytest.mark.keras_free

SIDE = 40
CHOICE = AnswerChoice(detector="qvga", score_threshold=0.3)
OPTIONS = {"detector": "qvga", "score_threshold": 0.3}


def images() -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    return list(rng.integers(0, 256, (2, SIDE, SIDE, 1), dtype=np.uint8))


def export(folder, streams: bool, camera: str = "none"):
    """The export, and the project it is made from."""
    options = {"images": images(), "name": "sketch", "camera": camera, **OPTIONS}
    if streams:
        pair = tiny_pair(1, size=SIDE, detector=True)
        front = pair.header.encode()
        done = export_arduino(pair.body, folder / "project", front=front, **options)
        return done, streamed.build_project(pair.body, front, images(), CHOICE)
    model = tiny_model(channels=1, size=SIDE, detector=True)
    done = export_arduino(model, folder / "project", normalization="symmetric", **options)
    return done, resident.build_project(read_model(model), images(), CHOICE, "symmetric")


def build(folder, project):
    sizes = [output[0].size for output in project.outputs]
    workspace = getattr(project, "workspace_bytes", None)
    return desktop_build.build(
        folder, folder / "project", project.inputs[0].size, *sizes, workspace_bytes=workspace
    )


def output_bytes(project, pictures) -> bytes:
    return b"".join(output[i].tobytes() for i in pictures for output in project.outputs)


def faces_of(project, picture: int):
    """By the C++ core; the export has them from the specification."""
    answers = project.answers
    settings = answers.settings
    return native_detections(
        answers.levels,
        [output[picture] for output in project.outputs],
        score_threshold=0.3,
        candidates=settings.candidates,
        detections=settings.detections,
    )


@pytest.mark.parametrize("streams", [False, True], ids=["resident", "streamed"])
def test_sketch_on_the_desktop(tmp_path, streams):
    done, project = export(tmp_path, streams, "ov7675")
    (tmp_path / "frame").write_bytes(np.zeros(160 * 120, np.uint8).tobytes())
    (tmp_path / "scores").write_bytes(output_bytes(project, [0, 1, 2, 1]))
    printed = toolchain.run([build(tmp_path, project), "frame"], cwd=tmp_path).stdout
    assert re.findall(r"^(.+): PASS$", printed, re.M) == ["pattern", "picture 1", "picture 2"]

    found = faces_of(project, 1)
    assert 3 < len(found) < 50  # the live picture, to which the stand-in answers as to the first
    rows = re.findall(r"^(\d+) %, (-?[\d.]+), (-?[\d.]+), (-?[\d.]+), (-?[\d.]+)$", printed, re.M)
    live = np.array(rows, float)
    # Printed as whole per cents and with one digit.
    assert np.abs(live[:, 0] / 100 - found.scores).max() <= 0.005 + 0.001
    assert np.abs(live[:, 1:] - found.pixels).max() <= 0.0501
    assert f"{len(found)} faces, 0 ms" in printed
    assert done.memory.faces == 248 + 400 * 8 + 50 * 20
    text = (done.output / "README.md").read_text()
    assert "| face decoder, its candidates and faces | 4,448 |" in text
    assert "probability, x1, y1, x2 and y2 of every face" in text


@pytest.mark.parametrize("wrong", ["box", "count"])
def test_self_test_fails_when_the_device_differs(tmp_path, wrong):
    _, project = export(tmp_path, False)
    changed = [output.copy() for output in project.outputs]
    if wrong == "box":
        for loc in changed[::2]:
            loc[1, ..., 0] += 1  # too little to change what overlaps
    else:
        for conf in changed[1::2]:
            conf[1] = (127, -128)
    data = b"".join(out[i].tobytes() for i in range(3) for out in changed)
    (tmp_path / "scores").write_bytes(data)
    printed = toolchain.run([build(tmp_path, project)], cwd=tmp_path).stdout
    count = len(faces_of(project, 1))
    message = {
        "box": r"picture 1: FAIL, face 0 is -?\d+.*, the desktop has -?\d+",
        "count": rf"picture 1: FAIL, 0 faces, the desktop has {count}",
    }[wrong]
    assert re.search(message, printed), printed
    assert "self-test: FAIL, 2 of 3" in printed


@pytest.mark.parametrize("streams", [False, True], ids=["resident", "streamed"])
def test_every_source_compiles_for_cortex_m4(tmp_path, streams):
    done, project = export(tmp_path, streams)
    compiler = toolchain.compiler("arm-none-eabi-g++")
    flags = [*toolchain.CORTEX_M4.split(), *toolchain.WARNINGS.split(), "-std=c++11", "-Os"]
    flags += [f"-I{done.output / 'libraries' / 'RNNPool' / 'src'}", f"-I{toolchain.STUBS}"]
    flags += toolchain.fake_include_flags(tmp_path / "scratch")
    flags += [f"-DFAKE_INPUT_BYTES={project.inputs[0].size}", "-DFAKE_SCORES=200"]
    sources = desktop_build.sources(done.output / "sketch")
    assert "answer.cpp" in {source.name for source in sources}
    desktop_build.compile_each(compiler, flags, sources, tmp_path)


def test_no_faces_at_all(tmp_path):
    model = tiny_model(channels=1, size=SIDE, detector=True)
    normalization = NORMALIZATIONS["symmetric"]
    options = {"detector": "qvga", "score_threshold": 1 - 1e-12, "normalization": normalization}
    export_arduino(model, tmp_path / "out", name="s", camera="none", **options)
    assert "nullptr, 0}," in (tmp_path / "out" / "s" / "test_pictures.cpp").read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"detector": "hd"}, r"`detector` must be one of \['qvga', 'vga'\]. Received: .*'hd'"),
        ({"detector": "vga"}, "must have 12 outputs"),
        ({"labels": ["face"]}, r"`labels` must not be given with a `detector`.*\['face'\]"),
        ({"score_threshold": 1.5}, "`score_threshold` must be at least 0 and below 1"),
        ({"detector": None}, "`score_threshold` must be given with a `detector`"),
        ({"detector": None, "score_threshold": None}, "must have one output, unless"),
        ({"ram_bytes": 60_000}, "faces 4,448, system"),
    ],
    ids=["unknown", "levels", "labels", "score", "alone", "classifier", "ram"],
)
def test_refused_and_nothing_written(tmp_path, options, message):
    model = tiny_model(channels=1, size=SIDE, detector=True)
    arguments = {**OPTIONS, "normalization": "symmetric", **options}
    with pytest.raises(ValueError, match=message):
        export_arduino(model, tmp_path / "out", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_command(tmp_path, capsys):
    from rnnpool_tf.cli import main

    (tmp_path / "m.tflite").write_bytes(tiny_model(channels=1, size=SIDE, detector=True))
    command = ["export", "arduino", str(tmp_path / "m.tflite"), "--camera", "none"]
    command += ["--normalization", "symmetric", "--detector", "qvga", "--score-threshold", "0.5"]
    assert main([*command, "-o", str(tmp_path / "out")]) == 0
    assert re.search(r"face decoder +4,448 bytes", capsys.readouterr().out)
    levels = (tmp_path / "out" / "m" / "detection_levels.h").read_text()
    assert "kSettings = {0, 9830, kCandidates" in levels
    assert json.loads((tmp_path / "out" / "export.json").read_text())["bytes"]["faces"] == 4448

"""Exported sources compile for Cortex-M4, and the sketch does on the desktop what it should.

The desktop run replaces Arduino's core, the camera and the interpreter by stand-ins; everything
else, preprocessing and comparison with the expected scores included, is the exported code.
"""

from __future__ import annotations

import re

import numpy as np
import pytest

from rnnpool_tf.deploy import export_arduino, pictures
from rnnpool_tf.deploy.answers import AnswerChoice
from rnnpool_tf.deploy.model_info import read_model
from rnnpool_tf.deploy.resident import build_project
from tests.deploy import desktop_build, toolchain
from tests.deploy.tiny_model import SIZE, tiny_model

pytestmark = pytest.mark.keras_free

_CASES = [(1, "ov7675"), (3, "ov7675"), (3, "none")]
_IDS = ["grey", "rgb", "no_camera"]


def _export(folder, channels, camera):
    model = tiny_model(channels=channels)
    shape = (2, SIZE, SIZE, channels)
    images = list(np.random.default_rng(4).integers(0, 256, shape, dtype=np.uint8))
    export_arduino(model, folder / "project", images=images, name="sketch", camera=camera)
    project = build_project(read_model(model), images, AnswerChoice(), "symmetric")
    return folder / "project", project


@pytest.mark.parametrize(
    ("channels", "camera", "headers"),
    # The real headers are slow to compile, and only classifier.cpp and the operator include them.
    [*((*case, "mirror") for case in _CASES), (*_CASES[1], "real")],
    ids=[*(f"{name}-mirror" for name in _IDS), f"{_IDS[1]}-real"],
)
def test_every_source_compiles_for_cortex_m4(tmp_path, channels, camera, headers):
    compiler = toolchain.compiler("arm-none-eabi-g++")
    if headers == "real":
        include = toolchain.real_include_flags(tmp_path / "scratch")
        if include is None:
            pytest.skip(
                "needs TensorFlow Lite Micro's headers: set TFLM_INCLUDE or install xmos-ai-tools, "
                "and libgemmlowp-dev"
            )
    else:
        include = toolchain.fake_include_flags(tmp_path / "scratch")
        include += [f"-DFAKE_INPUT_BYTES={SIZE * SIZE * channels}", "-DFAKE_SCORES=2"]
    root, _ = _export(tmp_path, channels, camera)
    sources = desktop_build.sources(root / "sketch")
    if (channels, camera) == _CASES[1]:  # the library is the same in all cases
        library = desktop_build.sources(root / "libraries")
        assert len(library) >= 5
        sources += library
    flags = [*toolchain.CORTEX_M4.split(), *toolchain.WARNINGS.split(), "-std=c++11", "-Os"]
    flags += [f"-I{root / 'libraries' / 'RNNPool' / 'src'}", f"-I{toolchain.STUBS}", *include]
    desktop_build.compile_each(compiler, flags, sources, tmp_path)


def _frame(channels, seed=6):
    pixel_format = "grey8" if channels == 1 else "rgb565"
    shape = (120, 160, pictures.PIXEL_BYTES[pixel_format])
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return pictures.Picture("frame", pixels, pixel_format)


@pytest.mark.parametrize(("channels", "camera"), _CASES, ids=_IDS)
def test_sketch_on_the_desktop(tmp_path, channels, camera):
    root, project = _export(tmp_path, channels, camera)
    program = desktop_build.build(tmp_path, root, SIZE * SIZE * channels, 2)
    frame = _frame(channels)
    (tmp_path / "frame").write_bytes(frame.pixels.tobytes())
    live = np.array([[-20, 40]], np.int8)
    (tmp_path / "scores").write_bytes(np.concatenate([project.outputs[0], live]).tobytes())

    printed = toolchain.run([program, "frame"], cwd=tmp_path).stdout
    assert re.findall(r"^(.+): PASS$", printed, re.M) == ["pattern", "picture 1", "picture 2"]
    assert "self-test: PASS, 3 of 3" in printed
    inputs = np.frombuffer((tmp_path / "inputs").read_bytes(), np.int8)
    inputs = inputs.reshape(-1, SIZE, SIZE, channels)
    np.testing.assert_array_equal(inputs[:3], project.inputs)
    if camera == "none":
        assert len(inputs) == 3
        return
    expected = pictures.preprocess(frame, SIZE, SIZE, project.table)
    np.testing.assert_array_equal(inputs[3:], expected[None])
    # (q - zero point 3) * scale 0.05
    assert "no person -1.15, person 1.85, 0 ms: person" in printed


@pytest.mark.parametrize("wrong", ["score", "table"])
def test_self_test_fails_when_the_device_differs(tmp_path, wrong):
    root, project = _export(tmp_path, 3, "none")
    scores = project.outputs[0].copy()
    if wrong == "score":
        scores[1, 1] ^= 1
    else:
        model = root / "sketch" / "model.cpp"
        text = model.read_text()
        assert "-128, -127," in text
        model.write_text(text.replace("-128, -127,", "-128, -128,", 1))
    (tmp_path / "scores").write_bytes(scores.tobytes())
    program = desktop_build.build(tmp_path, root, SIZE * SIZE * 3, 2)
    printed = toolchain.run([program], cwd=tmp_path).stdout
    if wrong == "score":
        message = (
            f"picture 1: FAIL, the score of 'person' is {scores[1, 1]}, "
            f"the desktop has {project.outputs[0][1, 1]}"
        )
        assert message in printed
        assert "self-test: FAIL, 2 of 3" in printed
    else:
        assert "FAIL, the preprocessed picture differs from the desktop's" in printed
        assert "self-test: FAIL" in printed

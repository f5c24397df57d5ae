"""The face detection scripts as a user runs them: the whole chain, and what they refuse."""

from __future__ import annotations

import json

import pytest

from tests.examples.scripts import Example

pytestmark = pytest.mark.legacy_keras
EXAMPLE = Example("face_detection")
run, done = EXAMPLE.run, EXAMPLE.done


def test_chain(tmp_path):
    """Tiny throughout: 64 × 96 pixels, one epoch each. What it finds is not the point here."""
    pytest.importorskip("tflite_micro", reason="needs the package tflite_micro")
    folder = tmp_path / "run"
    common = ("--run", folder, "--dataset", "synthetic:8:4")
    short = ("--batch-size", 4, "--seed", 5)
    done("train.py", *common, *short, "--image-size", 64, 96, "--epochs", 1)
    done("compress.py", *common, *short, "--sparse", "--prune-epochs", 1, "--qat-epochs", 1)
    options = ("--pictures", 1, "--no-instructions", "--data", "Generated.")
    output = done("convert_and_verify.py", *common, *options)
    report = json.loads((folder / "report.json").read_text())
    forms = {"float, Keras, any size", "float, Keras", "QAT, Keras", "int8, LiteRT", "int8, TFLM"}
    assert set(report["average_precision"]) == forms
    assert all(f"{form:<24} AP" in output for form in forms)
    # 569 of RNNPool's 832 weights are zero, out of 54,180.
    assert report["sparsity"] == pytest.approx(569 / 54180, abs=2e-3)
    assert report["arena_bytes"] <= report["smallest_arena"] < 100_000
    card = (folder / "MODEL_CARD.md").read_text()
    assert "Generated." in card and "| quantisation-aware | 1 |" in card
    assert (folder / "pictures" / "000.png").exists()
    done("export.py", *common, "--images", 1)
    assert list((folder / "arduino").rglob("*.ino"))


def test_twin_without_rnnpool(tmp_path):
    """TensorFlow's converter alone, which has an order of outputs of its own."""
    pytest.importorskip("tflite_micro", reason="needs the package tflite_micro")
    common = ("--run", tmp_path, "--dataset", "synthetic:4:2")
    short = ("--batch-size", 4, "--seed", 5)
    network = ("--image-size", 64, 96, "--pooling", "strided_conv")
    done("train.py", *common, *short, *network, "--epochs", 1)
    done("compress.py", *common, *short, "--qat-epochs", 1)
    done("convert_and_verify.py", *common, "--pictures", 1, "--no-instructions")
    assert "strided convolution instead of RNNPool" in (tmp_path / "MODEL_CARD.md").read_text()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("compress.py", "error: --run must hold model.json, written by train.py"),
        ("convert_and_verify.py", "error: --run must hold model.json, written by train.py"),
        ("export.py", "error: --run must hold model.json, written by train.py"),
    ],
)
def test_steps_out_of_order(tmp_path, script, message):
    result = run(script, "--run", tmp_path / "nothing")
    assert result.returncode == 1
    assert message in result.stderr

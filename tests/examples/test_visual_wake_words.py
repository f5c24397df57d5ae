"""The example's scripts as a user runs them: the whole chain, and what they refuse."""

from __future__ import annotations

import json

import pytest

from tests.examples.scripts import Example

pytestmark = pytest.mark.legacy_keras
EXAMPLE = Example("visual_wake_words")
run, done = EXAMPLE.run, EXAMPLE.done
DATASET = "synthetic:64:16"


def test_chain(tmp_path):
    """Tiny throughout: 32 × 32 grey images, one epoch each. Accuracy is not the point here."""
    pytest.importorskip("tflite_micro", reason="needs the package tflite_micro")
    folder = tmp_path / "run"
    common = ("--run", folder, "--dataset", DATASET)
    short = ("--batch-size", 16, "--seed", 5)
    network = ("--image-size", 32, "--grey", "--batch-norm-momentum", 0.5)
    done("train.py", *common, *short, *network, "--epochs", 1, "--clip-norm", 5)
    assert json.loads((folder / "model.json").read_text())["channels"] == 1
    output = done("compress.py", *common, *short, "--prune-epochs", 1, "--qat-epochs", 1)
    assert "QAT validation accuracy" in output
    printed = json.loads(done("convert_and_verify.py", *common, "--json").split("\n", 1)[1])
    report = json.loads((folder / "report.json").read_text())
    assert printed == report
    assert report["images"] == 16
    forms = {"float, Keras", "QAT, Keras", "int8, LiteRT", "int8, TFLM", "int8, streamed"}
    assert forms <= set(report["models"])
    # Half of the convolutions' and RNNPool's weights; stem and depthwise kernels stay dense.
    assert 0.4 < report["sparsity"] <= 0.5
    ram = report["ram_bytes"]
    assert 0 < ram["fused"] < ram["unfused"] < report["float_bytes"]
    # A picture of 1 KB is no more than the stream itself, so there is little to save here.
    assert 0 < ram["streamed"] < ram["unfused"]
    assert report["models"]["int8, streamed"] == report["models"]["int8, TFLM"]
    assert (folder / "int8_front.h").exists() and (folder / "int8_body.tflite").exists()
    # The symmetric normalisation: pixels to int8 by one subtraction.
    assert report["input_scale"] == pytest.approx(1 / 128, rel=1e-6)
    assert report["input_zero_point"] == 0
    done("export.py", *common, "--images", 1)
    assert list((folder / "arduino").rglob("*.ino"))
    done("export.py", *common, "--images", 1, "--stream", "--output", folder / "streamed")
    assert list((folder / "streamed").rglob("front.h"))


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("train.py", ("--dataset", "nowhere"), "an existing folder. Received: 'nowhere'"),
        ("train.py", ("--dataset", DATASET, "--epochs", 0), "Received: epochs=0"),
        ("compress.py", (), "--run must hold model.json, written by train.py"),
        ("convert_and_verify.py", (), "--run must hold model.json, written by train.py"),
        ("export.py", (), "--run must hold model.json, written by train.py"),
    ],
    ids=["no dataset", "no epochs", "compress first", "convert first", "export first"],
)
def test_bad_input_is_one_sentence(tmp_path, script, arguments, message):
    folder = tmp_path / "run"
    result = run(script, "--run", folder, *arguments)
    assert result.returncode == 1
    sentence = result.stderr.strip().splitlines()[-1]
    assert sentence.startswith("error: ") and message in sentence
    assert "Traceback" not in result.stderr
    assert not folder.exists(), "something was written"

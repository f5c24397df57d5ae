"""`rnnpool convert`, and TensorFlow's own `tflite_convert`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import rnnpool_tf
from rnnpool_tf import cli, compression
from rnnpool_tf._keras import keras
from rnnpool_tf.conversion import Graph, rnnpool_operators
from tests.conversion.helpers import image, images, names, one_pool, pool, randomized

SOURCES = str(Path(rnnpool_tf.__file__).parent.parent)


def test_converts_and_describes(tmp_path, capsys):
    one_pool().save(tmp_path / "net.keras")
    assert cli.main(["convert", str(tmp_path / "net.keras"), "--float"]) == 0
    output = tmp_path / "net.tflite"
    printed = capsys.readouterr().out
    assert f"{output}: {output.stat().st_size:,} bytes" in printed
    assert "input   float32 1x13x14x3" in printed
    assert "RNNPool 1" in printed
    assert "patch 4x3, strides 3x2, padding valid, 4 channels, hidden 5/6" in printed


def test_errors_are_one_sentence_and_status_1(tmp_path, capsys):
    path = tmp_path / "net.h5"
    path.write_bytes(b"no model")
    assert cli.main(["convert", str(path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("rnnpool convert: `model` must be") and str(path) in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [[], ["m.h5", "--input-type", "uint8"], ["m.h5", "--float", "--int8"]],
    ids=" ".join,
)
def test_wrong_usage_is_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        cli.main(["convert", *arguments])
    assert exit_.value.code == 2
    assert "usage: rnnpool convert" in capsys.readouterr().err


@pytest.mark.legacy_keras
def test_qat_file_in_a_process_of_its_own(tmp_path):
    # The command itself must find out that a .h5 of tf_keras needs tf_keras.
    x = image()
    model = compression.quantize(randomized(keras.Model(x, pool()(x))), calibration=images(8))
    compression.save(model, tmp_path / "qat.h5")
    done = run(
        [sys.executable, "-m", "rnnpool_tf.cli", "convert", "qat.h5", "-o", "m.tflite", "--json"],
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    data = (tmp_path / "m.tflite").read_bytes()
    assert summary["bytes"] == len(data)
    assert summary["operators"] == {"RNNPool": 1}
    assert summary["inputs"][0]["type"] == "int8"
    assert summary["outputs"][0]["scale"] == 1 / 128
    assert summary["rnnpool"][0]["type"] == "int8"
    assert names(data) == ["RNNPool"]


def test_stock_tflite_convert(tmp_path):
    model = one_pool()
    model.export(tmp_path / "saved")
    command = Path(sysconfig.get_path("scripts")) / "tflite_convert"
    done = run(
        [str(command), f"--saved_model_dir={tmp_path / 'saved'}", "--output_file=m.tflite"],
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    graph = Graph.from_bytes((tmp_path / "m.tflite").read_bytes())
    (found,) = rnnpool_operators(graph)
    assert found.shape.geometry == pool().geometry


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess:
    environment = {key: value for key, value in os.environ.items() if key != "TF_USE_LEGACY_KERAS"}
    environment["PYTHONPATH"] = SOURCES
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )

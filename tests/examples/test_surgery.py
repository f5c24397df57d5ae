"""The surgery example as a user runs it, with a tiny training."""

from __future__ import annotations

import pytest

from tests.examples.scripts import Example

pytestmark = pytest.mark.legacy_keras
EXAMPLE = Example("surgery")
SCRIPT = "replace_and_deploy.py"


def test_whole_path(tmp_path):
    """One epoch each: accuracies mean nothing, files and the table do."""
    pytest.importorskip("tflite_micro", reason="needs the package tflite_micro")
    short = ("--epochs", 1, "--qat-epochs", 1, "--batch-size", 16, "--image-size", 64)
    output = EXAMPLE.done(SCRIPT, "--run", tmp_path, "--dataset", "synthetic:32:8", *short)
    assert "RAM, paper's convention" in output and "int8, TFLM" in output
    arena = next(line for line in output.splitlines() if line.startswith("TFLM arena"))
    before, after = (int(word.replace(",", "")) for word in arena.split()[2:4])
    assert 0 < after < before
    assert {"float.h5", "qat.h5", "int8.tflite", "original.tflite"} <= {
        path.name for path in tmp_path.iterdir()
    }


def test_bad_input_is_one_sentence(tmp_path):
    result = EXAMPLE.run(SCRIPT, "--run", tmp_path / "run", "--dataset", "nowhere")
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "Received: 'nowhere'" in result.stderr.strip().splitlines()[-1]
    assert not (tmp_path / "run").exists()

"""The compression study as a user runs it, with tiny trainings."""

from __future__ import annotations

import json
from functools import partial

import pytest

from tests.examples.scripts import Example

pytestmark = pytest.mark.legacy_keras
run = partial(Example("compression").run, "study.py")


def test_table_of_a_tiny_study(tmp_path):
    """One epoch each: accuracies mean nothing, the rest of the table does."""
    pytest.importorskip("tflite_micro", reason="needs the package tflite_micro")
    arguments = ("person", "--dataset", "synthetic:256:16", "--run", tmp_path, "--seeds", 5)
    result = run(*arguments, "--epochs", 1, 1, 1)
    assert result.returncode == 0, result.stderr[-3000:]
    table = [line for line in result.stdout.splitlines() if line.startswith("|")]
    names = [line.split("|")[1].strip() for line in table[2:]]
    assert names == ["float", "PTQ", "QAT", "pruned, PTQ", "pruned + QAT"]
    rows = {row["row"]: row for row in json.loads((tmp_path / "results.json").read_text())}
    for name in ("pruned, PTQ", "pruned + QAT"):
        assert 0.5 <= rows[name]["density"] < 0.6
    assert rows["QAT"]["density"] > 0.99
    assert rows["pruned + QAT"]["gzip_bytes"] < rows["QAT"]["gzip_bytes"]
    assert all(rows[name]["tflite_bytes"] < rows["float"]["tflite_bytes"] for name in names[1:])
    # A second call trains nothing.
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.h5")}
    again = run(*arguments, "--epochs", 1, 1, 1, "--json")
    assert again.returncode == 0, again.stderr[-3000:]
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.h5")}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("person", "--dataset", "nowhere"), "Received: 'nowhere'"),
        (("cifar10", "--dataset", "nowhere"), "must be an existing folder"),
        (("person", "--dataset", "synthetic", "--epochs", 0, 1, 1), "Received: epochs=0"),
    ],
    ids=["no pictures", "no CIFAR-10", "no epochs"],
)
def test_bad_input_is_one_sentence(tmp_path, arguments, message):
    result = run(*arguments, "--run", tmp_path / "run")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert message in result.stderr.strip().splitlines()[-1]
    assert not (tmp_path / "run").exists()

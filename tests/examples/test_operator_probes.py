"""The probes of appendix C as a user runs them, with tiny trainings."""

from __future__ import annotations

import json

import pytest

from tests.datasets.cifar_files import binary_records, noise
from tests.examples.scripts import Example

pytestmark = pytest.mark.legacy_keras  # one mode is enough: it takes a minute to trace RNNPool
example = Example("operator_probes")


@pytest.fixture
def cifar(tmp_path):
    """A folder of CIFAR-10's files with a hundred training and twenty test pictures of noise."""
    images, labels = noise(120)
    folder = tmp_path / "cifar"
    folder.mkdir()
    for number in range(5):
        part = slice(20 * number, 20 * number + 20)
        records = binary_records(images[part], labels[part])
        (folder / f"data_batch_{number + 1}.bin").write_bytes(records)
    (folder / "test_batch.bin").write_bytes(binary_records(images[100:], labels[100:]))
    return folder


def lines_of(output: str) -> dict[str, list[str]]:
    """Cells of a printed table by the first of their line."""
    rows = [line for line in output.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {row[0]: row[1:] for row in cells}


def test_cifar10(tmp_path, cifar):
    """A few steps: accuracies mean nothing, what is trained and measured on what does."""
    pytest.importorskip("matplotlib", reason="needs matplotlib")
    arguments = ("--dataset", cifar, "--output", tmp_path / "run", "--epochs", 1)
    picture = tmp_path / "cifar10.png"
    table = lines_of(example.done("cifar10.py", *arguments, "--plot", picture))
    assert list(table) == ["rnnpool", "strided_conv", "max", "average"]
    assert [cells[1] for cells in table.values()] == ["70.63", "53.13", "20.04", "26.53"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    result = json.loads((tmp_path / "run" / "max-100-seed0" / "result.json").read_text())
    assert (result["train_images"], result["epochs"]) == (100, 1)
    assert table["max"][0] == f"{result['accuracy']:.2f}"
    # A second call trains only what is new.
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*.*")}
    more = ("--operators", "max", "--train-images", 64, 100)
    again = lines_of(example.done("cifar10.py", *arguments, *more))
    assert again["max"][1] == table["max"][0]
    assert all(path.stat().st_mtime_ns == before[path] for path in before)


def test_held_out_pictures_are_not_the_test_set(tmp_path, cifar):
    arguments = ("--dataset", cifar, "--output", tmp_path / "run", "--epochs", 1)
    example.done("cifar10.py", *arguments, "--operators", "average", "--holdout", 30)
    (result,) = (tmp_path / "run").glob("*/result.json")
    assert result.parent.name.endswith("-holdout30")
    assert json.loads(result.read_text())["measured_on"] == 30


def test_lines(tmp_path):
    pytest.importorskip("matplotlib", reason="needs matplotlib")
    sizes = ("--train-images", 64, "--test-images", 40, "--epochs", 1, "--output", tmp_path / "run")
    picture = tmp_path / "scaling.png"
    output = example.done("synthetic.py", "--tasks", "lines-32", *sizes, "--plot", picture)
    assert lines_of(output)["lines-32"][:2] == ["8 filters", "4, 16"]
    assert "of 40 (" in output
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("script", "arguments", "message"),
    [
        ("cifar10.py", ("--dataset", "nowhere"), "must be an existing folder"),
        ("synthetic.py", ("--train-images", 3), "must not exceed the 3 training images"),
    ],
    ids=["no pictures", "fewer than a batch"],
)
def test_bad_input_is_one_sentence(tmp_path, script, arguments, message):
    result = example.run(script, *arguments, "--output", tmp_path / "run")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert message in result.stderr.strip().splitlines()[-1]
    assert not (tmp_path / "run").exists()

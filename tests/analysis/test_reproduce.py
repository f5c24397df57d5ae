"""`rnnpool reproduce`: figures are read as printed, and every difference has its reason."""

from __future__ import annotations

import json

import pytest

from rnnpool_tf.analysis.reproduce import figure3, probes, table10, tables
from rnnpool_tf.analysis.reproduce.claims import TABLES
from rnnpool_tf.analysis.reproduce.counting import DETECTORS
from rnnpool_tf.analysis.reproduce.printed import read
from rnnpool_tf.cli import main
from rnnpool_tf.models.zoo import NETWORKS

pytestmark = pytest.mark.keras3  # counting is tested in both modes; these networks take minutes

# Multiply-accumulates with W·x counted once, of the network with one RNNPool.
SHARED_MADDS = {
    96: 6_750_640,
    128: 12_068_992,
    160: 18_922_672,
    192: 27_311_680,
    224: 37_236_016,
}


@pytest.mark.parametrize(
    ("text", "value", "same", "other"),
    [
        ("2.20M", 2_200_000, 2_204_999, 2_205_001),
        ("0.24 MB", 0.24 * 2**20, 250_880, 260_000),
        ("225 KB", 230_400, 230_800, 231_000),
        ("569M", 569e6, 568_740_000, 568_400_000),
        ("0.300G", 0.3e9, 299_510_000, 299_400_000),
    ],
)
def test_printed_figures(text, value, same, other):
    figure = read(text)
    assert figure.value == pytest.approx(value)
    assert figure.matches(same)
    assert not figure.matches(other)
    assert figure.difference(value * 1.1) == pytest.approx(0.1)


@pytest.mark.parametrize("text", ["", "much", "3 GB", "1,000", "-1M"])
def test_what_is_no_figure(text):
    with pytest.raises(ValueError, match="must be a number and a unit"):
        read(text)


@pytest.mark.parametrize("name", TABLES)
def test_claims_name_networks_and_notes(name):
    table = TABLES[name]
    for claim in table.claims:
        assert claim.network in {*NETWORKS, *DETECTORS}
        assert set(claim.notes) <= set(table.notes)
        for quantity in tables.QUANTITIES:
            if getattr(claim, quantity):
                assert read(getattr(claim, quantity)).value > 0
    assert {letter for claim in table.claims for letter in claim.notes} == set(table.notes)


@pytest.mark.parametrize("name", ["3", "4", "5", "16", "18"])
def test_every_larger_difference_has_a_note(name):
    """Tables 1 and 2 are left out: they have DenseNet121 many times, which is slow to build."""
    for row in tables.rows_of(name):
        assert row.figures
        larger = [figure for figure in row.figures if not figure.agrees]
        assert bool(larger) <= bool(row.claim.notes), (row.claim.label, larger)


def test_table_3_as_text_and_as_json():
    rows = tables.rows_of("3")
    text = tables.as_text("3", rows)
    line = next(line for line in text.splitlines() if line.startswith("MobileNetV1 "))
    assert line.split()[1:9] == ["4.2M", "4.23M", "=", "569M", "568.7M", "=", "3.06", "MB"]
    described = tables.as_json("3", rows)["rows"]
    assert described[2]["madds"] == {"paper": "417M", "ours": 417_042_944, "difference": 0.0}
    assert described[5]["ram"]["ours"] == 250_880


def test_table_10_has_the_printed_shapes():
    rows = table10.rows_of()
    assert sum(row["parameters"] for row in rows) == 3_484_876
    assert sum(row["madds"] for row in rows) == 264_819_072
    assert "28x28x64    4 bottlenecks" in table10.as_text(rows)


def test_figure_3():
    rows = figure3.rows_of()
    found = {
        row["size"]: row["madds_shared"]
        for row in rows
        if row["network"] == "visual_wake_words_rnnpool"
    }
    assert found == SHARED_MADDS
    assert "  29,792" in figure3.as_text(rows)


def test_probes_without_results(capsys):
    assert main(["reproduce", "--table", "c2", "--table", "C1", "--table", "C2"]) == 0
    output = capsys.readouterr().out
    assert output.count("CIFAR-10 through one operator") == 1
    assert "rnnpool              4,590" in output
    assert "Counts only: examples/operator_probes/synthetic.py" in output


def test_probes_with_results(tmp_path, capsys):
    cifar = {"operator": "max", "train_images": 5000, "accuracy": 21.5, "holdout": False}
    lines = {"task": "lines-32", "convolution": True, "hidden": [4, 16], "right": 49, "of": 50}
    wider = {**lines, "hidden": [8, 32], "right": 50}
    for name, result in (("cifar", cifar), ("lines", lines), ("wider", wider)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "result.json").write_text(json.dumps(result))
    rows = {row["operator"]: row for row in probes.cifar10_rows(tmp_path)}
    assert rows["max"]["reached"] == {"5000": 21.5}
    assert rows["rnnpool"]["reached"] == {}
    arguments = ["reproduce", "--table", "C1", "--results", str(tmp_path), "--json"]
    assert main(arguments) == 0
    (described,) = json.loads(capsys.readouterr().out)
    assert [row["reached"] for row in described["rows"]][:3] == [[0.98], [1.0], []]
    assert main(arguments[:-1]) == 0
    assert "* not a size of the paper" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table", "C2", "--results", "."], "must be the folder of a run"),
        (["--table", "3", "--results", "."], "is for C1 and C2"),
    ],
    ids=["no results", "no place for results"],
)
def test_bad_input_is_one_sentence(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("rnnpool reproduce: ") and message in error

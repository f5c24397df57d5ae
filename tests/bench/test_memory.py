"""`rnnpool bench memory` says what the interpreter says, whatever the weights are."""

from __future__ import annotations

import json

import pytest

from rnnpool_tf import cli
from rnnpool_tf.conversion.finishing import fuse_model
from rnnpool_tf.runtime import Runtime, StreamedRuntime

FILES = {
    "unfused": "vww-96.tflite",
    "fused": "vww-96_fused.tflite",
    "planned": "vww-96_planned.tflite",
}


@pytest.mark.legacy_keras
def test_figures_are_the_interpreters(tmp_path, capsys):
    from rnnpool_tf.bench import memory

    arguments = ["--models", "vww-96", "--output", str(tmp_path), "--json"]
    assert cli.main(["bench", "memory", *arguments]) == 0
    captured = capsys.readouterr()
    (row,) = json.loads(captured.out)
    assert row.keys() == {"network", "madds", *memory.FORMS}
    assert captured.err.splitlines()[-1].startswith(row["network"])
    assert row["madds"] == 6_750_640  # as in README.md
    for form, file in FILES.items():
        breakdown = Runtime(tmp_path / file, engine="tflm").arena_breakdown
        used = {"total": row[form]["arena_used"], "head": row[form]["head"]}
        assert used == {key: breakdown[key] for key in used}, form
        assert row[form]["ram"] == row[form]["smallest_arena"]
    pair = StreamedRuntime(
        tmp_path / "vww-96_front.h", tmp_path / "vww-96_body.tflite", engine="tflm"
    )
    assert row["streamed"]["arena_used"] == pair.arena_breakdown["total"]
    assert row["streamed"]["beside_arena"] == pair.stream_bytes
    rams = [row[form]["ram"] for form in memory.FORMS]
    assert rams == sorted(rams, reverse=True)
    printed = memory.table([row, {**row, "network": "no RNNPool", "streamed": None}]).splitlines()
    cells = [f"{value:,}" for value in (row["madds"], *rams)]
    assert printed[4].split() == ["vww-96", *cells]
    assert printed[5].split()[2:] == [*cells[:-1], "-"]

    _, other = memory.int8_network(memory.networks()["vww-96"], seed=memory.SEED + 1)
    assert other != (tmp_path / FILES["unfused"]).read_bytes()
    for form, data in (("unfused", other), ("planned", fuse_model(other))):
        total = Runtime(data, engine="tflm").arena_breakdown["total"]
        assert total == row[form]["arena_used"], form


@pytest.mark.legacy_keras
def test_bad_arguments(tmp_path, capsys):
    assert cli.main(["bench", "memory", "--models", "vww-96", "vww-97"]) == 1
    error = capsys.readouterr().err
    assert "`--models` must be among: vww-96, " in error
    assert error.endswith("Received: vww-97\n")
    missing = str(tmp_path / "missing")
    assert cli.main(["bench", "memory", "--output", missing]) == 1
    assert f"`--output` must be an existing folder. Received: '{missing}'" in (
        capsys.readouterr().err
    )

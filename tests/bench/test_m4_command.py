"""`rnnpool bench m4` as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from rnnpool_tf.bench.m4 import firmware, scaling, sparse
from rnnpool_tf.bench.m4.bench import measure, table
from rnnpool_tf.bench.m4.work import work_of
from rnnpool_tf.bench.m4.workloads import workloads
from rnnpool_tf.conversion import packing
from rnnpool_tf.geometry import Geometry

pytestmark = pytest.mark.keras_free


def rnnpool(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "rnnpool_tf.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture
def tools():
    missing = firmware.missing_packages()
    if missing:
        pytest.skip(f"needs the Debian packages {', '.join(missing)}")


def test_missing_packages_are_one_sentence(tmp_path):
    done = rnnpool("bench", "m4", PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    wanted = "apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm"
    assert wanted in done.stderr


def test_json(tools):
    done = rnnpool("bench", "m4", "--json", "--only", "last layer", "--path", "portable")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    (row,) = rows
    assert (row["name"], row["path"]) == ("last layer", "portable")
    assert len(row["checksum"]) == 8
    assert min(value for value in row.values() if not isinstance(value, str)) > 0
    assert 16384 < row["flash_bytes"] < 65536  # the tables alone are 16 KB
    assert row["scratch_bytes"] < 8192
    assert row["stack_bytes"] < 1024
    assert row["instructions_per_mac"] == pytest.approx(row["instructions"] / 3_494_400, abs=1e-3)
    flash, ram = (row[f"estimated_cycles_tables_in_{place}"] for place in ("flash", "ram"))
    assert row["instructions"] < ram < flash
    assert "last layer" in table(rows)


def test_unknown_layer_is_refused(tools):
    done = rnnpool("bench", "m4", "--only", "nothing")
    assert done.returncode == 1
    assert "`--only` must be part of a name" in done.stderr


def test_wrong_path_is_refused(tools):
    with pytest.raises(firmware.EmulationError, match="`path` must be one of"):
        measure("vector")


def test_layers_are_those_of_the_paper():
    names = [case.name for case in workloads()]
    assert names[0].startswith("A ") and names[7].endswith("float32")
    assert all(name.endswith("piecewise linear") for name in names[5:7])
    assert len(names) == 13 and all(name.startswith("fused") for name in names[8:])
    # The multiply-accumulates that EdgeML's 12.5 instructions each turn into 112 M and 813 M.
    assert [case.work.macs for case in workloads()[:2]] == [8_957_952, 64_856_064]


def test_work_of_fused_operators():
    blocks = {case.name: case.work.macs for case in workloads()[8:]}
    pixels, filtered = 28 * 28, 14 * 14
    first = pixels * 32 * 192 + filtered * 192 * 9 + filtered * 192 * 24
    assert blocks["fused 28x28x32 to 14x14x24"] == first
    # The stem, and RNNPool's layer A.
    stem = 112 * 112 * 8 * 3 * 3 * 3
    assert blocks["fused stem 224x224x3 and pool"] == stem + 8_957_952


def test_shared_work_of_a_layer_counted_by_hand():
    """Patch 2, stride 2, 4x4 map of 3 channels, h 1/1: no sharing but of summaries."""
    work = work_of((4, 4, 3), (1, 1), Geometry((2, 2), (2, 2)))
    # 16 pixels * 3; 8 row and 8 column sweeps of one recurrent step, one summary each; 4 patches
    # with 4 sequences of one recurrent step.
    assert work.shared_macs == 16 * 3 + 16 + 16 + 16
    assert work.unit_steps == 16 * 2 + 4 * 4 * 2


def test_plot(tmp_path):
    pytest.importorskip("matplotlib", reason="needs matplotlib")
    rows = [
        {"path": "portable", "varied": varied, "value": v, "instructions": 10 * v, "fit": 10 * v}
        for varied in scaling.SWEEPS
        for v in (1, 2, 3)
    ]
    scaling.plot(rows, str(tmp_path / "plot.png"))
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_scaling_is_what_theory_says(tools, monkeypatch):
    monkeypatch.setattr(scaling, "SIDES", (16, 32, 48))
    monkeypatch.setattr(scaling, "PATCHES", (4, 8, 12))
    monkeypatch.setattr(scaling, "HIDDEN_SIZES", (3, 5, 7, 9))
    rows = scaling.measure("portable")
    for row in rows:
        # Borders of the map, and loops whose overhead is not proportional.
        assert row["fit"] == pytest.approx(row["instructions"], rel=0.1), row
    assert "linear in pixels" in scaling.table(rows)


def test_break_even_of_packed_matrices():
    rows = [
        {"pair_density": d, "instructions": {"dense": 1000, "packed": 100 + 2000 * d}}
        for d in (0.1, 0.3, 0.5)
    ]
    assert sparse.break_even(rows, "packed") == pytest.approx(0.45)


def test_packed_layers_win_where_the_converter_packs(tools, monkeypatch):
    """The limits of `rnnpool_tf.conversion.packing` are what this measures, to two digits."""
    monkeypatch.setattr(sparse, "PATTERNS", ((0.3, 2), (0.7, 2)))
    rows = sparse.measure("dsp")
    for name, limit in packing.FASTER_BELOW.items():
        assert min(sparse.break_even(rows, name), 1) == pytest.approx(limit, abs=0.02), name
    assert rows[0]["instructions"]["packed"] < 0.5 * rows[0]["instructions"]["dense"]
    assert "last layer, 30% 1x2" in sparse.table(rows)


def test_one_thing_at_a_time():
    done = rnnpool("bench", "m4", "--sparse", "--only", "A")
    assert done.returncode == 1
    assert "measures one thing at a time. Received: --only --sparse" in done.stderr

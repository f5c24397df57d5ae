"""The activation tables and the C++ file made from them."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from rnnpool_tf.integer import tables
from rnnpool_tf.integer.tables import MINUS_SIGMOID_Q17, TANH_Q15


def test_entries_are_the_function_at_the_middle_of_their_interval():
    # 0.5 is the rounding itself; the rest allows for the last bit of a library's exp and tanh.
    for i, value in enumerate(MINUS_SIGMOID_Q17.tolist()):
        assert abs(value + 2**17 / (1 + math.exp(-(i - 1023.5) / 128))) < 0.5 + 1e-6
    for i, value in enumerate(TANH_Q15.tolist()):
        assert abs(value - 2**15 * math.tanh((i - 2047.5) / 512)) < 0.5 + 1e-6


def test_tables_never_fall():
    assert np.all(np.diff(MINUS_SIGMOID_Q17) <= 0)
    assert np.all(np.diff(TANH_Q15.astype(int)) >= 0)


def test_tables_are_symmetric():
    np.testing.assert_array_equal(MINUS_SIGMOID_Q17 + MINUS_SIGMOID_Q17[::-1], -(2**17))
    np.testing.assert_array_equal(TANH_Q15, -TANH_Q15[::-1])


def test_functions_stay_below_their_limits():
    assert MINUS_SIGMOID_Q17[0] < 0 and MINUS_SIGMOID_Q17[-1] > -(2**17)
    assert TANH_Q15[-1] == 32746 and TANH_Q15[0] == -32746


def test_committed_cpp_tables_are_up_to_date():
    assert tables.main(["--check"]) == 0, "run python -m rnnpool_tf.integer.tables"


@pytest.mark.parametrize("damage", ["one digit", "header missing", "nothing written"])
def test_check_reports_a_difference(tmp_path, capsys, damage):
    folder = ["--folder", str(tmp_path)]
    if damage != "nothing written":
        assert tables.main(folder) == 0
        assert tables.main([*folder, "--check"]) == 0
    if damage == "one digit":
        file = tmp_path / "tables.cpp"
        file.write_text(file.read_text().replace("32746", "32745", 1))
    elif damage == "header missing":
        (tmp_path / "tables.h").unlink()
    assert tables.main([*folder, "--check"]) == 1
    assert "missing or out of date" in capsys.readouterr().out


def test_cpp_source_is_short_enough_to_open():
    for name, text in tables.cpp_sources().items():
        assert text.count("\n") < 400, name


def test_room_needs_numpy_alone():
    program = (
        "import sys; from rnnpool_tf.integer import rnnpool_int8, quantize_cell; "
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras', 'tf_keras')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_first_two_tanh_entries_are_equal():
    """The x86 path reads entry i as the upper half of a word at i − 1, and entry 0 as entry 1."""
    assert TANH_Q15[0] == TANH_Q15[1]

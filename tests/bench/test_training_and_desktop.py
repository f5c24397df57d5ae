"""The benchmarks of this machine measure what they say: equal results, every variant timed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rnnpool_tf import cli
from rnnpool_tf.bench import training


@pytest.mark.keras3
def test_training_variants_compute_the_same(capsys):
    assert cli.main(["bench", "training", "--repeat", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    losses = np.array([row["loss"] for row in rows])
    # 1e-3: XLA's tanh differs by a few float32 units, and the loss sums two million squares.
    np.testing.assert_allclose(losses, losses[0], rtol=1e-3)
    assert all(row["milliseconds"] > 0 for row in rows)
    assert len(training.table(rows).splitlines()) == 2 + len(rows)


@pytest.mark.legacy_keras
def test_desktop_variants(capsys):
    assert cli.main(["bench", "desktop", "--repeat", "1"]) == 0
    assert "The layer takes" in capsys.readouterr().out


@pytest.mark.keras3
@pytest.mark.parametrize("what", ["desktop", "memory"])
def test_int8_networks_need_tf_keras(what, capsys):
    assert cli.main(["bench", what]) == 1
    assert "TF_USE_LEGACY_KERAS=1" in capsys.readouterr().err


def test_repeat_must_be_positive(capsys):
    assert cli.main(["bench", "training", "--repeat", "0"]) == 1
    assert "`--repeat` must be at least 1. Received: 0" in capsys.readouterr().err

"""The paper's Visual Wake Words layer stays within what the project promises for it."""

from __future__ import annotations

import pytest

from rnnpool_tf.bench.m4.bench import require_correct_results
from rnnpool_tf.bench.m4.workloads import workloads

pytestmark = pytest.mark.keras_free

INSTRUCTIONS = {"portable": 30_000_000, "dsp": 9_000_000}
RAM_BYTES = 11 * 1024


def test_visual_wake_words_layer(firmware, path):
    layer = workloads()[0]
    assert layer.x.shape == (1, 112, 112, 8) and layer.units == (8, 8)
    run = firmware.run("budget", [layer])
    require_correct_results([layer], run)
    (result,) = run.results
    assert result.instructions <= INSTRUCTIONS[path]
    assert result.scratch + result.persistent <= RAM_BYTES

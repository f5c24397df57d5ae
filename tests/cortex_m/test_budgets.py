"""The layers of Visual Wake Words stay within what the project promises for them."""

from __future__ import annotations

import pytest

from rnnpool_tf.bench.m4.bench import require_correct_results
from rnnpool_tf.bench.m4.firmware import DSP
from rnnpool_tf.bench.m4.workloads import workloads

pytestmark = pytest.mark.keras_free

INSTRUCTIONS = {"portable": 30_000_000, "dsp": 9_000_000}
RAM_BYTES = 11 * 1024

# What TensorFlow Lite Micro's fastest kernels take for the same layers one by one (docs/KERNEL.md),
# and for the stem with what RNNPool may take on top.
SEPARATE_LAYERS = {
    "fused 28x28x32 to 14x14x24": 17_170_000,
    "fused 14x14x24 residual": 5_780_000,
    "fused 7x7x56 residual": 4_960_000,
    "fused 7x7x56 to 7x7x112": 6_220_000,
    "fused stem 224x224x3 and pool": 16_570_000 + INSTRUCTIONS["dsp"],
}
WORKSPACE_BYTES = 14 * 1024


def test_visual_wake_words_layer(firmware, path):
    layer = workloads()[0]
    assert layer.x.shape == (1, 112, 112, 8) and layer.units == (8, 8)
    run = firmware.run("budget", [layer])
    require_correct_results([layer], run)
    (result,) = run.results
    assert result.instructions <= INSTRUCTIONS[path]
    assert result.scratch + result.persistent <= RAM_BYTES


def test_fused_operators(firmware, path):
    layers = [layer for layer in workloads() if layer.name in SEPARATE_LAYERS]
    assert len(layers) == len(SEPARATE_LAYERS)
    run = firmware.run("fused_budget", layers)
    require_correct_results(layers, run)
    for layer, result in zip(layers, run.results, strict=True):
        assert result.scratch <= WORKSPACE_BYTES, layer.name
        if path == DSP:
            # Two thirds of it, so that a loss of speed is noticed.
            assert result.instructions <= SEPARATE_LAYERS[layer.name] * 2 / 3, layer.name

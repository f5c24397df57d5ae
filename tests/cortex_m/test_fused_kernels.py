"""On the emulated Cortex-M4 the fused blocks' kernels give what their portable form gives, and
blocks give the same bytes where their output overlaps their input."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnnpool_tf.bench.m4.firmware import DSP, Firmware, emulate

pytestmark = pytest.mark.keras_free

CHECK = Path(__file__).parent / "fused_check.cpp"


@pytest.mark.parametrize("optimisation", ["-O3", "-Os"])
def test_dsp_path_equals_portable_path(path, tmp_path, optimisation):
    """400 seeded layers per kernel; every byte, and the one behind the output."""
    if path != DSP:
        pytest.skip("compares the DSP path with the portable one")
    firmware = Firmware(tmp_path, path, optimisation=optimisation)
    # A difference is an exit status that `emulate` raises, with the layer's number.
    printed = emulate(firmware.link_sources("fused", [CHECK]))
    compared = dict(line.split("=") for line in printed.splitlines())
    # How many of them took the DSP path's own code rather than the portable one it falls back on.
    assert 100 < int(compared["pointwise"]) < 400
    assert 100 < int(compared["depthwise"]) < 400
    assert 100 < int(compared["sum"]) < 400
    # How many outputs did overlap; the rest cannot run or lies clear of the input.
    assert int(compared["in place"]) > 100

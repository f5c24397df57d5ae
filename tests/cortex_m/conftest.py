"""Firmware for the emulated Cortex-M4, built once per code path and session."""

from __future__ import annotations

import pytest

from rnnpool_tf.bench.m4.firmware import DSP, PORTABLE, Firmware, missing_packages, paths


@pytest.fixture(scope="session", params=[PORTABLE, DSP])
def path(request) -> str:
    """The operator's code path; tests that use it run once for each."""
    missing = missing_packages()
    if missing:
        pytest.skip(f"needs the Debian packages {', '.join(missing)}")
    if request.param not in paths():
        pytest.skip(f"the operator's sources have no {request.param} path")
    return request.param


@pytest.fixture(scope="session")
def firmware(path, tmp_path_factory) -> Firmware:
    """The operator and the harness, compiled for `path`."""
    return Firmware(tmp_path_factory.mktemp(f"m4_{path}"), path)


@pytest.fixture(scope="session")
def golden_runs(firmware):
    """Runs a list of cases as one image, once per session; a function from name and cases."""
    runs = {}

    def run(name, cases):
        if name not in runs:
            runs[name] = firmware.run(name, cases)
        return runs[name]

    return run

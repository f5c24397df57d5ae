"""A second build of the core, without AVX2."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess

import pytest

from rnnpool_tf.native import kernels_path
from tests.kernels import fused_core


@pytest.fixture(scope="session")
def portable_library(tmp_path_factory) -> ctypes.CDLL:
    """The core and its C interfaces, built with RNNPOOL_FORCE_PORTABLE."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    target = tmp_path_factory.mktemp("portable") / "librnnpool_portable.so"
    sources = [
        *(kernels_path() / "src" / "rnnpool").glob("*.cpp"),
        *(kernels_path() / "desktop").glob("*_api.cc"),
    ]
    flags = ["-std=c++17", "-O2", "-fPIC", "-shared", "-ffp-contract=off"]
    subprocess.run(
        [
            "g++",
            *flags,
            "-DRNNPOOL_FORCE_PORTABLE",
            f"-I{kernels_path() / 'src'}",
            *sorted(sources),
            "-o",
            target,
        ],
        check=True,
    )
    return ctypes.CDLL(os.fspath(target))


@pytest.fixture(params=["default", "portable"])
def build(request, monkeypatch) -> None:
    """Runs a test of `fused_core` with the ordinary library and with the portable one."""
    if request.param == "portable":
        library = request.getfixturevalue("portable_library")
        monkeypatch.setattr(fused_core, "library", lambda: library)

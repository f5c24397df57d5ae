"""Compilers and TensorFlow Lite Micro's headers for the tests of exported projects."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
KERNELS = HERE.parents[1] / "tflm_kernels"
STUBS = HERE / "arduino_stubs"
CORTEX_M4 = "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard"
WARNINGS = "-Wall -Wextra -Werror"


def real_tflm_headers() -> Path | None:
    """TensorFlow Lite Micro's own headers: $TFLM_INCLUDE, or those in the wheel xmos-ai-tools.

    TFLM_INCLUDE is a folder with `tensorflow/` and `flatbuffers/` in it; folders with gemmlowp and
    ruy may follow after colons.
    """
    given = os.environ.get("TFLM_INCLUDE")
    if given:
        return Path(given.split(":")[0])
    found = find_spec("xmos_ai_tools")
    if found is None or not found.submodule_search_locations:
        return None
    return Path(next(iter(found.submodule_search_locations))) / "runtime" / "include"


def real_include_flags(scratch: Path) -> list[str] | None:
    """`-isystem` flags for the real headers, or None when they or gemmlowp are missing."""
    headers = real_tflm_headers()
    if headers is None:
        return None
    more = os.environ.get("TFLM_INCLUDE", "").split(":")[1:]
    folders = [str(headers), *more, "/usr/include/gemmlowp"]
    if not any((Path(f) / "fixedpoint" / "fixedpoint.h").is_file() for f in folders):
        return None
    # The kernels' headers include ruy's profiler, which no package carries; nothing in it is used.
    profiler = scratch / "ruy" / "profiler"
    profiler.mkdir(parents=True, exist_ok=True)
    (profiler / "instrumentation.h").write_text("")
    folders.append(str(scratch))
    return [flag for folder in folders for flag in ("-isystem", folder)]


def fake_include_flags(scratch: Path) -> list[str]:
    """Flags for this project's stand-ins: the ABI mirror and the fake interpreter."""
    from rnnpool_tf.deploy.operators import builtin_names, resolver_method

    micro = scratch / "tensorflow" / "lite" / "micro"
    micro.mkdir(parents=True, exist_ok=True)
    methods = "\n".join(
        f"  TfLiteStatus {resolver_method(name)}() {{ return Add(); }}" for name in builtin_names()
    )
    text = (HERE / "fake_tflm" / "micro_mutable_op_resolver.h.in").read_text()
    (micro / "micro_mutable_op_resolver.h").write_text(text.replace("@METHODS@", methods))
    return [f"-I{scratch}", f"-I{HERE / 'fake_tflm'}", f"-I{KERNELS / 'desktop' / 'abi'}"]


def compiler(name: str) -> str:
    """Path of a compiler; skips the test when it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"needs {name}, which is not installed")
    return path


def run(command: list[object], **options) -> subprocess.CompletedProcess:
    """Runs a command; a failure shows what it printed."""
    command = [str(part) for part in command]
    result = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}{result.stderr}"
    return result

"""The core compiles where it must, needs no heap or the like, and is memory-safe."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rnnpool_tf.native import kernels_path
from tests.kernels.block_cases import ordinary_case
from tests.kernels.conv_pool_cases import random_conv_pool
from tests.kernels.front_cases import random_case
from tests.kernels.options import GOOD, flexbuffer
from tests.runtime.fused_models import block_options, conv_pool_options

pytestmark = pytest.mark.keras_free

SOURCES = sorted((kernels_path() / "src" / "rnnpool").glob("*.cpp"))
STRICT = ["-std=c++11", "-Wall", "-Wextra", "-Werror", "-fno-exceptions", "-fno-rtti"]
TARGETS = {
    "x86-64": ["g++", "-O3"],
    "portable": ["g++", "-O3", "-DRNNPOOL_FORCE_PORTABLE"],
    "cortex-m4": [
        "arm-none-eabi-g++",
        "-Os",
        "-mcpu=cortex-m4",
        "-mthumb",
        "-mfpu=fpv4-sp-d16",
        "-mfloat-abi=hard",
    ],
}
# Heap, exceptions, run-time types, local statics, formatted output.
FORBIDDEN = ("malloc", "free", "_Zn", "_Zd", "__cxa", "_ZTI", "_ZTV", "__gxx", "printf")


def run(command: list, **options) -> subprocess.CompletedProcess:
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def need(tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
@pytest.mark.parametrize("target", TARGETS)
def test_compiles_without_heap_or_mutable_globals(target, source, tmp_path):
    compiler, *flags = TARGETS[target]
    need(compiler)
    binary = tmp_path / "object.o"
    include = f"-I{kernels_path() / 'src'}"
    run([compiler, *STRICT, *flags, include, "-c", source, "-o", binary])

    nm = compiler.replace("g++", "nm")
    symbols = [line.split()[-2:] for line in run([nm, binary]).stdout.splitlines()]
    undefined = [name for kind, name in symbols if kind == "U"]
    assert not [name for name in undefined if name.startswith(FORBIDDEN)], undefined
    mutable = [name for kind, name in symbols if kind in "BbDdCGgSs"]
    assert not mutable


def sanitized(name: str, macros: list[str], folder: Path, sources=SOURCES) -> Path:
    """Builds one of this folder's programs, with the core or parts of it, under sanitizers."""
    need("g++")
    program = folder / name
    run(
        [
            "g++",
            "-std=c++11",
            "-O1",
            "-g",
            "-fsanitize=address,undefined",
            "-fno-sanitize-recover=all",
            *macros,
            f"-I{kernels_path() / 'src'}",
            Path(__file__).with_name(f"{name}.cc"),
            *sources,
            "-o",
            program,
        ]
    )
    return program


paths = pytest.mark.parametrize(
    "macros", [[], ["-DRNNPOOL_FORCE_PORTABLE"]], ids=["default", "portable"]
)


@pytest.mark.timeout(300)
@paths
def test_is_memory_safe(macros, tmp_path):
    """Fuzzed shapes, random layers; all under sanitizers."""
    print(run([sanitized("core_sanitized", macros, tmp_path), 20240607]).stdout)


@pytest.mark.timeout(300)
def test_detections_are_memory_safe(tmp_path):
    """Random and hostile levels and settings, maps of noise; all under sanitizers."""
    sources = [path for path in SOURCES if path.stem in ("box_decoding", "tables")]
    print(run([sanitized("detection_sanitized", [], tmp_path, sources), 20240607]).stdout)


def operator_options() -> dict[str, dict]:
    """Good options of every operator, by its name."""
    block = ordinary_case(0, (7, 9, 4), 6, 4, (1, 1), True)
    return {
        "RNNPool": GOOD,
        "InvertedResidual": block_options(block),
        "ConvRNNPool": conv_pool_options(random_conv_pool(4)),
    }


@pytest.mark.timeout(300)
def test_options_are_read_safely(tmp_path):
    """Cut, damaged and lengthened options of every operator, under sanitizers."""
    program = sanitized("options_sanitized", [], tmp_path)
    for operator, good in operator_options().items():
        options = {
            "narrow": good,
            "wide": good | {"comment": "x" * 300},
            "eight_bytes": good | {"number": 2**40},
        }
        files = []
        for name, values in options.items():
            files.append(tmp_path / f"{operator}_{name}")
            files[-1].write_bytes(flexbuffer(values))
        run([program, 20240607, operator, *files])


@pytest.mark.timeout(300)
@paths
def test_fused_blocks_are_memory_safe(macros, tmp_path):
    """Fuzzed shapes and tables, random blocks fed by rows and in place; all under sanitizers."""
    print(run([sanitized("fused_sanitized", macros, tmp_path), 20240607]).stdout)


@pytest.mark.timeout(300)
@paths
def test_fronts_are_memory_safe(macros, tmp_path):
    """Streams of good and of damaged front images, lines out of place; all under sanitizers."""
    program = sanitized("front_sanitized", macros, tmp_path)
    files = []
    for seed in range(24):
        files.append(tmp_path / f"front{seed}")
        files[-1].write_bytes(random_case(seed).image())
    print(run([program, 20240607, *files]).stdout)

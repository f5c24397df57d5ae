"""The operator's sources compile for a Cortex-M4, against our headers and TFLite Micro's own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.toolchain import real_include_flags

pytestmark = pytest.mark.keras_free

KERNELS = Path(__file__).resolve().parents[2] / "tflm_kernels"
SOURCES = sorted(KERNELS.glob("src/*.cpp"))
CORTEX_M4 = ["-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard"]
# As the Arduino IDE compiles, with warnings as errors.
FLAGS = [*CORTEX_M4, "-Os", "-Wall", "-Wextra", "-Werror", "-fno-exceptions", "-fno-rtti"]


def compile_for_m4(source: Path, output: Path, *flags: str) -> None:
    compiler = shutil.which("arm-none-eabi-g++")
    if compiler is None:
        pytest.skip("arm-none-eabi-g++ is not installed (apt-get install gcc-arm-none-eabi)")
    command = [compiler, *FLAGS, *flags, f"-I{KERNELS / 'src'}", "-c", source, "-o", output]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def real_headers(tmp_path) -> list[str]:
    flags = real_include_flags(tmp_path)
    if flags is None:
        pytest.skip(
            "needs TensorFlow Lite Micro's headers and gemmlowp: TFLM_INCLUDE, or the package "
            "xmos-ai-tools and Debian's libgemmlowp-dev"
        )
    return [*flags, "-DFLATBUFFERS_LOCALE_INDEPENDENT=0"]


LAYOUTS = pytest.mark.parametrize(
    "layout", [[], ["-DTF_LITE_STATIC_MEMORY"]], ids=["full", "static-memory"]
)
STANDARDS = pytest.mark.parametrize("standard", ["c++11", "c++17"])
EVERY_SOURCE = pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)


@EVERY_SOURCE
@STANDARDS
@LAYOUTS
def test_against_mirror(source, standard, layout, tmp_path):
    headers = f"-I{KERNELS / 'desktop' / 'abi'}"
    compile_for_m4(source, tmp_path / "out.o", f"-std={standard}", *layout, headers)


@EVERY_SOURCE
@STANDARDS
@LAYOUTS
def test_against_tflite_micro(source, standard, layout, tmp_path, real_headers):
    compile_for_m4(source, tmp_path / "out.o", f"-std={standard}", *layout, *real_headers)


def test_registrations_leave_code_out(tmp_path):
    """What a registration reaches contains nothing of types or operators that it is not for."""
    headers = f"-I{KERNELS / 'desktop' / 'abi'}"
    objects = []
    for source in [*SOURCES, *KERNELS.glob("src/rnnpool/*.cpp")]:
        objects.append(tmp_path / f"{source.stem}.o")
        flags = ("-std=c++11", "-ffunction-sections", "-fno-threadsafe-statics", headers)
        compile_for_m4(source, objects[-1], *flags)

    def symbols(entry: str) -> str:
        linked = tmp_path / f"{entry}.elf"
        command = ["arm-none-eabi-g++", *CORTEX_M4, "-nostartfiles", "--specs=nosys.specs"]
        command += ["-Wl,--gc-sections", "-Wl,--unresolved-symbols=ignore-all", f"-Wl,-e,{entry}"]
        subprocess.run([*command, *objects, "-o", linked], check=True, capture_output=True)
        return subprocess.run(
            ["arm-none-eabi-nm", "-C", linked], check=True, capture_output=True, text=True
        ).stdout

    both = symbols("_ZN6tflite17Register_RNN_POOLEv")
    int8 = symbols("_ZN6tflite22Register_RNN_POOL_INT8Ev")
    float32 = symbols("_ZN6tflite25Register_RNN_POOL_FLOAT32Ev")
    assert "RunInt8" in both and "RunFloat" in both
    assert "RunInt8" in int8 and "RunFloat" not in int8 and "FloatCell" not in int8
    assert "RunFloat" in float32 and "RunInt8" not in float32 and "kTanhQ15" not in float32
    assert "InvertedResidual" not in both and "ConvPool" not in both

    block = symbols("_ZN6tflite26Register_INVERTED_RESIDUALEv")
    assert "RunInvertedResidual" in block
    assert not any(name in block for name in ("ConvPool", "Int8Cell", "FloatCell", "kTanhQ15"))
    pool = symbols("_ZN6tflite22Register_CONV_RNN_POOLEv")
    assert "RunConvPool" in pool and "kTanhQ15" in pool
    assert "InvertedResidual" not in pool and "FloatCell" not in pool

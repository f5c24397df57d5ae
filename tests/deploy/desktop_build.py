"""Exported sketches as programs for the desktop, with stand-ins for Arduino and the interpreter."""

from __future__ import annotations

from pathlib import Path

from tests.deploy import toolchain

_STAND_IN = """
#include <stdarg.h>
#include <stdio.h>
#include "RNNPool.h"
namespace tflite {
static ::rnnpool::adapter::Registration registration;
::rnnpool::adapter::Registration* Register_RNN_POOL_INT8() { return &registration; }
::rnnpool::adapter::Registration* Register_INVERTED_RESIDUAL() { return &registration; }
::rnnpool::adapter::Registration* Register_CONV_RNN_POOL() { return &registration; }
}
void MicroPrintf(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vprintf(format, arguments);
  va_end(arguments);
}
"""


def sources(root: Path) -> list[Path]:
    """Every source below a folder."""
    return sorted([*root.rglob("*.cpp"), *root.rglob("*.ino")])


def compile_each(
    compiler: str, flags: list[str], files: list[Path], output: Path, prefix: str = ""
) -> list[Path]:
    """Compiles each source alone, as the Arduino IDE does; returns the objects."""
    objects = []
    for source in files:
        target = output / f"{prefix}{len(objects)}_{source.stem}.o"
        language = ["-include", "Arduino.h", "-x", "c++"] if source.suffix == ".ino" else []
        toolchain.run([compiler, *flags, *language, "-c", source, "-o", target])
        objects.append(target)
    return objects


def build(
    folder: Path,
    root: Path,
    input_bytes: int,
    *outputs: int,
    workspace_bytes: int | None = None,
) -> Path:
    """Builds the sketch of an exported project as a program.

    Args:
        folder: For the program and everything in between.
        root: The project, whose sketch is called "sketch".
        input_bytes: Of the model's first input.
        outputs: Bytes of each of its outputs.
        workspace_bytes: Of its second input; None for a project that does not stream.
    """
    flags = ["-std=c++11", "-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover"]
    flags += toolchain.WARNINGS.split()
    flags += [f"-I{root / 'libraries' / 'RNNPool' / 'src'}", f"-I{toolchain.STUBS}"]
    flags += toolchain.fake_include_flags(folder / "scratch")
    flags += [f"-DFAKE_INPUT_BYTES={input_bytes}", f"-DFAKE_SCORES={sum(outputs)}"]
    flags.append(f"-DFAKE_OUTPUTS={','.join(map(str, outputs))}")
    flags += [f"-DFAKE_WORKSPACE_BYTES={workspace_bytes or 0}"]
    stand_in = folder / "registration.cpp"
    stand_in.write_text(_STAND_IN)
    files = [*sources(root / "sketch"), stand_in, toolchain.STUBS / "desktop_main.cpp"]
    # Streams and box decoders are of the library's core, which needs no TFLM.
    core = root / "libraries" / "RNNPool" / "src" / "rnnpool"
    if workspace_bytes is not None:
        files += sources(core)
    elif len(outputs) > 1:
        files += [core / "box_decoding.cpp", core / "tables.cpp"]
    compiler = toolchain.compiler("g++")
    objects = compile_each(compiler, flags, files, folder)
    toolchain.run([compiler, *flags, *objects, "-o", folder / "sketch"])
    return folder / "sketch"

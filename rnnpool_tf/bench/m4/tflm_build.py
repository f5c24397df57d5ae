"""Where the user's build of TensorFlow Lite Micro for a Cortex-M4 is: TFLM_DIR."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rnnpool_tf.bench.m4.firmware import EmulationError

VARIABLE = "TFLM_DIR"
LIBRARY = "libtensorflow-microlite.a"
# Where TensorFlow Lite Micro's Makefile puts it, without its optimised kernels and with them.
_BUILT = f"gen/cortex_m_generic_cortex-m4+fp_*/lib/{LIBRARY}"

# A header of every project that is needed, and the folder that its Makefile and its
# project generator give to that project.
_HEADERS = {
    "tensorflow/lite/micro/micro_interpreter.h": "",
    "flatbuffers/flatbuffers.h": "flatbuffers/include",
    "fixedpoint/fixedpoint.h": "gemmlowp",
    "ruy/profiler/instrumentation.h": "ruy",
}
_PARENTS = ("", "include", "third_party", "tensorflow/lite/micro/tools/make/downloads")


@dataclass(frozen=True)
class TflmBuild:
    """Folders of headers, and the archive compiled for a Cortex-M4 with FPU."""

    includes: tuple[Path, ...]
    library: Path


def find_tflm() -> TflmBuild:
    """The build that the environment variable TFLM_DIR names.

    It is a source tree of TensorFlow Lite Micro in which its Makefile has built the library
    (tflm_kernels/cortex_m/README.md says how), or a folder with the library, the headers in it or
    in `include`, and those of flatbuffers, gemmlowp and ruy in it, in `include` or in
    `third_party`.

    Raises:
        EmulationError: TFLM_DIR is not set, or something is missing there.
    """
    named = os.environ.get(VARIABLE)
    if not named:
        raise EmulationError(
            "whole networks need TensorFlow Lite Micro built for a Cortex-M4, and the environment "
            f"variable {VARIABLE} that names its folder, which is not set. "
            "tflm_kernels/cortex_m/README.md says how to build it"
        )
    root = Path(named).resolve()
    includes = dict.fromkeys(_folder_of(root, *entry) for entry in _HEADERS.items())
    return TflmBuild(tuple(includes), _library(root))


def _folder_of(root: Path, header: str, project: str) -> Path:
    folders = [root / parent for parent in _PARENTS]
    for folder in [*folders, *(folder / project for folder in folders)]:
        if (folder / header).is_file():
            return folder
    raise EmulationError(f"{VARIABLE} must name a folder with {header}. Received: {root}")


def _library(root: Path) -> Path:
    if (root / LIBRARY).is_file():
        return root / LIBRARY
    found = sorted(root.glob(_BUILT))
    if len(found) != 1:
        received = ", ".join(str(path.relative_to(root)) for path in found) or "none"
        raise EmulationError(
            f"{VARIABLE} must name a folder with {LIBRARY}, or with one {_BUILT}. "
            f"Received: {root} with {received}"
        )
    return found[0]

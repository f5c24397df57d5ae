"""The native libraries that setup.py builds, and the operator's sources."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_LIBRARIES = ("librnnpool", "librnnpool_tflm")


def library_path(name: str = "librnnpool") -> Path:
    """Path of a native library.

    Args:
        name: ``"librnnpool"`` (core, LiteRT delegate, TensorFlow Lite registerer) or
            ``"librnnpool_tflm"`` (TensorFlow Lite Micro operator).

    Raises:
        ValueError: unknown name.
        FileNotFoundError: the library has not been built.
    """
    if name not in _LIBRARIES:
        raise ValueError(f"`name` must be one of {_LIBRARIES}. Received: name={name!r}")
    path = _PACKAGE / "_native" / f"{name}.so"
    if not path.is_file():
        raise FileNotFoundError(f"native library not built: run `pip install .` (missing {path})")
    return path


@functools.cache
def load(name: str = "librnnpool") -> ctypes.CDLL:
    """Loads a native library once, its symbols visible to every other library.

    TensorFlow Lite and TensorFlow Lite Micro look registerers up by name among the global
    symbols, hence RTLD_GLOBAL.
    """
    return ctypes.CDLL(str(library_path(name)), mode=ctypes.RTLD_GLOBAL)


def kernels_path() -> Path:
    """Folder of the operator as an Arduino library (``library.properties`` and ``src``).

    Installed packages carry a copy; a source checkout uses its own ``tflm_kernels``.
    """
    for folder in (_PACKAGE / "_kernels", _PACKAGE.parent / "tflm_kernels"):
        if (folder / "src").is_dir():
            return folder
    raise FileNotFoundError("the operator's sources are missing: reinstall rnnpool_tf")

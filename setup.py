"""Builds the two native libraries beside the package; everything else is in pyproject.toml.

* ``librnnpool.so``       core for ctypes, the LiteRT delegate, the TensorFlow Lite registerer
* ``librnnpool_tflm.so``  the TensorFlow Lite Micro operators and their registerer

They are plain shared libraries with a C interface, not Python extension modules, so one build
serves every Python version.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.errors import CompileError, PlatformError

ROOT = Path(__file__).resolve().parent
KERNELS = "tflm_kernels"
NATIVE_PACKAGE = "rnnpool_tf._native"
# What `rnnpool export` copies into a firmware project.
ARDUINO_LIBRARY = ("library.properties", "keywords.txt", "src")

# No -march=native: a wheel must run on every CPU of its platform. No -ffast-math and no
# contraction into fused multiply-add: int8 results are compared to the byte.
COMPILE_FLAGS = [
    "-std=c++17",
    "-O3",
    "-fPIC",
    "-shared",
    "-fvisibility=hidden",
    "-ffp-contract=off",
    "-pthread",
    "-Wall",
    "-Wextra",
]


def _files(*patterns: str) -> list[str]:
    """Paths relative to this file, as sdist wants them."""
    return sorted(str(p.relative_to(ROOT)) for pattern in patterns for p in ROOT.glob(pattern))


def _library(name: str, sources: list[str], macros: list[tuple[str, str | None]]) -> Extension:
    return Extension(
        f"{NATIVE_PACKAGE}.{name}",
        sources=sources,
        include_dirs=[f"{KERNELS}/src", f"{KERNELS}/desktop", f"{KERNELS}/desktop/abi"],
        define_macros=macros,
        depends=["setup.py", *_files(f"{KERNELS}/src/**/*.h", f"{KERNELS}/desktop/**/*.h")],
    )


LIBRARIES = [
    _library(
        "librnnpool",
        _files(
            f"{KERNELS}/src/rnnpool/*.cpp",
            f"{KERNELS}/src/*_node.cpp",
            f"{KERNELS}/src/rnnpool_node_checks.cpp",
            f"{KERNELS}/desktop/*_api.cc",
            f"{KERNELS}/desktop/litert_*.cc",
        ),
        [],
    ),
    _library(
        "librnnpool_tflm",
        _files(
            f"{KERNELS}/src/rnnpool/*.cpp",
            f"{KERNELS}/src/*.cpp",
            f"{KERNELS}/desktop/tflm_registerer.cc",
        ),
        [("TF_LITE_STATIC_MEMORY", None)],
    ),
]


class BuildNative(build_ext):
    """Runs one g++ command per library, when a source or header is newer than the library."""

    def finalize_options(self) -> None:
        super().finalize_options()
        if self.parallel is None:
            self.parallel = len(LIBRARIES)

    def get_ext_filename(self, fullname: str) -> str:
        return os.path.join(*fullname.split(".")) + ".so"

    def build_extension(self, ext: Extension) -> None:
        target = Path(self.get_ext_fullpath(ext.name))
        inputs = [ROOT / path for path in [*ext.sources, *ext.depends]]
        if not self.force and target.exists():
            built = target.stat().st_mtime
            if all(path.stat().st_mtime <= built for path in inputs):
                return
        compiler = os.environ.get("CXX") or shutil.which("g++") or shutil.which("c++")
        if compiler is None:
            raise PlatformError(
                "rnnpool_tf needs a C++17 compiler to build its operator, and none was found. "
                "Install one (Debian and Ubuntu: apt-get install g++) or set CXX."
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        macros = [
            f"-D{name}" if value is None else f"-D{name}={value}"
            for name, value in ext.define_macros
        ]
        command = [
            *compiler.split(),
            *COMPILE_FLAGS,
            *macros,
            *[f"-I{ROOT / path}" for path in ext.include_dirs],
            *[str(ROOT / path) for path in ext.sources],
            "-o",
            str(partial),
        ]
        try:
            self.spawn(command)
        except Exception as error:
            raise CompileError(f"building {target.name} failed: {error}") from error
        os.replace(partial, target)

    def copy_extensions_to_source(self) -> None:
        """Swaps the libraries in whole: a process may have the previous ones mapped."""
        for ext in self.extensions:
            built = Path(self.build_lib) / self.get_ext_filename(ext.name)
            target = ROOT / self.get_ext_filename(ext.name)
            if target.exists() and target.read_bytes() == built.read_bytes():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_suffix(".partial")
            shutil.copyfile(built, partial)
            os.replace(partial, target)


class BuildPackage(build_py):
    """Adds the operator's sources, so that an installed package can export firmware projects."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "rnnpool_tf" / "_kernels"
        for name in ARDUINO_LIBRARY:
            source = ROOT / KERNELS / name
            if source.is_dir():
                shutil.copytree(source, target / name, dirs_exist_ok=True)
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target / name)


class PlatformWheel(bdist_wheel):
    """The libraries depend on the platform, not on the Python version."""

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


setup(
    ext_modules=LIBRARIES,
    cmdclass={"build_ext": BuildNative, "build_py": BuildPackage, "bdist_wheel": PlatformWheel},
)

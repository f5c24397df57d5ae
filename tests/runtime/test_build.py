"""What setup.py builds: the wheel's contents, the sdist's contents, and no compiler."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.keras_free

ROOT = Path(__file__).resolve().parents[2]


def run_hook(hook: str, folder: Path, source: Path, **environment: str):
    """Runs one hook of the build backend in `source`, as pip does."""
    code = f"from setuptools import build_meta; print(build_meta.{hook}({str(folder)!r}))"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=source,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def sdist(tmp_path_factory) -> Path:
    """The sdist, unpacked: everything else is built from it, as a user's pip would."""
    folder = tmp_path_factory.mktemp("sdist")
    source = folder / "checkout"
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    for name in filter(None, files):
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    done = run_hook("build_sdist", folder, source)
    assert done.returncode == 0, done.stderr
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def test_sdist_has_the_sources(sdist):
    for name in ("setup.py", "tflm_kernels/src/RNNPool.h", "tflm_kernels/src/rnnpool_op.cpp"):
        assert (sdist / name).is_file(), name
    assert (sdist / "tflm_kernels/desktop/abi/tensorflow/lite/c/common.h").is_file()
    assert not list(sdist.rglob("*.so"))


def test_wheel(sdist, tmp_path):
    done = run_hook("build_wheel", tmp_path, sdist)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.startswith("rnnpool_tf-0.1.0-py3-none-linux")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"rnnpool_tf/_native/librnnpool.so", "rnnpool_tf/_native/librnnpool_tflm.so"} <= names
    assert {"rnnpool_tf/_kernels/library.properties", "rnnpool_tf/_kernels/src/RNNPool.h"} <= names
    assert not any(name.startswith(("tests/", "tflm_kernels/")) for name in names)


def test_nothing_is_rebuilt_without_changes(sdist):
    command = [sys.executable, "setup.py", "build_ext"]
    built = []
    for _ in range(2):
        subprocess.run(command, cwd=sdist, check=True, capture_output=True)
        built.append({path: path.stat().st_mtime_ns for path in sdist.glob("build/**/*.so")})
    assert len(built[0]) == 2 and built[0] == built[1]
    source = sdist / "tflm_kernels/src/rnnpool_node.h"
    os.utime(source)
    subprocess.run(command, cwd=sdist, check=True, capture_output=True)
    assert all(path.stat().st_mtime_ns > built[1][path] for path in built[1])


def test_no_compiler(sdist, tmp_path):
    (tmp_path / "empty").mkdir()
    shutil.rmtree(sdist / "build", ignore_errors=True)
    done = run_hook("build_wheel", tmp_path, sdist, PATH=str(tmp_path / "empty"), CXX="")
    assert done.returncode != 0
    assert "needs a C++17 compiler" in done.stderr
    assert "apt-get install g++" in done.stderr

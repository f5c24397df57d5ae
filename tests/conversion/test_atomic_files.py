"""Files are written whole, all of them or none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rnnpool_tf.conversion.atomic_files import check_output, write_files

pytestmark = pytest.mark.keras_free


@pytest.mark.parametrize("failing", [0, 1], ids=["first file", "second file"])
@pytest.mark.parametrize("old", [b"old", None], ids=["replaced", "new"])
def test_a_failed_write_leaves_everything_as_it_was(tmp_path, monkeypatch, failing, old):
    header, body = tmp_path / "front.h", tmp_path / "body.tflite"
    if old is not None:
        header.write_bytes(old)
        body.write_bytes(old)
    really_replace = os.replace
    calls = []

    def full(source: str, target: Path):
        calls.append(target)
        if len(calls) > failing:
            raise OSError("no space left on device")
        really_replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        write_files({header: b"new header", body: b"new body"})
    assert len(calls) == failing + 1
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert found == ({} if old is None else {"front.h": old, "body.tflite": old})


def test_a_written_file_has_ordinary_permissions(tmp_path):
    ordinary = tmp_path / "ordinary"
    ordinary.write_bytes(b"")
    write_files({tmp_path / "model.tflite": b"new"})
    assert (tmp_path / "model.tflite").stat().st_mode == ordinary.stat().st_mode
    assert (tmp_path / "model.tflite").read_bytes() == b"new"


def test_a_device_is_refused():
    with pytest.raises(ValueError, match="must be an ordinary file"):
        check_output(Path(os.devnull))


def test_a_folder_that_cannot_be_written_to_is_refused_at_once(tmp_path, monkeypatch):
    check_output(tmp_path / "model.tflite")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(PermissionError, match=r"folder that can be written to.*model.tflite"):
        check_output(tmp_path / "model.tflite")

"""Files that are either written whole or left as they were, several at once if need be."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def check_output(path: Path, name: str = "output") -> None:
    """Raises when no file can be written at `path`; sooner than after a long conversion.

    Args:
        path: Of the file.
        name: What messages call the argument.

    Raises:
        ValueError: It is a folder or a device.
        FileNotFoundError: Its folder does not exist.
        PermissionError: Nothing can be written to its folder.
    """
    if path.is_dir():
        raise ValueError(f"`{name}` must be a file. Received: the folder '{path}'")
    if path.exists() and not path.is_file():
        raise ValueError(f"`{name}` must be an ordinary file. Received: the device '{path}'")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"`{name}` must be in an existing folder. Received: {name}='{path}'"
        )
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(
            f"`{name}` must be in a folder that can be written to. Received: {name}='{path}'"
        )


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Writes all files, or none: an error leaves every one of them as it was before."""
    temporaries: dict[Path, str] = {}
    previous: dict[Path, bytes | None] = {}
    try:
        for path, data in contents.items():
            descriptor, temporaries[path] = tempfile.mkstemp(
                dir=path.parent, prefix=f".{path.name}."
            )
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.chmod(temporaries[path], 0o666 & ~_umask())
        for path, temporary in temporaries.items():
            before = path.read_bytes() if path.exists() else None
            os.replace(temporary, path)
            previous[path] = before
    except BaseException:
        for path, before in previous.items():
            _restore(path, before)
        for temporary in temporaries.values():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
        raise


def _restore(path: Path, before: bytes | None) -> None:
    if before is None:
        path.unlink()
    else:
        path.write_bytes(before)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

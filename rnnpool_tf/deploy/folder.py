"""Writing a folder whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Its presence says that `rnnpool export` wrote the folder, so that --force may replace it.
MANIFEST = "export.json"


def check_output(output: Path, force: bool) -> None:
    """Raises when `output` may not be written.

    `force` replaces what an earlier export wrote and nothing else: a folder with anybody's files
    is never deleted.

    Raises:
        NotADirectoryError: a file is in the way.
        FileExistsError: the folder is not empty.
    """
    if not output.exists():
        return
    if not output.is_dir():
        raise NotADirectoryError(f"`output` must be a folder. Received: the file {output}")
    if not any(output.iterdir()):
        return
    if not (output / MANIFEST).is_file():
        raise FileExistsError(
            f"`output` must be a new or empty folder, or an earlier export. "
            f"Received: {output}, which holds other files"
        )
    if not force:
        raise FileExistsError(
            f"`output` already holds an export; pass --force (`force=True`) to replace it. "
            f"Received: {output}"
        )


@contextmanager
def replacing(output: Path) -> Iterator[Path]:
    """A new folder beside `output` that takes its place when the block ends without an error."""
    output.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    try:
        fresh, previous = work / "new", work / "old"
        fresh.mkdir()
        yield fresh
        if output.exists():
            output.rename(previous)
        try:
            fresh.rename(output)
        except OSError:
            if previous.exists():
                previous.rename(output)
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)

"""What native code writes to standard error, as text."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ONE_AT_A_TIME = threading.RLock()


class Captured:
    """Receives the text when the block ends."""

    text = ""


@contextmanager
def captured_stderr() -> Iterator[Captured]:
    """Redirects file descriptor 2 while the block runs, for the whole process.

    TensorFlow Lite Micro reports errors and memory there and nowhere else.

    >>> with captured_stderr() as captured:
    ...     _ = os.write(2, b"from C")
    >>> captured.text
    'from C'
    """
    captured = Captured()
    with _ONE_AT_A_TIME, tempfile.TemporaryFile() as file:
        sys.stderr.flush()
        original = os.dup(2)
        os.dup2(file.fileno(), 2)
        try:
            yield captured
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
            file.seek(0)
            captured.text = file.read().decode("utf-8", "replace")

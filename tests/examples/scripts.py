"""Runs an example's scripts as a user does, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Example:
    """The scripts in one folder of examples/, run with this checkout's package."""

    def __init__(self, name: str):
        self.folder = ROOT / "examples" / name

    def run(self, script: str, *arguments: object) -> subprocess.CompletedProcess:
        """What came of a script, whether it succeeded or not."""
        return subprocess.run(
            [sys.executable, str(self.folder / script), *map(str, arguments)],
            env=os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            timeout=600,
        )

    def done(self, script: str, *arguments: object) -> str:
        """The output of a script that must succeed."""
        result = self.run(script, *arguments)
        assert result.returncode == 0, result.stderr[-3000:]
        return result.stdout

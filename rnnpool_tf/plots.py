"""What everything that draws needs."""

from __future__ import annotations

import importlib.util


def require_matplotlib() -> None:
    """Raises RuntimeError, with what to install, where matplotlib is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        raise RuntimeError(
            "`--plot` needs matplotlib, which is not installed: pip install matplotlib"
        )

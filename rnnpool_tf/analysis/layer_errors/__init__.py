"""Where an int8 model loses accuracy against the float model it was made from."""

from __future__ import annotations

from rnnpool_tf._lazy import lazy_exports

_EXPORTS = {
    "LayerError": "measurement",
    "compare_layers": "measurement",
    "draw": "picture",
    "summary": "table",
}

__all__ = list(_EXPORTS)
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)

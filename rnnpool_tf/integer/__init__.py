"""The int8 operator in NumPy, the specification of every other implementation.

Start with `rnnpool_tf.integer.model`, whose docstring explains the number formats. This room needs
NumPy alone.
"""

from __future__ import annotations

import importlib

_EXPORTS = {
    "rnnpool_int8": "model",
    "IntegerCell": "cell",
    "quantize_bias": "quantize",
    "quantize_cell": "quantize",
    "quantize_pixels": "quantize",
    "quantize_weights": "quantize",
}

__all__ = list(_EXPORTS)


def __getattr__(name: str):
    # On first use, so that `python -m rnnpool_tf.integer.tables` runs a module not yet imported.
    if name in _EXPORTS:
        return getattr(importlib.import_module(f"{__name__}.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

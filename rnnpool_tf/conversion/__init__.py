"""From Keras to .tflite files with RNNPool operators, float32 and int8."""

from __future__ import annotations

import importlib

# On first use: reading .tflite files does not need TensorFlow, converting does.
_EXPORTS = {
    "Graph": "flatbuffer",
    "RNNPoolOperator": "rnnpool_op",
    "RNNPoolShape": "rnnpool_op",
    "convert": "converter",
    "rnnpool_operators": "rnnpool_op",
    "verify": "verification",
}

__all__ = list(_EXPORTS)


def __getattr__(name: str):
    if name in _EXPORTS:
        return getattr(importlib.import_module(f"{__name__}.{_EXPORTS[name]}"), name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)

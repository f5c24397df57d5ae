"""`rnnpool summary`: layers, work and memory of a model, and how a .tflite file stores weights."""

from __future__ import annotations

from rnnpool_tf._lazy import lazy_exports

_EXPORTS = {"Layer": "layers", "Summary": "layers", "Weights": "weights", "summarize": "layers"}

__all__ = list(_EXPORTS)
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)

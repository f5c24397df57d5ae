"""Counting and measuring: parameters, multiply-accumulates, and what int8 costs layer by layer."""

from __future__ import annotations

from rnnpool_tf._lazy import lazy_exports

_EXPORTS = {
    "LayerCount": "counts",
    "LayerError": "layer_errors.measurement",
    "ModelCount": "counts",
    "compare_layers": "layer_errors.measurement",
    "count": "counts",
}

__all__ = list(_EXPORTS)
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)

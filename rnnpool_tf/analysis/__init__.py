"""Counting and measuring: parameters, multiply-accumulates, memory, and what int8 costs."""

from __future__ import annotations

from rnnpool_tf._lazy import lazy_exports

_EXPORTS = {
    "LayerCount": "counts",
    "LayerError": "layer_errors.measurement",
    "LayerSummary": "model_summary",
    "ModelCount": "counts",
    "ModelSummary": "model_summary",
    "compare_layers": "layer_errors.measurement",
    "count": "counts",
    "summarize_file": "model_summary",
    "summarize_model": "model_summary",
}

__all__ = list(_EXPORTS)
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)

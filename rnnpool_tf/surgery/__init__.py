"""RNNPool in a network that exists already: what it may replace, the exchange, what that saves."""

from __future__ import annotations

from rnnpool_tf._lazy import lazy_exports

_EXPORTS = {
    "Cut": "cuts",
    "Cuts": "cuts",
    "Replacement": "replacement",
    "Report": "report",
    "replace_with_rnnpool": "replacement",
    "suggest_spans": "cuts",
}

__all__ = list(_EXPORTS)
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)

"""How much RAM a model really takes in TensorFlow Lite Micro, and where it goes."""

from __future__ import annotations

from rnnpool_tf._lazy import lazy_exports

_EXPORTS = {
    "Measured": "measurement",
    "Variant": "variants",
    "draw": "picture",
    "measure": "measurement",
    "variants_of": "variants",
}

__all__ = list(_EXPORTS)
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)

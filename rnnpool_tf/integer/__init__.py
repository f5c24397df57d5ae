"""The int8 operator in NumPy, the specification of every other implementation.

Start with `rnnpool_tf.integer.model`, whose docstring explains the number formats, and for faces
from a detector's maps with `rnnpool_tf.integer.detection`. This room needs NumPy alone.
"""

from __future__ import annotations

from rnnpool_tf._lazy import lazy_exports

# On first use, so that `python -m rnnpool_tf.integer.tables` runs a module not yet imported.
_EXPORTS = {
    "rnnpool_int8": "model",
    "DetectionLevel": "detection",
    "IntegerCell": "cell",
    "decode_detections": "detection",
    "quantize_bias": "quantize",
    "quantize_cell": "quantize",
    "quantize_pixels": "quantize",
    "quantize_weights": "quantize",
}

__all__ = list(_EXPORTS)
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)

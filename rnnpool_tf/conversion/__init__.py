"""From Keras to .tflite files with RNNPool operators, float32 and int8."""

from __future__ import annotations

from rnnpool_tf._lazy import lazy_exports

# On first use: reading .tflite files does not need TensorFlow, converting does.
_EXPORTS = {
    "FusionNote": "fusion.report",
    "Graph": "flatbuffer",
    "RNNPoolOperator": "rnnpool_op",
    "RNNPoolShape": "rnnpool_op",
    "StreamPair": "streaming",
    "convert": "converter",
    "fuse": "fusion.passes",
    "fuse_model": "finishing",
    "rnnpool_operators": "rnnpool_op",
    "split_stream": "streaming",
    "verify": "verification",
}

__all__ = list(_EXPORTS)
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)

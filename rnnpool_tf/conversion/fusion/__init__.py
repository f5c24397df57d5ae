"""Fusing operators of int8 models, so that what lies between them is never in memory as a whole."""

from __future__ import annotations

from rnnpool_tf._lazy import lazy_exports

_EXPORTS = {
    "FusionNote": "report",
    "ConvRNNPool": "fused_layers",
    "InvertedResidual": "fused_layers",
    "conv_rnnpools": "fused_operators",
    "fuse": "passes",
    "in_place_offset": "fused_operators",
    "inverted_residuals": "fused_operators",
    "read_fused": "fused_operators",
}

__all__ = list(_EXPORTS)
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)

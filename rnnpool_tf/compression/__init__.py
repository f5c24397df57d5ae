"""Quantisation-aware training and pruning of models with RNNPool layers, on tfmot.

Everything here needs `tf_keras` (set `TF_USE_LEGACY_KERAS=1` before TensorFlow is imported) and
says so in one sentence when the process runs on Keras 3. The usual order:

1. train the float model;
2. `pruned = prune(model, 0.5, end_step=...)`, train with `pruning_callbacks()`,
   `model = strip_pruning(pruned)` (optional);
3. `qat = quantize(model, calibration=images, preserve_sparsity=True)`, train a few epochs;
4. `save(qat, "qat.h5")`, or `rnnpool_tf.convert(qat, "model.tflite")`.
"""

from __future__ import annotations

from rnnpool_tf._lazy import lazy_exports

_EXPORTS = {
    "FreezeBatchNorm": "callbacks",
    "PAPER_RNNPOOL_SPARSITY": "pruning_targets",
    "SparsityReport": "report",
    "freeze_batch_norm": "callbacks",
    "int8_weights": "ranges",
    "is_quantized": "checks",
    "load": "saving",
    "prune": "pruning",
    "pruning_callbacks": "pruning",
    "quantize": "quantization",
    "quantize_scope": "quantization",
    "refresh_weight_ranges": "ranges",
    "save": "saving",
    "set_input_range": "ranges",
    "sparsity_report": "report",
    "strip_pruning": "pruning",
    "weight_scales": "ranges",
}

__all__ = list(_EXPORTS)
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)

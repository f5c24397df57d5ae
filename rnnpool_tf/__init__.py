"""RNNPool (Saha et al., NeurIPS 2020) for Keras and TensorFlow Lite Micro.

The names below are loaded on first use, so that `import rnnpool_tf` stays light and does not
decide which Keras the process runs on (see `rnnpool_tf._keras`).

>>> import rnnpool_tf
>>> layer = rnnpool_tf.RNNPoolLayer(hidden1=8, hidden2=8, pool_size=6, strides=4)
"""

from __future__ import annotations

from rnnpool_tf._lazy import lazy_exports

__version__ = "0.1.0"

_ROOMS = (
    "analysis",
    "compression",
    "conversion",
    "datasets",
    "deploy",
    "integer",
    "layers",
    "models",
    "runtime",
    "surgery",
    "training",
)
_EXPORTS = {
    "FastGRNN": "layers",
    "FastGRNNCell": "layers",
    "Geometry": "geometry",
    "RNNPoolLayer": "layers",
    "Runtime": "runtime",
    "StreamedRuntime": "runtime",
    "convert": "conversion",
    "replace_with_rnnpool": "surgery",
    "use_legacy_keras": "_keras_mode",
    **{room: room for room in _ROOMS},
}

__all__ = ["__version__", *_EXPORTS]
__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)

"""RNNPool (Saha et al., NeurIPS 2020) for Keras and TensorFlow Lite Micro.

The names below are loaded on first use, so that `import rnnpool_tf` stays light and does not
decide which Keras the process runs on (see `rnnpool_tf._keras`).

>>> import rnnpool_tf
>>> layer = rnnpool_tf.RNNPoolLayer(hidden1=8, hidden2=8, pool_size=6, strides=4)
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

_EXPORTS = {
    "RNNPoolLayer": "rnnpool_tf.layers",
    "FastGRNN": "rnnpool_tf.layers",
    "FastGRNNCell": "rnnpool_tf.layers",
    "Geometry": "rnnpool_tf.geometry",
    "Runtime": "rnnpool_tf.runtime",
    "convert": "rnnpool_tf.conversion",
    "use_legacy_keras": "rnnpool_tf._keras_mode",
}
_ROOMS = (
    "analysis",
    "compression",
    "datasets",
    "deploy",
    "integer",
    "layers",
    "models",
    "training",
)

__all__ = [*_EXPORTS, *_ROOMS, "__version__"]


def __getattr__(name: str):
    if name in _EXPORTS:
        return getattr(importlib.import_module(_EXPORTS[name]), name)
    if name in _ROOMS:
        return importlib.import_module(f"rnnpool_tf.{name}")
    raise AttributeError(f"module 'rnnpool_tf' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)

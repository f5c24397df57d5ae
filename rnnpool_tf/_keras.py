"""Which Keras this process runs on, decided once.

`tf.keras` is Keras 3 unless `TF_USE_LEGACY_KERAS=1` was in the environment when it was first
touched; then it is `tf_keras` (Keras 2). The layers work on both. tensorflow-model-optimization
exists for `tf_keras` only, and fails under Keras 3 with messages that do not name the cause;
`require_legacy_keras` names it.
"""

from __future__ import annotations

import os
import sys

import tensorflow as tf

keras = tf.keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "rnnpool_tf runs on Keras's TensorFlow backend; unset KERAS_BACKEND or set it to "
        f"'tensorflow'. Received: backend={keras.backend.backend()!r}"
    )


def is_legacy_keras() -> bool:
    """Returns True when `tf.keras` is `tf_keras` (Keras 2)."""
    return keras.Model.__module__.startswith("tf_keras")


def require_legacy_keras(feature: str) -> None:
    """Raises RuntimeError, saying what to set and where, when `tf.keras` is Keras 3.

    Args:
        feature: What needs `tf_keras`, for the message, e.g. "Quantisation-aware training".
    """
    if is_legacy_keras():
        return
    raise RuntimeError(
        f"{feature} needs tf_keras (Keras 2), because tensorflow-model-optimization supports no "
        "other. Set the environment variable TF_USE_LEGACY_KERAS=1 before TensorFlow is first "
        f"imported: in the shell (`TF_USE_LEGACY_KERAS=1 python {os.path.basename(sys.argv[0])}`) "
        "or by `import rnnpool_tf; rnnpool_tf.use_legacy_keras()` as the first lines of the "
        "program. Received: tf.keras is Keras 3."
    )

"""Which Keras this process runs on, decided once.

`tf.keras` is Keras 3 unless `TF_USE_LEGACY_KERAS=1` was in the environment when TensorFlow was
imported; then it is `tf_keras` (Keras 2). The layers work on both. tensorflow-model-optimization
exists for `tf_keras` only, and fails under Keras 3 with messages that do not name the cause;
`require_legacy_keras` names it.
"""

from __future__ import annotations

import os
import sys

import tensorflow as tf

keras = tf.keras


def is_legacy_keras() -> bool:
    """Returns True when `tf.keras` is `tf_keras` (Keras 2)."""
    return keras.__version__.startswith("2.")


def use_legacy_keras() -> None:
    """Selects `tf_keras` for this process; call it before TensorFlow is imported.

    Raises:
        RuntimeError: `tf.keras` was already loaded as Keras 3.
    """
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    if not is_legacy_keras():
        raise RuntimeError(_explain("use_legacy_keras()"))


def require_legacy_keras(feature: str) -> None:
    """Raises RuntimeError, saying what to set and where, when `tf.keras` is Keras 3.

    Args:
        feature: What needs `tf_keras`, for the message, e.g. "Quantisation-aware training".
    """
    if not is_legacy_keras():
        raise RuntimeError(_explain(feature))


def _explain(feature: str) -> str:
    return (
        f"{feature} needs tf_keras (Keras 2), because tensorflow-model-optimization supports no "
        "other. Set the environment variable TF_USE_LEGACY_KERAS=1 before TensorFlow is first "
        f"imported: in the shell (`TF_USE_LEGACY_KERAS=1 python {os.path.basename(sys.argv[0])}`) "
        "or as the first lines of the program (`import os; "
        'os.environ["TF_USE_LEGACY_KERAS"] = "1"`). '
        f"Received: tf.keras is Keras {keras.__version__}."
    )

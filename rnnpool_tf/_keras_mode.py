"""Choosing tf_keras before TensorFlow is imported. Imports nothing heavy."""

from __future__ import annotations

import os
import sys


def use_legacy_keras() -> None:
    """Selects `tf_keras` (Keras 2) for this process; call it before anything imports TensorFlow.

    Quantisation-aware training and pruning need it: tensorflow-model-optimization supports no
    other Keras.

    Raises:
        RuntimeError: TensorFlow was already imported, and with it Keras 3.

    >>> import rnnpool_tf
    >>> rnnpool_tf.use_legacy_keras()
    """
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    if "tensorflow" in sys.modules:
        from rnnpool_tf._keras import require_legacy_keras

        require_legacy_keras("use_legacy_keras()")

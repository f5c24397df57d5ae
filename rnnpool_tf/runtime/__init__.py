"""Run a .tflite model with our operators on the desktop.

>>> from rnnpool_tf.runtime import Runtime
>>> logits = Runtime("model.tflite").predict(images)  # doctest: +SKIP
"""

from __future__ import annotations

from rnnpool_tf.native import kernels_path, library_path, load
from rnnpool_tf.runtime.interpreter import Runtime
from rnnpool_tf.runtime.streamed import StreamedRuntime
from rnnpool_tf.runtime.tensors import TensorDetails

__all__ = ["Runtime", "StreamedRuntime", "TensorDetails", "kernels_path", "library_path", "load"]

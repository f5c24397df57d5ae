"""What running a model gives, however its input gets there: outputs, and memory in the arena."""

from __future__ import annotations

import abc
import functools

import numpy as np

from rnnpool_tf.runtime.tensors import TensorDetails, dequantize


class Predictor(abc.ABC):
    """Outputs of a batch and the arena's use, for `Runtime` and `StreamedRuntime`.

    Attributes:
        engine: `"litert"` or `"tflm"`.
        output_details: the model's outputs, a list of `TensorDetails`.
    """

    engine: str
    output_details: list[TensorDetails]
    _engine: object  # a LiteRtEngine or a TflmEngine

    @abc.abstractmethod
    def _run(self, batch: np.ndarray) -> list[np.ndarray]:
        """Every output as the model stores it, for a batch as the class takes it."""

    def predict(self, batch: np.ndarray) -> np.ndarray | list[np.ndarray]:
        """Real outputs of a batch.

        Args:
            batch: [n, ...] samples, or one without the batch dimension, as the class describes
                them.

        Returns:
            float32 [n, ...]; a list of such arrays when the model has several outputs.

        Raises:
            ValueError: wrong shape or dtype, or an empty batch.
        """
        outputs = self._run(batch)
        real = [dequantize(*pair) for pair in zip(outputs, self.output_details, strict=True)]
        return real[0] if len(real) == 1 else real

    def predict_quantized(self, batch: np.ndarray) -> np.ndarray | list[np.ndarray]:
        """As `predict`, but returns the outputs as the model stores them."""
        outputs = self._run(batch)
        return outputs[0] if len(outputs) == 1 else outputs

    @functools.cached_property
    def arena_breakdown(self) -> dict[str, int]:
        """TensorFlow Lite Micro's arena in bytes: `total`, `head` and `tail`.

        The head, activations and scratch, is the same on every machine. The tail, what the
        interpreter keeps, is larger here than on a Cortex-M, as pointers have 64 bits. Of a
        streamed model it is the body's arena; map and workspace are in it.
        """
        use = self._tflm().arena_use()
        return {"total": use.total, "head": use.head, "tail": use.tail}

    def _tflm(self):
        if self.engine != "tflm":
            raise ValueError(
                'the arena can be measured with engine="tflm" only. '
                f"Received: engine={self.engine!r}"
            )
        return self._engine

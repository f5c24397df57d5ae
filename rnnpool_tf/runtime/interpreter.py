"""`Runtime`: one class, two engines."""

from __future__ import annotations

import functools
import os
from typing import Literal

import numpy as np

from rnnpool_tf.runtime.engines import check_options, start
from rnnpool_tf.runtime.model_file import ModelFile, read_model
from rnnpool_tf.runtime.predictor import Predictor
from rnnpool_tf.runtime.tensors import TensorDetails, quantize


class Runtime(Predictor):
    """Runs a .tflite model, RNNPool included, on the desktop.

    `engine="litert"` is fast. `engine="tflm"` is TensorFlow Lite Micro's own interpreter with the
    operator's own source: what a microcontroller computes, and how much memory it takes for it.

    Args:
        model: path of a .tflite file, or its bytes. The file is checked first, so a truncated or
            damaged one is an error and no crash.
        engine: `"litert"` or `"tflm"`. The second needs `pip install rnnpool_tf[tflm]`.
        num_threads: threads for LiteRT; TensorFlow Lite Micro has one.
        reference_kernels: for LiteRT: built-in operators by the reference kernels, whose rounding
            TensorFlow Lite Micro shares, instead of the fast ones. Several times slower; the bytes
            are then nearly always those of the device.
        arena_size: bytes of TensorFlow Lite Micro's arena; None takes ample memory. With a size,
            the model is first tried in a process of its own, as a small arena may crash it.

    Raises:
        ValueError: unknown engine; not a TensorFlow Lite file, or a damaged one; more than one
            input; the engine refuses the model, or is not installed; the arena is too small.
        FileNotFoundError: no such file.

    Attributes:
        engine: `"litert"` or `"tflm"`.
        input_details: the model's inputs, a list of `TensorDetails`.
        output_details: the model's outputs.

    Batches of `predict` are float32 real values, which are quantised with the model's own scale and
    zero point where its input is int8; or of the model's stored dtype, taken as they are.

    Example::

        runtime = Runtime("model.tflite", engine="tflm")
        logits = runtime.predict(images)         # float32 [n, 96, 96, 3] -> float32 [n, 2]
        print(runtime.arena_bytes)
    """

    def __init__(
        self,
        model: str | os.PathLike | bytes | bytearray,
        engine: Literal["litert", "tflm"] = "litert",
        num_threads: int = 1,
        arena_size: int | None = None,
        reference_kernels: bool = False,
    ):
        check_options(engine, num_threads, arena_size, reference_kernels)
        self.engine = engine
        self._model = read_model(model)
        _check_inputs(self._model)
        self._engine = start(self._model, engine, num_threads, arena_size, reference_kernels)
        self.input_details: list[TensorDetails] = self._engine.inputs
        self.output_details: list[TensorDetails] = self._engine.outputs

    @property
    def arena_bytes(self) -> int:
        """Bytes of TensorFlow Lite Micro's arena that the model occupies (`arena_used_bytes`).

        On this machine: 64-bit pointers make it somewhat larger than on a Cortex-M.
        """
        return self.arena_breakdown["total"]

    @functools.cached_property
    def smallest_arena(self) -> int:
        """Bytes of the smallest arena in which the model runs here, found by bisection.

        A little more than `arena_bytes`: operators borrow memory while they are prepared. Takes a
        few seconds.
        """
        from rnnpool_tf.runtime.arena_probe import smallest_arena

        self._tflm()
        return smallest_arena(self._model.data, self.arena_bytes)

    def _run(self, batch: np.ndarray) -> list[np.ndarray]:
        return self._engine.run(self._stored(np.asarray(batch)))

    def _stored(self, batch: np.ndarray) -> np.ndarray:
        """The batch as the model stores it, or a ValueError."""
        details = self.input_details[0]
        sample = details.shape[1:]
        if batch.shape == sample:
            batch = batch[np.newaxis]
        if batch.ndim != len(details.shape) or batch.shape[1:] != sample or len(batch) == 0:
            raise ValueError(
                f"`batch` must have shape {_spell(('n', *sample))}, n at least 1. "
                f"Received: shape={batch.shape}"
            )
        if details.batch is not None and len(batch) % details.batch:
            raise ValueError(
                f"`batch` must hold a multiple of {details.batch} samples, the model's own batch "
                f"size. Received: shape={batch.shape}"
            )
        if batch.dtype == details.dtype:
            return batch
        if batch.dtype.kind == "f" and details.quantized:
            return quantize(batch, details)
        if batch.dtype.kind == "f" and details.dtype.kind == "f":
            return batch.astype(details.dtype)
        raise ValueError(
            f"`batch` must be float32 or the model's {details.dtype}. Received: dtype={batch.dtype}"
        )


def _check_inputs(model: ModelFile) -> None:
    if len(model.inputs) != 1:
        raise ValueError(
            f"`Runtime` runs models of 1 input. Received: {len(model.inputs)} inputs, "
            f"{', '.join(model.inputs)}. (The body of a streamed model runs in `StreamedRuntime`.)"
        )


def _spell(shape: tuple) -> str:
    return "[" + ", ".join(str(size) for size in shape) + "]"

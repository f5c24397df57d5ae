"""Models on LiteRT, with RNNPool as a delegate: the fast engine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rnnpool_tf import native
from rnnpool_tf.runtime.model_file import ModelFile
from rnnpool_tf.runtime.tensors import TensorDetails

# Activations of large images take megabytes each, so a large batch is run in parts.
_LARGEST_BATCH = 32


class LiteRtEngine:
    """One model in LiteRT's interpreter.

    Args:
        model: the model.
        num_threads: threads for the interpreter and for RNNPool.
        reference_kernels: run built-in operators by TensorFlow Lite's reference kernels, whose
            rounding TensorFlow Lite Micro shares, instead of XNNPACK's fast ones.

    Raises:
        ValueError: the interpreter refuses the model; its own message is part of the sentence.
    """

    def __init__(self, model: ModelFile, num_threads: int, reference_kernels: bool = False):
        from ai_edge_litert import interpreter as litert

        resolvers = litert.OpResolverType

        try:
            delegates = [litert.load_delegate(str(native.library_path("librnnpool")))]
            self._interpreter = litert.Interpreter(
                model_content=model.data,
                experimental_delegates=delegates,
                num_threads=num_threads,
                experimental_op_resolver_type=(
                    resolvers.BUILTIN_REF if reference_kernels else resolvers.AUTO
                ),
            )
            self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"LiteRT refuses the model: {_one_line(error)}") from error
        self.inputs = [_details(d) for d in self._interpreter.get_input_details()]
        self.outputs = [_details(d) for d in self._interpreter.get_output_details()]
        self._inputs = [d["index"] for d in self._interpreter.get_input_details()]
        self._outputs = [d["index"] for d in self._interpreter.get_output_details()]

    def run(self, stored: np.ndarray) -> list[np.ndarray]:
        """Runs a batch of the input's dtype; returns every output with the same batch."""
        step = self.inputs[0].batch or min(len(stored), _LARGEST_BATCH)
        parts = [self.invoke([stored[i : i + step]]) for i in range(0, len(stored), step)]
        return [np.concatenate(output) for output in zip(*parts, strict=True)]

    def invoke(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Runs the model once, with an array for each of its inputs; returns every output."""
        interpreter = self._interpreter
        try:
            if self.inputs[0].batch is None:
                interpreter.resize_tensor_input(self._inputs[0], inputs[0].shape)
                interpreter.allocate_tensors()
            for index, stored in zip(self._inputs, inputs, strict=True):
                interpreter.set_tensor(index, np.ascontiguousarray(stored))
            interpreter.invoke()
            return [interpreter.get_tensor(index) for index in self._outputs]
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"LiteRT cannot run the model: {_one_line(error)}") from error


def _details(details: dict) -> TensorDetails:
    scale, zero_point = details["quantization"]
    shape = tuple(int(size) for size in details["shape"])
    signature = details["shape_signature"]
    open_batch = len(signature) == 0 or signature[0] == -1
    return TensorDetails(
        name=details["name"],
        shape=shape,
        batch=None if open_batch or not shape else shape[0],
        dtype=np.dtype(details["dtype"]),
        scale=float(scale),
        zero_point=int(zero_point),
    )


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

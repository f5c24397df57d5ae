"""Models on TensorFlow Lite Micro's own interpreter: the truth about memory and numerics."""

from __future__ import annotations

import ctypes
import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType

import numpy as np

from rnnpool_tf import native
from rnnpool_tf.captured_stderr import captured_stderr
from rnnpool_tf.runtime.model_file import ModelFile
from rnnpool_tf.runtime.tensors import TensorDetails

REGISTERER = "RNNPoolTflmRegisterer"

# The native operator is compiled against this build's binary interface. pyproject.toml pins it.
TFLITE_MICRO_VERSION = "0.dev20261002031052"

# Arena for a model whose need is not known yet: persistent structures grow with the file, and no
# plan of the activations is worse than all of them side by side. Scratch buffers come on top, so
# what is still too small grows fourfold until it is enough.
_SPARE = 1 << 20
_PER_FILE_BYTE = 8
_GROWTH = 4
_LARGEST_ARENA = 1 << 30

_ALLOCATION = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")
_OUT_OF_MEMORY = re.compile(r"missing: \d+|Arena size is too small|more of arena")


@dataclass(frozen=True)
class ArenaUse:
    """TensorFlow Lite Micro's arena, in bytes, as its recording allocator counts it.

    Attributes:
        total: `arena_used_bytes` of the interpreter: head and tail.
        head: activations and scratch buffers, laid out by the memory planner. The same on every
            machine.
        tail: persistent data: tensors, nodes, prepared weights. Pointers make it larger on a
            64-bit desktop than on a Cortex-M.
    """

    total: int
    head: int
    tail: int


@functools.cache
def load_tflite_micro() -> ModuleType:
    """Imports TensorFlow Lite Micro's Python interpreter and loads the operator into it.

    Raises:
        ValueError: it is not installed, or not in the build the operator was compiled for.
    """
    hint = "Install it with `pip install rnnpool_tf[tflm]`."
    try:
        version = metadata.version("tflite-micro")
    except metadata.PackageNotFoundError as error:
        raise ValueError(
            f'engine="tflm" needs the package tflite-micro, which is not installed. {hint}'
        ) from error
    if version != TFLITE_MICRO_VERSION:
        raise ValueError(
            f"tflite-micro must be version {TFLITE_MICRO_VERSION}, whose binary interface the "
            f"operator is compiled for. {hint} Received: version {version}"
        )
    from tflite_micro.python.tflite_micro import _runtime, runtime

    # Python loaded it with local symbols; the operator's library needs them global.
    ctypes.CDLL(_runtime.__file__, mode=ctypes.RTLD_GLOBAL)
    native.load("librnnpool_tflm")
    return runtime


class _OutOfMemoryError(ValueError):
    """The arena is too small."""


class TflmEngine:
    """One model in TensorFlow Lite Micro's interpreter.

    Args:
        model: the model.
        arena_size: bytes for the interpreter, at least what the model needs; None: ample.

    Raises:
        ValueError: the interpreter refuses the model; its own message is part of the sentence.
    """

    def __init__(self, model: ModelFile, arena_size: int | None = None):
        self._model = model  # the interpreter reads weights from these bytes
        self._interpreter = None
        self._interpreter = self._create(arena_size) if arena_size else self._create_ample()
        self.inputs = self._all_details(self._interpreter.get_input_details, "inputs")
        self.outputs = self._all_details(self._interpreter.get_output_details, "outputs")

    def run(self, stored: np.ndarray) -> list[np.ndarray]:
        """Runs a batch of the input's dtype in the model's own batch size; returns every output."""
        step = self.inputs[0].batch
        parts = [self.invoke([stored[i : i + step]]) for i in range(0, len(stored), step)]
        return [np.concatenate(output) for output in zip(*parts, strict=True)]

    def invoke(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Runs the model once, with an array for each of its inputs; returns every output."""
        with captured_stderr() as captured:
            try:
                for index, stored in enumerate(inputs):
                    self._interpreter.set_input(np.ascontiguousarray(stored), index)
                self._interpreter.invoke()
                return [np.array(self._interpreter.get_output(i)) for i in range(len(self.outputs))]
            except (RuntimeError, ValueError) as error:
                reason = error
        raise ValueError(
            f"TensorFlow Lite Micro cannot run the model: {_sentence(captured.text, reason)}"
        ) from reason

    def arena_use(self) -> ArenaUse:
        """Reads the arena's use from the report that the interpreter prints."""
        with captured_stderr() as captured:
            self._interpreter.print_allocations()
        sizes = {name: int(size) for name, size in _ALLOCATION.findall(captured.text)}
        if set(sizes) != {"total", "head", "tail"}:
            raise RuntimeError(
                f"TensorFlow Lite Micro's report of its arena is not understood: {captured.text!r}"
            )
        return ArenaUse(**sizes)

    def _create_ample(self):
        arena_size = _SPARE + _PER_FILE_BYTE * len(self._model.data) + self._model.tensors_bytes
        while arena_size <= _LARGEST_ARENA:
            try:
                return self._create(arena_size)
            except _OutOfMemoryError:
                arena_size *= _GROWTH
        raise ValueError(
            f"the model must run in {_LARGEST_ARENA} bytes of arena. "
            f"Received: {self._model.tensors_bytes} bytes of tensors"
        )

    def _create(self, arena_size: int):
        runtime = load_tflite_micro()
        reason = None
        with captured_stderr() as captured:
            try:
                return runtime.Interpreter.from_bytes(
                    self._model.data, custom_op_registerers=[REGISTERER], arena_size=arena_size
                )
            except (RuntimeError, ValueError) as error:
                reason = error
        kind = _OutOfMemoryError if _OUT_OF_MEMORY.search(captured.text) else ValueError
        raise kind(
            f"TensorFlow Lite Micro refuses the model: {_sentence(captured.text, reason)}"
        ) from reason

    def _all_details(self, get, kind: str) -> list[TensorDetails]:
        names = getattr(self._model, kind)
        return [_details(get(index), name) for index, name in enumerate(names)]


def _details(details: dict, name: str) -> TensorDetails:
    parameters = details["quantization_parameters"]
    scales, zero_points = parameters["scales"], parameters["zero_points"]
    quantized = len(scales) == 1
    shape = tuple(int(size) for size in details["shape"])
    return TensorDetails(
        name=name,
        shape=shape,
        batch=shape[0] if shape else None,
        dtype=np.dtype(details["dtype"]),
        scale=float(scales[0]) if quantized else 0.0,
        zero_point=int(zero_points[0]) if quantized else 0,
    )


def _sentence(report: str, error: Exception) -> str:
    lines = [line.strip() for line in report.splitlines() if line.strip()]
    return " ".join([*lines, str(error)])

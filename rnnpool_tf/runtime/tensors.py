"""What a model's inputs and outputs are, and how real values become its numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TensorDetails:
    """An input or output of a model.

    Attributes:
        name: as in the model file; empty where the engine does not tell.
        shape: as in the model file, the batch first; 1 where a size is open.
        batch: the number of maps per run, or None when it is open.
        dtype: of the stored numbers.
        scale: real value of one step; 0.0 when the tensor is not quantised.
        zero_point: the stored number that means 0.
    """

    name: str
    shape: tuple[int, ...]
    batch: int | None
    dtype: np.dtype
    scale: float = 0.0
    zero_point: int = 0

    @property
    def quantized(self) -> bool:
        return self.scale != 0.0


def quantize(values: np.ndarray, details: TensorDetails) -> np.ndarray:
    """Real values to stored numbers, as TensorFlow Lite does: halves away from zero, saturating.

    Raises:
        ValueError: a value is not a number.

    >>> details = TensorDetails("x", (1, 2), 1, np.dtype("int8"), scale=0.5, zero_point=-1)
    >>> quantize(np.array([[0.75, 500.0]], np.float32), details)
    array([[  1, 127]], dtype=int8)
    """
    steps = np.asarray(values, np.float32) / np.float32(details.scale)
    if np.isnan(steps).any():
        raise ValueError(f"`batch` must not contain NaN. Received: {np.isnan(steps).sum()} NaN")
    rounded = np.copysign(np.floor(np.abs(steps) + np.float32(0.5)), steps)
    limits = np.iinfo(details.dtype)
    return np.clip(rounded + details.zero_point, limits.min, limits.max).astype(details.dtype)


def dequantize(stored: np.ndarray, details: TensorDetails) -> np.ndarray:
    """Stored numbers to real values in float32; those of a tensor without quantisation as such."""
    if not details.quantized:
        return np.asarray(stored, np.float32)
    return (stored.astype(np.float32) - details.zero_point) * np.float32(details.scale)

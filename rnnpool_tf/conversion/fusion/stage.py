"""One convolution inside a fused operator: constants, output range, and where its windows lie.

A fused operator stores a convolution as two constants, so that a microcontroller reads them from
flash and prepares nothing:

* weights, int8: `[outputs, inputs]` (1×1), `[kernel height, kernel width, channels]` (depthwise) or
  `[outputs, kernel height, kernel width, inputs]` (full);
* parameters, int32 `[3, outputs]`: bias with the input's zero point folded in, multiplier, shift
  (`rnnpool_tf.conversion.fusion.requantization`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LARGEST_SUM = 2**31 - 1


@dataclass(frozen=True)
class OutputRange:
    """What an int8 stage writes: its zero point, and the limits of its activation function."""

    zero_point: int
    minimum: int = -128
    maximum: int = 127


@dataclass(frozen=True, eq=False)
class Stage:
    """A convolution's constants; see the module's text for layouts.

    Attributes:
        weights: int8, two, three or four dimensions.
        parameters: int32 [3, outputs].
        range: Of its output.
    """

    weights: np.ndarray
    parameters: np.ndarray
    range: OutputRange

    def __post_init__(self):
        if self.weights.dtype != np.int8 or self.weights.ndim not in (2, 3, 4):
            raise ValueError(
                "`weights` must be int8 with 2, 3 or 4 dimensions. "
                f"Received: {self.weights.dtype}, shape={self.weights.shape}"
            )
        if self.parameters.dtype != np.int32 or self.parameters.shape != (3, self.outputs):
            raise ValueError(
                f"`parameters` must be int32 with shape (3, {self.outputs}). Received: "
                f"{self.parameters.dtype}, shape={self.parameters.shape}"
            )

    @property
    def depthwise(self) -> bool:
        return self.weights.ndim == 3

    @property
    def outputs(self) -> int:
        return self.weights.shape[-1 if self.depthwise else 0]

    @property
    def inputs(self) -> int:
        return self.weights.shape[-1]

    @property
    def kernel(self) -> tuple[int, int]:
        """Height and width."""
        if self.weights.ndim == 2:
            return 1, 1
        rows = 0 if self.depthwise else 1
        return self.weights.shape[rows], self.weights.shape[rows + 1]

    def weights_per_output(self) -> np.ndarray:
        """The weights as [outputs, weights that one output channel has]."""
        if self.depthwise:
            return self.weights.reshape(-1, self.outputs).T
        return self.weights.reshape(self.outputs, -1)

    def problem(self) -> str | None:
        """Why its accumulators may not fit 32 bits; None if no input can make one overflow.

        The largest accumulator is |bias| + 128 · Σ|weight|, shifted left where the shift is
        positive.
        """
        bias, _, shift = self.parameters.astype(np.int64)
        sums = np.abs(self.weights_per_output().astype(np.int64)).sum(axis=1)
        too_large = np.abs(bias) + 128 * sums > LARGEST_SUM >> np.maximum(shift, 0)
        if not too_large.any():
            return None
        return f"the accumulator of its channel {int(np.argmax(too_large))} may exceed 32 bits"


@dataclass(frozen=True)
class Window:
    """Where a convolution's windows lie on its input, in (vertical, horizontal) pairs.

    Attributes:
        kernel: Size of a window.
        strides: Distance between windows.
        pads: Pixels before the map; how many lie behind it follows from `output`.
        output: Number of windows.
    """

    kernel: tuple[int, int]
    strides: tuple[int, int]
    pads: tuple[int, int]
    output: tuple[int, int]

    def problem(self, size: tuple[int, int], largest_kernel: int) -> str | None:
        """Why a fused operator cannot take these windows on a map of `size`; None if it can."""
        if max(self.kernel) > largest_kernel:
            return f"its kernel {_by(self.kernel)} is larger than {largest_kernel}x{largest_kernel}"
        for kernel, stride, pad, count, pixels in zip(
            self.kernel, self.strides, self.pads, self.output, size, strict=True
        ):
            if not 0 <= pad < kernel or (count - 1) * stride - pad >= pixels:
                return f"some of its windows lie in the padding alone (padding {_by(self.pads)})"
        return None

    def rows_needed(self, rows: int, height: int) -> int:
        """How many rows of a map of `height` the first `rows` rows of the output need."""
        return max(0, min(height, (rows - 1) * self.strides[0] - self.pads[0] + self.kernel[0]))


def _by(pair: tuple[int, int]) -> str:
    return f"{pair[0]}x{pair[1]}"

"""Fused operators with their expected outputs, for firmware images.

Shapes, parameters and rounding are those of the operators "InvertedResidual" and "ConvRNNPool".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpool_tf.bench.m4 import fused_reference
from rnnpool_tf.bench.m4.arrays import Arrays
from rnnpool_tf.bench.m4.work import Work, work_of
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer import IntegerCell, rnnpool_int8


@dataclass(frozen=True, eq=False)
class Convolution:
    """An int8 convolution.

    Args:
        weights: int8, full [out, kernel height, kernel width, in], depthwise [kernel height,
            kernel width, channels].
        params: int32 [3, out]: biases with the input's zero point folded in, multipliers, shifts.
        limits: (zero point, min, max) of the output.
        pads: (top, left).
        out_size: (height, width).
    """

    weights: np.ndarray
    params: np.ndarray
    limits: tuple[int, int, int]
    strides: tuple[int, int]
    pads: tuple[int, int]
    out_size: tuple[int, int]

    @property
    def depthwise(self) -> bool:
        return self.weights.ndim == 3

    @property
    def kernel(self) -> tuple[int, int]:
        return self.weights.shape[-3:-1]

    @property
    def macs(self) -> int:
        return self.out_size[0] * self.out_size[1] * self.weights.size

    def initialiser(self, arrays: Arrays) -> str:
        """A rnnpool::ConvolutionSpec."""
        channels = self.params.shape[1]
        table = arrays.add(self.params, "<i4")
        numbers = (*self.kernel, *self.strides, *self.pads, *self.out_size, channels)
        fields = [
            "true" if self.depthwise else "false",
            *map(str, numbers),
            arrays.add(self.weights, "i1"),
            f"{{{table}, {table} + {channels}, {table} + {2 * channels}, false}}",
            "{" + ", ".join(map(str, self.limits)) + "}",
        ]
        return "{" + ", ".join(fields) + "}"


@dataclass(frozen=True)
class Sum:
    """The addition of two maps: three (multiplier, shift) and (zero point, min, max)."""

    x: tuple[int, int]
    y: tuple[int, int]
    sum: tuple[int, int]
    limits: tuple[int, int, int]

    def initialiser(self, x_zero_point: int, y_zero_point: int) -> str:
        """A rnnpool::ResidualAdd."""
        groups = (self.x, self.y, self.sum, self.limits)
        inner = ", ".join("{" + ", ".join(map(str, group)) + "}" for group in groups)
        return f"{{{x_zero_point}, {y_zero_point}, {inner}}}"


def _run(stages: tuple[Convolution, ...], x: np.ndarray, zero_point: int) -> np.ndarray:
    for stage in stages:
        x = fused_reference.convolution(x, zero_point, stage)
        zero_point = stage.limits[0]
    return x


def _fused(stages: tuple[Convolution, ...], total: str, arrays: Arrays) -> str:
    inner = ", ".join(stage.initialiser(arrays) for stage in stages)
    return arrays.define("FusedCase", f"{{{len(stages)}, {{{inner}}}, {total}}}")


@dataclass(frozen=True, eq=False)
class BlockCase:
    """An inverted residual.

    Args:
        x: [batch, height, width, channels] int8.
        stages: expansion (optional), depthwise convolution, projection.
        sum: what adds x to the projection.
        options: the operator's options, for the way through the TFLite Micro operator; without
            them the core is called directly.
    """

    name: str
    x: np.ndarray
    input_zero_point: int
    stages: tuple[Convolution, ...]
    sum: Sum | None = None
    options: bytes = b""

    runner = "RunBlock"
    geometry = Geometry((1, 1), (1, 1))

    def expected(self) -> np.ndarray:
        """The output of the stages one after the other."""
        y = _run(self.stages, self.x, self.input_zero_point)
        if self.sum is None:
            return y
        return fused_reference.residual_add(
            self.x, self.input_zero_point, y, self.stages[-1].limits[0], self.sum
        )

    @property
    def work(self) -> Work:
        macs = sum(stage.macs for stage in self.stages)
        return Work(macs, macs, 0)

    def fused(self, arrays: Arrays) -> str:
        """A pointer to its cortex_m::FusedCase."""
        zero_points = (self.input_zero_point, self.stages[-1].limits[0])
        total = "false, {}" if self.sum is None else f"true, {self.sum.initialiser(*zero_points)}"
        return _fused(self.stages, total, arrays)


@dataclass(frozen=True, eq=False)
class ConvPoolCase:
    """Convolutions and RNNPool on what they produce; cells as of `rnnpool_tf.integer`.

    Args:
        x: [batch, height, width, channels] int8.
        input_scale: of the last convolution's output.
        options: as for `BlockCase`.
        packed: as for `rnnpool_tf.bench.m4.cases.Int8Case`.
    """

    name: str
    x: np.ndarray
    input_zero_point: int
    stages: tuple[Convolution, ...]
    input_scale: float
    cell1: IntegerCell
    cell2: IntegerCell
    geometry: Geometry
    options: bytes = b""
    packed: frozenset[str] = frozenset()

    runner = "RunConvPool"

    @property
    def units(self) -> tuple[int, int]:
        return self.cell1.units, self.cell2.units

    def expected(self) -> np.ndarray:
        """The output of the convolutions and the integer model one after the other."""
        pooled = _run(self.stages, self.x, self.input_zero_point)
        zero_point = self.stages[-1].limits[0]
        cells = (self.cell1, self.cell2)
        return rnnpool_int8(pooled, self.input_scale, zero_point, *cells, self.geometry)

    @property
    def work(self) -> Work:
        last = self.stages[-1]
        size = (*last.out_size, last.params.shape[1])
        pool = work_of(size, self.units, self.geometry)
        macs = sum(stage.macs for stage in self.stages)
        return Work(macs + pool.macs, macs + pool.shared_macs, pool.unit_steps)

    def fused(self, arrays: Arrays) -> str:
        """A pointer to its cortex_m::FusedCase."""
        return _fused(self.stages, "false, {}", arrays)

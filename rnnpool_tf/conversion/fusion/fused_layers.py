"""What a fused operator computes: `InvertedResidual` and `ConvRNNPool` with their constants.

How they stand in a .tflite file: `rnnpool_tf.conversion.fusion.fused_operators`.
Shapes are [batch, height, width, channels]; pairs are (vertical, horizontal).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnnpool_tf.conversion.flatbuffer import Quantization, schema
from rnnpool_tf.conversion.fusion.stage import OutputRange, Stage, Window
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer.cell import IntegerCell


@dataclass(frozen=True)
class Factor:
    """A positive factor below 1 as TFLite multiplies with it: multiplier · 2^(shift − 31)."""

    multiplier: int
    shift: int


@dataclass(frozen=True)
class ResidualSum:
    """TFLite's int8 ADD of a block's input and its projection.

    Attributes:
        input: Factor of the block's input.
        projected: Factor of its projection.
        sum: Factor of their sum.
        range: Of the sum.
    """

    input: Factor
    projected: Factor
    sum: Factor
    range: OutputRange


@dataclass(frozen=True, eq=False)
class InvertedResidual:
    """A fused inverted residual.

    Attributes:
        name: Name of its output tensor, as far as people need it.
        input_shape: [batch, height, width, channels].
        output_shape: Likewise.
        input_zero_point: Zero point of its input.
        expand: 1×1 convolution; None without expansion.
        depthwise: Depthwise convolution.
        project: 1×1 convolution.
        window: Of the depthwise convolution.
        residual: The sum with the input; None without.
        operator: The schema's object; None for one that is not in a graph yet.
    """

    name: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    input_zero_point: int
    expand: Stage | None
    depthwise: Stage
    project: Stage
    window: Window
    residual: ResidualSum | None
    operator: schema.OperatorT | None = None

    @property
    def expanded_channels(self) -> int:
        return self.depthwise.outputs

    def macs(self) -> int:
        """Multiply-accumulates of a batch; padding counts like pixels."""
        batch, height, width, _ = self.input_shape
        total = (
            self.output_shape[1]
            * self.output_shape[2]
            * (self.depthwise.weights.size + self.project.weights.size)
        )
        if self.expand is not None:
            total += height * width * self.expand.weights.size
        return batch * total

    def in_place_offset(self) -> int | None:
        """How far behind the start of its input, in bytes, its output may start.

        Every smaller offset, negative ones included, is allowed as well. None: they must not
        overlap.

        When row r of the output is written, the rows of the input above
        r · stride − pad + kernel height − 1 are done with, and with a residual the rest is read
        just before it is overwritten.
        """
        height = self.input_shape[1]
        (stride, _), (pad, _), (kernel, _) = (
            self.window.strides,
            self.window.pads,
            self.window.kernel,
        )
        rows_done = [row * stride - pad + kernel - 1 for row in range(self.output_shape[1])]
        offset = _offset(self.input_shape, self.output_shape, rows_done, height)
        if offset is None or self.residual is None:
            return offset
        return min(offset, 0)


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution of a ConvRNNPool operator: its constants and its windows."""

    stage: Stage
    window: Window

    def macs(self) -> int:
        """Multiply-accumulates of one image; padding counts like pixels."""
        return math.prod(self.window.output) * self.stage.weights.size


@dataclass(frozen=True, eq=False)
class ConvRNNPool:
    """Convolutions and the RNNPool layer behind them, fused.

    Attributes:
        name: Name of the RNNPool layer.
        input_shape: [batch, height, width, channels].
        output_shape: Likewise.
        input_zero_point: Zero point of its input.
        convolutions: One to four, in the order they are applied.
        geometry: Of the RNNPool layer.
        pool_input: Quantisation of what RNNPool is applied to.
        cell1: RNN1's constants.
        cell2: RNN2's constants.
        operator: The schema's object; None for one that is not in a graph yet.
        packed: Which of their matrices are packed in the file.
    """

    name: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    input_zero_point: int
    convolutions: tuple[Convolution, ...]
    geometry: Geometry
    pool_input: Quantization
    cell1: IntegerCell
    cell2: IntegerCell
    operator: schema.OperatorT | None = None
    packed: frozenset[str] = frozenset()

    @property
    def pool_shape(self) -> tuple[int, int, int]:
        """[height, width, channels] of what RNNPool is applied to."""
        last = self.convolutions[-1]
        return (*last.window.output, last.stage.outputs)

    def macs(self) -> int:
        """Multiply-accumulates of the convolutions of a batch; RNNPool's are not counted."""
        return self.input_shape[0] * sum(step.macs() for step in self.convolutions)

    def in_place_offset(self) -> int | None:
        """As `InvertedResidual.in_place_offset`.

        When row i of the output is written, the input's rows above the next window of the first
        convolution are done with.
        """
        first = self.convolutions[0].window
        patch, stride = self.geometry.pool_size[0], self.geometry.strides[0]
        map_height = self.pool_shape[0]
        axis, _ = self.geometry.axes(*self.pool_shape[:2])
        rows_done = []
        for row in range(axis.out):
            rows = row * stride - axis.before + patch
            if row >= axis.grid or rows >= map_height:  # all that matters has been read
                rows_done.append(self.input_shape[1])
                continue
            for step, height in zip(
                reversed(self.convolutions[1:]), reversed(self._heights()[1:]), strict=True
            ):
                rows = step.window.rows_needed(rows, height)
            if rows >= first.output[0]:
                rows_done.append(self.input_shape[1])
            else:
                rows_done.append(rows * first.strides[0] - first.pads[0])
        return _offset(self.input_shape, self.output_shape, rows_done, self.input_shape[1])

    def _heights(self) -> list[int]:
        # Of the input of every convolution.
        return [self.input_shape[1], *(step.window.output[0] for step in self.convolutions[:-1])]


def _offset(
    input_shape: tuple[int, ...], output_shape: tuple[int, ...], rows_done: list[int], height: int
) -> int | None:
    if input_shape[0] != 1:
        return None
    input_row, output_row = (math.prod(shape[2:]) for shape in (input_shape, output_shape))
    # Behind the input's end nothing overlaps.
    offset = math.prod(input_shape)
    for row, done in enumerate(rows_done):
        if done < height:
            offset = min(offset, max(done, 0) * input_row - (row + 1) * output_row)
    return offset

"""The front image: convolutions, RNNPool and perhaps inverted residuals as one array of bytes.

A sketch keeps it in flash memory and feeds the lines of a camera through it (`LineStream`). The
layout is documented in `tflm_kernels/src/rnnpool/front_image.h`; `write_front_image` writes it,
`read_front_image` reads it back.

>>> image = write_front_image(front)  # doctest: +SKIP
>>> read_front_image(image).pool.geometry  # doctest: +SKIP
Geometry(pool_size=(6, 6), strides=(4, 4), padding='replicate')
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np

from rnnpool_tf.conversion.front_image_bytes import FrontImageReader, FrontImageWriter
from rnnpool_tf.geometry import PADDINGS, Geometry
from rnnpool_tf.integer.cell import IntegerCell

MAX_CONVOLUTIONS = 4
MAX_BLOCKS = 2


@dataclass(frozen=True, eq=False)
class Stage:
    """Constants of one int8 convolution, as its operator's inputs hold them.

    Attributes:
        weights: int8; full [outputs, kernel height, kernel width, inputs], depthwise [kernel
            height, kernel width, channels], 1×1 [outputs, inputs].
        params: int32 [3, outputs]: bias with the input's zero point folded in, multiplier, shift.
        zero_point: Of the output.
        minimum: Smallest value of the output.
        maximum: Largest value of the output.
    """

    weights: np.ndarray
    params: np.ndarray
    zero_point: int
    minimum: int = -128
    maximum: int = 127


@dataclass(frozen=True, eq=False)
class FrontConvolution:
    """A convolution before RNNPool; depthwise if its weights have three dimensions.

    Attributes:
        stage: Its constants.
        strides: (vertical, horizontal).
        padding: Rows above and columns left of the map.
        out_size: (height, width) of the output.
    """

    stage: Stage
    strides: tuple[int, int]
    padding: tuple[int, int]
    out_size: tuple[int, int]

    @property
    def depthwise(self) -> bool:
        """Whether it has one filter per channel."""
        return self.stage.weights.ndim == 3

    @property
    def kernel_size(self) -> tuple[int, int]:
        """(height, width)."""
        shape = self.stage.weights.shape
        return shape[:2] if self.depthwise else shape[1:3]


@dataclass(frozen=True, eq=False)
class FrontPool:
    """RNNPool: geometry, scale of its input, cells. Its input's zero point stands before it."""

    geometry: Geometry
    scale: float
    cell1: IntegerCell
    cell2: IntegerCell


@dataclass(frozen=True, eq=False)
class FrontBlock:
    """An inverted residual without a sum: 1×1 expansion (or None), depthwise, 1×1 projection.

    `strides`, `padding` and `out_size` are the depthwise convolution's, as in `FrontConvolution`.
    """

    expand: Stage | None
    depthwise: Stage
    project: Stage
    strides: tuple[int, int]
    padding: tuple[int, int]
    out_size: tuple[int, int]


@dataclass(frozen=True, eq=False)
class FrontImage:
    """What a front image holds.

    Attributes:
        height, width, channels: Of the picture.
        zero_point: Of the network's int8 input.
        pool: The RNNPool layer.
        convolutions: Up to four before it.
        blocks: Up to two after it.
        pixel_table: int8 [channels, 256], input value of every pixel value; None: pixel − 128.
    """

    height: int
    width: int
    channels: int
    zero_point: int
    pool: FrontPool
    convolutions: tuple[FrontConvolution, ...] = field(default=())
    blocks: tuple[FrontBlock, ...] = field(default=())
    pixel_table: np.ndarray | None = None


def write_front_image(front: FrontImage) -> bytes:
    """Writes a front image.

    Raises:
        ValueError: An array has another shape or type than documented, or there are too many
            stages. Whether the front can run is for `rnnpool_tf.runtime.LineStream` to say.
    """
    _check(front)
    writer = FrontImageWriter()
    writer.numbers(front.height, front.width, front.channels, front.zero_point)
    if front.pixel_table is None:
        writer.numbers(0)
    else:
        writer.array(front.pixel_table, "int8")
    writer.numbers(len(front.convolutions), len(front.blocks))
    for convolution in front.convolutions:
        writer.numbers(convolution.depthwise, *convolution.kernel_size, *convolution.strides)
        writer.numbers(*convolution.padding, *convolution.out_size, _outputs(convolution.stage))
        writer.numbers(*_range(convolution.stage))
        _write_stage(writer, convolution.stage)
    _write_pool(writer, front.pool)
    for block in front.blocks:
        height, width, channels = block.depthwise.weights.shape
        writer.numbers(block.expand is not None, channels, _outputs(block.project), height, width)
        writer.numbers(*block.strides, *block.padding, *block.out_size)
        stages = (block.expand, block.depthwise, block.project)
        for stage in stages:
            writer.numbers(*_range(stage))
        for stage in stages:
            _write_stage(writer, stage)
    return writer.to_bytes()


def read_front_image(data: bytes) -> FrontImage:
    """Reads a front image.

    Raises:
        ValueError: Not a front image, of another version, truncated or damaged.
    """
    reader = FrontImageReader(data)
    try:
        front = _read(reader)
        _check(front)
    except (struct.error, ValueError, AttributeError) as error:
        raise ValueError(f"`data` is a damaged front image: {error}") from error
    return front


def _read(reader: FrontImageReader) -> FrontImage:
    height, width, channels, zero_point = reader.numbers(4)
    table = reader.array("int8", channels, 256)
    convolution_count, block_count = reader.numbers(2)
    convolutions, blocks = [], []
    inputs = channels
    for _ in range(convolution_count):
        convolutions.append(_read_convolution(reader, inputs))
        inputs = _outputs(convolutions[-1].stage)
    pool = _read_pool(reader, inputs)
    inputs = 4 * pool.cell2.units
    for _ in range(block_count):
        blocks.append(_read_block(reader, inputs))
        inputs = _outputs(blocks[-1].project)
    return FrontImage(
        height, width, channels, zero_point, pool, tuple(convolutions), tuple(blocks), table
    )


def _read_convolution(reader: FrontImageReader, inputs: int) -> FrontConvolution:
    depthwise, *numbers = reader.numbers(10)
    kernel, strides, padding, out_size = (tuple(numbers[i : i + 2]) for i in range(0, 8, 2))
    outputs = numbers[8]
    output_range = reader.numbers(3)
    shape = (*kernel, outputs) if depthwise else (outputs, *kernel, inputs)
    stage = _read_stage(reader, output_range, outputs, shape)
    return FrontConvolution(stage, strides, padding, out_size)


def _read_stage(
    reader: FrontImageReader, output_range: tuple[int, ...], outputs: int, shape: tuple[int, ...]
) -> Stage:
    weights = reader.array("int8", *shape)
    return Stage(weights, reader.array("int32", 3, outputs), *output_range)


def _read_pool(reader: FrontImageReader, inputs: int) -> FrontPool:
    height, width, vertical, horizontal, padding = reader.numbers(5)
    if not 0 <= padding < len(PADDINGS):
        raise ValueError(f"there is no padding {padding}")
    geometry = Geometry((height, width), (vertical, horizontal), PADDINGS[padding])
    scale = float(np.int32(reader.number()).view(np.float32))
    cell1 = _read_cell(reader, inputs)
    return FrontPool(geometry, scale, cell1, _read_cell(reader, cell1.units))


def _read_cell(reader: FrontImageReader, inputs: int) -> IntegerCell:
    units = reader.number()
    matrices = []
    for columns in (inputs, units):
        matrices.append(reader.array("int8", units, columns))
        scales = reader.array("float32", reader.number())
        matrices.append(scales if scales.size > 1 else scales[0])
    return IntegerCell(*matrices, reader.array("int32", units), reader.array("int32", units))


def _read_block(reader: FrontImageReader, inputs: int) -> FrontBlock:
    expanded, channels, outputs = reader.numbers(3)
    kernel, strides, padding, out_size = (reader.numbers(2) for _ in range(4))
    ranges = [reader.numbers(3) for _ in range(3)]
    if expanded:
        expand = _read_stage(reader, ranges[0], channels, (channels, inputs))
    else:
        expand = None
        reader.numbers(2)
    depthwise = _read_stage(reader, ranges[1], channels, (*kernel, channels))
    project = _read_stage(reader, ranges[2], outputs, (outputs, channels))
    return FrontBlock(expand, depthwise, project, strides, padding, out_size)


def _write_stage(writer: FrontImageWriter, stage: Stage | None) -> None:
    if stage is None:
        writer.numbers(0, 0)
        return
    writer.array(stage.weights, "int8")
    writer.array(stage.params, "int32")


def _write_pool(writer: FrontImageWriter, pool: FrontPool) -> None:
    writer.numbers(*pool.geometry.pool_size, *pool.geometry.strides)
    writer.numbers(PADDINGS.index(pool.geometry.padding))
    writer.numbers(int(np.float32(pool.scale).view(np.int32)))
    for cell in (pool.cell1, pool.cell2):
        writer.numbers(cell.units)
        for matrix, scale in (
            (cell.kernel_q, cell.kernel_scale),
            (cell.recurrent_q, cell.recurrent_scale),
        ):
            writer.array(matrix, "int8")
            writer.numbers(np.size(scale))
            writer.array(np.ravel(scale), "float32")
        writer.array(cell.bias_gate_q26, "int32")
        writer.array(cell.bias_update_q26, "int32")


def _range(stage: Stage | None) -> tuple[int, int, int]:
    return (0, 0, 0) if stage is None else (stage.zero_point, stage.minimum, stage.maximum)


def _outputs(stage: Stage) -> int:
    """Output channels: the last dimension of the parameters."""
    return stage.params.shape[-1]


def _check(front: FrontImage) -> None:
    if len(front.convolutions) > MAX_CONVOLUTIONS or len(front.blocks) > MAX_BLOCKS:
        raise ValueError(
            f"a front has at most {MAX_CONVOLUTIONS} convolutions and {MAX_BLOCKS} blocks. "
            f"Received: {len(front.convolutions)} and {len(front.blocks)}"
        )
    table = front.pixel_table
    if table is not None:
        _require("pixel_table", table, np.int8, (front.channels, 256))
    channels = front.channels
    for convolution in front.convolutions:
        size = convolution.kernel_size
        outputs = _outputs(convolution.stage)
        full = (outputs, *size, channels)
        _check_stage(convolution.stage, (*size, channels) if convolution.depthwise else full)
        channels = outputs
    if front.pool.cell1.inputs != channels or front.pool.cell2.inputs != front.pool.cell1.units:
        raise ValueError(
            f"`pool` must take {channels} channels, and its second cell the units of the first. "
            f"Received: {front.pool.cell1.inputs} and {front.pool.cell2.inputs} inputs"
        )
    channels = 4 * front.pool.cell2.units
    for block in front.blocks:
        filtered = _outputs(block.depthwise)
        if block.expand is not None:
            _check_stage(block.expand, (filtered, channels))
        _check_stage(block.depthwise, (*block.depthwise.weights.shape[:2], filtered))
        channels = _outputs(block.project)
        _check_stage(block.project, (channels, filtered))


def _check_stage(stage: Stage, shape: tuple[int, ...]) -> None:
    _require("weights", stage.weights, np.int8, shape)
    _require("params", stage.params, np.int32, (3, _outputs(stage)))


def _require(name: str, array: np.ndarray, dtype: type, shape: tuple[int, ...]) -> None:
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(
            f"`{name}` must be {np.dtype(dtype)} of shape {shape}. "
            f"Received: {array.dtype} of shape {array.shape}"
        )

"""The front image: convolutions, RNNPool and perhaps inverted residuals as one array of bytes.

A program keeps it in flash memory and feeds the lines of a camera through it (`LineStream` in C++,
`rnnpool_tf.line_stream` in Python). The layout is documented in
`tflm_kernels/src/rnnpool/front_image.h`.

>>> image = write_front_image(FrontImage(stem))  # doctest: +SKIP
>>> read_front_image(image).stem.geometry  # doctest: +SKIP
Geometry(pool_size=(6, 6), strides=(4, 4), padding='replicate')
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass

import numpy as np

from rnnpool_tf.conversion.flatbuffer import Quantization
from rnnpool_tf.conversion.front_image_bytes import (
    EXTENDED_VERSION,
    VERSION,
    FrontImageReader,
    FrontImageWriter,
)
from rnnpool_tf.conversion.fusion.fused_layers import Convolution, ConvRNNPool, InvertedResidual
from rnnpool_tf.conversion.fusion.stage import OutputRange, Stage, Window
from rnnpool_tf.conversion.packed_matrix import PACKABLE, pack_matrix, unpack_matrix
from rnnpool_tf.gates import KINDS, SMOOTH
from rnnpool_tf.geometry import PADDINGS, Geometry
from rnnpool_tf.integer.cell import IntegerCell

MAX_CONVOLUTIONS = 4
MAX_BLOCKS = 2
_NO_RANGE = OutputRange(0, 0, 0)
# The input values of bytes whose top bit is flipped; that needs no table.
_OFFSET_128 = np.arange(-128, 128, dtype=np.int8)


@dataclass(frozen=True, eq=False)
class FrontImage:
    """What a front image holds.

    Attributes:
        stem: Up to four convolutions, perhaps none, and RNNPool; its input is the picture.
        blocks: Up to two inverted residuals behind it, without a sum.
        pixel_table: int8 [channels, 256], input value of every pixel value; None: pixel − 128.
    """

    stem: ConvRNNPool
    blocks: tuple[InvertedResidual, ...] = ()
    pixel_table: np.ndarray | None = None


def write_front_image(front: FrontImage) -> bytes:
    """Writes a front image.

    Raises:
        ValueError: An array has another shape or type than documented, or there are too many
            stages. Whether the front can run is for `rnnpool_tf.line_stream` to say.
    """
    _check(front)
    stem = front.stem
    # Fronts with smooth gates and dense matrices are written as before there were others.
    extended = bool(stem.packed) or stem.cell1.gates != SMOOTH
    writer = FrontImageWriter(EXTENDED_VERSION if extended else VERSION)
    writer.numbers(*stem.input_shape[1:], stem.input_zero_point)
    if front.pixel_table is None or (front.pixel_table == _OFFSET_128).all():
        writer.numbers(0)
    else:
        writer.array(front.pixel_table, "int8")
    writer.numbers(len(stem.convolutions), len(front.blocks))
    for convolution in stem.convolutions:
        stage, window = convolution.stage, convolution.window
        writer.numbers(stage.depthwise, *window.kernel, *window.strides, *window.pads)
        writer.numbers(*window.output, stage.outputs)
        _write_ranges(writer, stage)
        _write_constants(writer, stage)
    _write_pool(writer, stem, extended)
    for block in front.blocks:
        window = block.window
        stages = (block.expand, block.depthwise, block.project)
        writer.numbers(block.expand is not None, block.depthwise.outputs, block.project.outputs)
        writer.numbers(*window.kernel, *window.strides, *window.pads, *window.output)
        _write_ranges(writer, *stages)
        _write_constants(writer, *stages)
    return writer.to_bytes()


def _write_ranges(writer: FrontImageWriter, *stages: Stage | None) -> None:
    for stage in stages:
        values = _NO_RANGE if stage is None else stage.range
        writer.numbers(values.zero_point, values.minimum, values.maximum)


def _write_constants(writer: FrontImageWriter, *stages: Stage | None) -> None:
    for stage in stages:
        if stage is None:
            writer.numbers(0, 0)
        else:
            writer.array(stage.weights, "int8")
            writer.array(stage.parameters, "int32")


def _write_pool(writer: FrontImageWriter, stem: ConvRNNPool, extended: bool) -> None:
    writer.numbers(*stem.geometry.pool_size, *stem.geometry.strides)
    writer.numbers(PADDINGS.index(stem.geometry.padding))
    if extended:
        writer.numbers(KINDS.index(stem.cell1.gates))
    writer.numbers(np.float32(stem.pool_input.scale).view(np.int32))
    names = iter(PACKABLE)
    for cell in (stem.cell1, stem.cell2):
        writer.numbers(cell.units)
        for matrix, scale in (
            (cell.kernel_q, cell.kernel_scale),
            (cell.recurrent_q, cell.recurrent_scale),
        ):
            packed = next(names) in stem.packed
            values = pack_matrix(matrix) if packed else matrix
            if extended:
                writer.numbers(values.size if packed else 0)
            writer.array(values, "int8")
            writer.numbers(np.size(scale))
            writer.array(np.ravel(scale), "float32")
        writer.array(cell.bias_gate_q26, "int32")
        writer.array(cell.bias_update_q26, "int32")


def read_front_image(data: bytes) -> FrontImage:
    """Reads a front image.

    Raises:
        ValueError: Not a front image, of another version, truncated or damaged.
    """
    reader = FrontImageReader(data)
    try:
        front = _read(reader)
        _check(front)
    except (struct.error, ValueError) as error:
        raise ValueError(f"`data` is a damaged front image: {error}") from error
    return front


def _read(reader: FrontImageReader) -> FrontImage:
    *picture, zero_point = reader.numbers(4)
    table = reader.optional_array("int8", picture[2], 256)
    convolution_count, block_count = reader.numbers(2)
    convolutions: list[Convolution] = []
    shape, pool_zero_point = (1, *picture), zero_point
    for _ in range(convolution_count):
        convolutions.append(_read_convolution(reader, shape[3]))
        stage, window = convolutions[-1].stage, convolutions[-1].window
        shape, pool_zero_point = (1, *window.output, stage.outputs), stage.range.zero_point

    geometry = _read_geometry(reader)
    gates = _read_gates(reader)
    pool_input = Quantization(float(np.int32(reader.number()).view(np.float32)), pool_zero_point)
    packed: list[bool] = []
    cell1 = _read_cell(reader, shape[3], gates, packed)
    cell2 = _read_cell(reader, cell1.units, gates, packed)
    shape = (1, *geometry.output_size(*shape[1:3]), 4 * cell2.units)
    stem = ConvRNNPool(
        name="stem",
        input_shape=(1, *picture),
        output_shape=shape,
        input_zero_point=zero_point,
        convolutions=tuple(convolutions),
        geometry=geometry,
        pool_input=pool_input,
        cell1=cell1,
        cell2=cell2,
        packed=frozenset(itertools.compress(PACKABLE, packed)),
    )
    blocks: list[InvertedResidual] = []
    zero_point = 0
    for number in range(block_count):
        blocks.append(_read_block(reader, f"block{number + 1}", shape, zero_point))
        shape, zero_point = blocks[-1].output_shape, blocks[-1].project.range.zero_point
    return FrontImage(stem, tuple(blocks), table)


def _read_convolution(reader: FrontImageReader, inputs: int) -> Convolution:
    depthwise = reader.number()
    window = Window(*(reader.numbers(2) for _ in range(4)))
    outputs = reader.number()
    limits = OutputRange(*reader.numbers(3))
    shape = (*window.kernel, outputs) if depthwise else (outputs, *window.kernel, inputs)
    return Convolution(_read_stage(reader, limits, outputs, shape), window)


def _read_stage(
    reader: FrontImageReader, limits: OutputRange, outputs: int, shape: tuple[int, ...]
) -> Stage:
    weights = reader.array("int8", *shape)
    return Stage(weights, reader.array("int32", 3, outputs), limits)


def _read_geometry(reader: FrontImageReader) -> Geometry:
    pool_size, strides, padding = reader.numbers(2), reader.numbers(2), reader.number()
    if not 0 <= padding < len(PADDINGS):
        raise ValueError(f"there is no padding {padding}")
    return Geometry(pool_size, strides, PADDINGS[padding])


def _read_gates(reader: FrontImageReader) -> str:
    if reader.version < EXTENDED_VERSION:
        return SMOOTH
    kind = reader.number()
    if not 0 <= kind < len(KINDS):
        raise ValueError(f"there is no kind of gates {kind}")
    return KINDS[kind]


def _read_cell(
    reader: FrontImageReader, inputs: int, gates: str, packed: list[bool]
) -> IntegerCell:
    """Appends for each matrix whether it is packed."""
    units = reader.number()
    matrices = []
    for columns in (inputs, units):
        size = reader.number() if reader.version >= EXTENDED_VERSION else 0
        packed.append(size != 0)
        if packed[-1]:
            matrices.append(unpack_matrix(reader.array("int8", size)))
        else:
            matrices.append(reader.array("int8", units, columns))
        scales = reader.array("float32", reader.number())
        matrices.append(scales if scales.size > 1 else scales[0])
    biases = reader.array("int32", units), reader.array("int32", units)
    return IntegerCell(*matrices, *biases, gates)


def _read_block(
    reader: FrontImageReader, name: str, shape: tuple[int, ...], zero_point: int
) -> InvertedResidual:
    expanded, channels, outputs = reader.numbers(3)
    window = Window(*(reader.numbers(2) for _ in range(4)))
    limits = [OutputRange(*reader.numbers(3)) for _ in range(3)]
    if expanded:
        expand = _read_stage(reader, limits[0], channels, (channels, shape[3]))
    else:
        expand = None
        reader.numbers(2)
    return InvertedResidual(
        name=name,
        input_shape=shape,
        output_shape=(1, *window.output, outputs),
        input_zero_point=zero_point,
        expand=expand,
        depthwise=_read_stage(reader, limits[1], channels, (*window.kernel, channels)),
        project=_read_stage(reader, limits[2], outputs, (outputs, channels)),
        window=window,
        residual=None,
    )


def _check(front: FrontImage) -> None:
    stem, blocks = front.stem, front.blocks
    if len(stem.convolutions) > MAX_CONVOLUTIONS or len(blocks) > MAX_BLOCKS:
        raise ValueError(
            f"a front has at most {MAX_CONVOLUTIONS} convolutions and {MAX_BLOCKS} blocks. "
            f"Received: {len(stem.convolutions)} and {len(blocks)}"
        )
    channels = stem.input_shape[3]
    table = front.pixel_table
    if table is not None and (table.dtype != np.int8 or table.shape != (channels, 256)):
        raise ValueError(
            f"`pixel_table` must be int8 of shape {(channels, 256)}. "
            f"Received: {table.dtype} of shape {table.shape}"
        )
    for convolution in stem.convolutions:
        stage, kernel = convolution.stage, convolution.window.kernel
        full = (stage.outputs, *kernel, channels)
        _check_weights(stage, (*kernel, channels) if stage.depthwise else full)
        channels = stage.outputs
    if stem.cell1.inputs != channels or stem.cell2.inputs != stem.cell1.units:
        raise ValueError(
            f"the cells must take {channels} channels, and the units of the first. "
            f"Received: {stem.cell1.inputs} and {stem.cell2.inputs} inputs"
        )
    if stem.cell1.gates != stem.cell2.gates:
        raise ValueError(
            "both cells must have the same kind of gates. "
            f"Received: {stem.cell1.gates!r} and {stem.cell2.gates!r}"
        )
    channels = 4 * stem.cell2.units
    for block in blocks:
        if block.residual is not None:
            raise ValueError(f"a block of a front must have no sum. Received: {block.name}")
        expanded = block.depthwise.outputs
        if block.expand is not None:
            _check_weights(block.expand, (expanded, channels))
        elif expanded != channels:
            raise ValueError(f"`depthwise` must have {channels} channels. Received: {expanded}")
        _check_weights(block.depthwise, (*block.window.kernel, expanded))
        _check_weights(block.project, (block.project.outputs, expanded))
        channels = block.project.outputs


def _check_weights(stage: Stage, shape: tuple[int, ...]) -> None:
    if stage.weights.shape != shape:
        raise ValueError(
            f"`weights` must have the shape {shape}. Received: shape={stage.weights.shape}"
        )

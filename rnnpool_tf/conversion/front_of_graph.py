"""Fused operators of a model as a front image."""

from __future__ import annotations

import numpy as np

from rnnpool_tf.conversion.front_image import (
    FrontBlock,
    FrontConvolution,
    FrontImage,
    FrontPool,
    Stage,
)
from rnnpool_tf.conversion.fusion import stage
from rnnpool_tf.conversion.fusion.fused_layers import ConvRNNPool, InvertedResidual

# What camera bytes become by flipping the top bit; needs no table.
_OFFSET_128 = np.arange(-128, 128, dtype=np.int8)


def front_image(
    pool: ConvRNNPool, blocks: list[InvertedResidual], pixel_table: np.ndarray
) -> FrontImage:
    """The front that consists of these operators, one behind the other.

    Args:
        pool: Convolutions and RNNPool.
        blocks: Inverted residuals without a sum.
        pixel_table: int8 [channels, 256]: the model's input for every byte of a camera.
    """
    _, height, width, channels = pool.input_shape
    return FrontImage(
        height=height,
        width=width,
        channels=channels,
        zero_point=pool.input_zero_point,
        pool=FrontPool(pool.geometry, pool.pool_input.scale, pool.cell1, pool.cell2),
        convolutions=tuple(
            FrontConvolution(
                _stage(step.stage), step.window.strides, step.window.pads, step.window.output
            )
            for step in pool.convolutions
        ),
        blocks=tuple(map(_block, blocks)),
        pixel_table=None if (pixel_table == _OFFSET_128).all() else pixel_table,
    )


def _block(block: InvertedResidual) -> FrontBlock:
    return FrontBlock(
        expand=None if block.expand is None else _stage(block.expand),
        depthwise=_stage(block.depthwise),
        project=_stage(block.project),
        strides=block.window.strides,
        padding=block.window.pads,
        out_size=block.output_shape[1:3],
    )


def _stage(given: stage.Stage) -> Stage:
    return Stage(
        given.weights,
        given.parameters,
        given.range.zero_point,
        given.range.minimum,
        given.range.maximum,
    )

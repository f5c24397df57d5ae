"""How much arithmetic a layer takes: counted from its dimensions, independent of any machine."""

from __future__ import annotations

from dataclasses import dataclass

from rnnpool_tf.geometry import Geometry


@dataclass(frozen=True)
class Work:
    """Counts for one map.

    Attributes:
        macs: multiply-accumulates of Algorithm 1 as it reads, every patch from scratch. The
            measure to compare implementations by.
        shared_macs: those that remain when patches share sweeps, as the kernels do it.
        unit_steps: how often a unit takes a step: two table look-ups and an update each.
    """

    macs: int
    shared_macs: int
    unit_steps: int


def work_of(size: tuple[int, int, int], units: tuple[int, int], geometry: Geometry) -> Work:
    """Counts the work of a layer; padding pixels of "same" count as pixels.

    Args:
        size: (height, width, channels) of the map.
        units: (h1, h2).

    Example::

        work_of((112, 112, 8), (8, 8), Geometry((6, 6), (4, 4), "replicate")).macs  # 8957952
    """
    height, width, k = size
    h1, h2 = units
    (ph, pw), (sh, sw) = geometry.pool_size, geometry.strides
    vertical, horizontal = geometry.axes(height, width)
    grid_h, grid_w = vertical.grid, horizontal.grid
    grid = grid_h * grid_w
    # Pixels between patches that do not touch are never looked at.
    rows = vertical.padded if sh <= ph else grid_h * ph
    columns = horizontal.padded if sw <= pw else grid_w * pw

    macs = grid * (2 * ph * pw * h1 * (k + h1) + 2 * (ph + pw) * h2 * (h1 + h2))
    row_sweeps, column_sweeps = rows * grid_w, grid_h * columns
    shared_macs = (
        rows * columns * h1 * k
        + (row_sweeps * (pw - 1) + column_sweeps * (ph - 1)) * h1 * h1
        + (row_sweeps + column_sweeps) * h1 * h2
        + 2 * grid * (ph + pw - 2) * h2 * h2
    )
    unit_steps = (row_sweeps * pw + column_sweeps * ph) * h1 + 2 * grid * (ph + pw) * h2
    return Work(macs, shared_macs, unit_steps)

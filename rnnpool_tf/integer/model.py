"""The int8 RNNPool operator in NumPy: the specification that every other implementation meets.

The C++ core, its Cortex-M path and the operators in LiteRT and TensorFlow Lite Micro give these
bytes on every input. Qn means: real value = integer * 2**-n. ``>>`` rounds towards minus infinity.

==================  ========  ===============================================================
value               type      format
==================  ========  ===============================================================
pixel               int8      the model's input scale and zero point
weight in the file  int8      symmetric; one scale per matrix or per row
bias in the file    int32     Q26
pre-activation      int32     Q26: the sums that enter sigmoid and tanh
gate                int32     Q17, negated; sigmoid: a table of 2048 entries over [-8, 8)
candidate           int16     Q15; tanh: a table of 4096 entries over [-4, 4)
state               int16     Q15
output              int8      Q7: scale 1/128, zero point 0
==================  ========  ===============================================================

A step of a cell, for every unit:

1. ``term = W v + b_gate`` in Q26, saturated to +-16 (31 bits). In the first cell it depends on the
   pixel alone, in the second on the summary alone, so it is computed once for both or all four
   directions. A padding pixel has the value `zero point`, which contributes nothing.
2. ``gate = term + U h`` and ``candidate = gate + (b_update - b_gate)`` in Q26.
3. Table look-up at ``gate >> 19`` (11 bits) and ``candidate >> 17`` (12 bits), saturated.
   With piecewise linear gates, whose ``b_gate`` has been increased by 1.0 in 1 and 2:
   ``z = clip(gate >> 10, 0, 2**17 - 1)`` and ``c = candidate >> 11``, saturated to 16 bits.
4. ``h' = c + ((-z * ((c - h) >> 1)) >> 16)``.

How 1 and 2 multiply by the scales depends on the size of the cell: see `rnnpool_tf.integer.cell`.
A sweep starts from h = 0 and only its last state is used. The output is ``(h' + 128) >> 8``,
saturated to 8 bits: Q15 to Q7, halves upwards.
"""

from __future__ import annotations

import numpy as np

from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer.arithmetic import saturate
from rnnpool_tf.integer.cell import (
    CompactCell,
    InputFormat,
    IntegerCell,
    WidenedCell,
    prepare,
    step,
)


def rnnpool_int8(
    x: np.ndarray,
    input_scale: float,
    input_zero_point: int,
    cell1: IntegerCell,
    cell2: IntegerCell,
    geometry: Geometry,
) -> np.ndarray:
    """Runs the int8 RNNPool layer (RNNPool paper, Algorithm 1, h0 = 0, on every patch of a map).

    Args:
        x: [batch, height, width, channels] int8.
        input_scale: real value of one step of `x`; above 0, below 256; rounded to float32.
        input_zero_point: the integer in -128..127 that stands for 0.
        cell1: walks along rows and columns of pixels; inputs = channels.
        cell2: walks over the summaries in both directions; inputs = units of `cell1`.
        geometry: patch size, strides and padding.

    Returns:
        [batch, out_height, out_width, 4 * units of `cell2`] int8 with scale 1/128, zero point 0.
        Channels: rows forward, rows backward, columns forward, columns backward.

    Raises:
        ValueError: wrong dtype or shape, a map smaller than a patch, or weights and scales that
            the arithmetic cannot hold (see `prepare`).

    Example::

        cell1 = quantize_cell(np.eye(3), np.eye(3), np.zeros(3), np.zeros(3))
        cell2 = quantize_cell(np.eye(3), np.eye(3), np.zeros(3), np.zeros(3))
        image = np.zeros((1, 8, 8, 3), np.int8)
        rnnpool_int8(image, 0.02, -128, cell1, cell2, Geometry((4, 4), (2, 2))).shape
        # (1, 3, 3, 12)
    """
    _check_input(x, cell1, cell2)
    first = prepare(cell1, InputFormat.pixels(input_scale, input_zero_point))
    second = prepare(cell2, InputFormat.states())
    patches = _cut_patches(x, int(input_zero_point), geometry)

    pixels = first.input_term(patches)
    rows = _sweep(first, pixels, axis=4)  # [batch, grid height, grid width, patch height, units]
    columns = _sweep(first, pixels, axis=3)
    states = []
    for summaries in (rows, columns):
        terms = second.input_term(summaries)
        states += [_sweep(second, terms, axis=3), _sweep(second, terms[..., ::-1, :], axis=3)]

    output = saturate((np.concatenate(states, axis=-1) + 128) >> 8, 8).astype(np.int8)
    rows_repeated, columns_repeated = geometry.repeats
    return np.pad(output, ((0, 0), (0, rows_repeated), (0, columns_repeated), (0, 0)), mode="edge")


def _cut_patches(x: np.ndarray, zero_point: int, geometry: Geometry) -> np.ndarray:
    """Map [batch, height, width, k] to patches [batch, grid (2 axes), patch (2 axes), k]."""
    widths = [(0, 0)]
    pixels = []  # per axis: index of every pixel of every patch, [grid, patch]
    for side, axis in enumerate(geometry.axes(*x.shape[1:3])):
        widths.append((axis.before, max(axis.padded - axis.before - x.shape[1 + side], 0)))
        starts = geometry.strides[side] * np.arange(axis.grid)
        pixels.append(starts[:, None] + np.arange(geometry.pool_size[side]))
    padded = np.pad(x, (*widths, (0, 0)), constant_values=zero_point)
    return padded[:, pixels[0][:, None, :, None], pixels[1][None, :, None, :]]


def _sweep(cell: WidenedCell | CompactCell, terms: np.ndarray, axis: int) -> np.ndarray:
    """Walks along `axis` of the input terms [..., units]; returns the last state, without it."""
    terms = np.moveaxis(terms, axis, 0)
    state = np.zeros_like(terms[0])
    for term in terms:
        state = step(cell, term, state)
    return state


def _check_input(x: np.ndarray, cell1: IntegerCell, cell2: IntegerCell) -> None:
    if not isinstance(x, np.ndarray) or x.dtype != np.int8 or x.ndim != 4:
        raise ValueError(
            "`x` must be an int8 array of shape [batch, height, width, channels]. Received: "
            f"{getattr(x, 'dtype', type(x).__name__)} with shape {np.shape(x)}"
        )
    if x.shape[3] != cell1.inputs:
        raise ValueError(
            f"`x` must have as many channels as `cell1` has inputs ({cell1.inputs}). "
            f"Received: shape={x.shape}"
        )
    if cell2.inputs != cell1.units:
        raise ValueError(
            f"`cell2` must have as many inputs as `cell1` has units ({cell1.units}). "
            f"Received: {cell2.inputs} inputs"
        )

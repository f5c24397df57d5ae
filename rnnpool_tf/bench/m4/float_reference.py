"""The float layer in NumPy float64, every patch computed on its own."""

from __future__ import annotations

import numpy as np

from rnnpool_tf.gates import PIECEWISE_LINEAR, SMOOTH
from rnnpool_tf.geometry import Geometry


def rnnpool_float(
    x, cell1, cell2, geometry: Geometry, zeta_nu=None, gates: str = SMOOTH
) -> np.ndarray:
    """RNNPool (RNNPool paper, Algorithm 1, h0 = 0) on every patch of a map.

    Args:
        x: [batch, height, width, channels].
        cell1: W [h1, channels], U [h1, h1], gate bias [h1], update bias [h1].
        cell2: W [h2, h1], U [h2, h2], gate bias [h2], update bias [h2].
        zeta_nu: ((zeta1, nu1), (zeta2, nu2)) after the sigmoid; None: 1 and 0.
        gates: "smooth" or "piecewise_linear".

    Returns:
        [batch, out_height, out_width, 4 * h2] float32.

    Example::

        cell = (np.eye(2), np.eye(2), np.zeros(2), np.zeros(2))
        rnnpool_float(np.ones((1, 4, 4, 2)), cell, cell, Geometry((2, 2), (2, 2))).shape
        # (1, 2, 2, 8)
    """
    (zeta1, nu1), (zeta2, nu2) = zeta_nu if zeta_nu is not None else ((1.0, 0.0), (1.0, 0.0))
    patches = _cut_patches(np.asarray(x, np.float64), geometry)
    rows = _sweep(patches, 4, cell1, zeta1, nu1, gates)
    columns = _sweep(patches, 3, cell1, zeta1, nu1, gates)
    passes = [rows, rows[..., ::-1, :], columns, columns[..., ::-1, :]]
    states = [_sweep(each, 3, cell2, zeta2, nu2, gates) for each in passes]
    output = np.concatenate(states, axis=-1)
    repeats = geometry.repeats
    padded = np.pad(output, ((0, 0), (0, repeats[0]), (0, repeats[1]), (0, 0)), mode="edge")
    return padded.astype(np.float32)


def _cut_patches(x: np.ndarray, geometry: Geometry) -> np.ndarray:
    """[batch, height, width, k] to [batch, grid rows, grid columns, patch rows, columns, k]."""
    axes = geometry.axes(*x.shape[1:3])
    margins = [
        (axis.before, max(axis.padded - axis.before - size, 0))
        for axis, size in zip(axes, x.shape[1:3], strict=True)
    ]
    padded = np.pad(x, ((0, 0), *margins, (0, 0)))
    index = [
        stride * np.arange(axis.grid)[:, None] + np.arange(patch)
        for axis, stride, patch in zip(axes, geometry.strides, geometry.pool_size, strict=True)
    ]
    return padded[:, index[0][:, None, :, None], index[1][None, :, None, :]]


def _sweep(
    sequences: np.ndarray, axis: int, cell, zeta: float, nu: float, gates: str
) -> np.ndarray:
    kernel, recurrent, bias_gate, bias_update = (np.asarray(a, np.float64) for a in cell)
    products = np.moveaxis(sequences @ kernel.T, axis, 0)
    state = np.zeros_like(products[0])
    for product in products:
        a = product + state @ recurrent.T
        if gates == PIECEWISE_LINEAR:
            gate = np.clip((a + bias_gate + 1) / 2, 0, 1)
            candidate = np.clip(a + bias_update, -1, 1)
        else:
            gate = 1 / (1 + np.exp(-(a + bias_gate)))
            candidate = np.tanh(a + bias_update)
        state = gate * state + (zeta * (1 - gate) + nu) * candidate
    return state

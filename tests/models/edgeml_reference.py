"""EdgeML's face detectors in float64 NumPy, as their PyTorch modules read: slow and plain.

Maps are (channels, height, width). The parameters are random; the networks name them and give their
shapes, in PyTorch's layout, when they first use them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from rnnpool_tf.geometry import Geometry
from tests.layers.reference import rnnpool_reference

# Expansion, channels, stride of every inverted residual.
C_BLOCKS = [
    *[(1, 24, 1), (6, 24, 1)],
    *[(6, 32, 2), (6, 32, 1), (6, 32, 1)],
    *[(6, 64, 2), (6, 64, 1), (6, 64, 1), (6, 64, 1)],
    *[(6, 96, 2), (6, 96, 1), (6, 96, 1)],
    *[(6, 160, 2), (6, 160, 1), (6, 320, 2)],
]
QUANT_BLOCKS = [
    *[(2, 16, 1), (2, 16, 1), (2, 16, 1), (2, 16, 1)],
    *[(2, 24, 2), (2, 24, 1), (2, 24, 1), (2, 24, 1)],
    *[(2, 32, 2), (2, 32, 1), (2, 64, 2), (2, 96, 2)],
]
M4_BLOCKS = [(2, 32, 1), (2, 32, 1), (2, 64, 2), (2, 64, 1)]
QVGA_BLOCKS = [*[(2, 32, 1)] * 8, (2, 96, 2), *[(2, 96, 1)] * 2, *[(2, 128, 1)] * 3]


@dataclass
class Parameters:
    """Random parameters by name, stored as a checkpoint of EdgeML holds them."""

    seed: int
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self):
        self.rng = np.random.default_rng(self.seed)

    def normal(self, name, shape, spread):
        return self._keep(name, self.rng.normal(0, spread, shape))

    def uniform(self, name, shape, low, high):
        return self._keep(name, self.rng.uniform(low, high, shape))

    def count(self, name):
        self.arrays[name] = np.array(7)

    def _keep(self, name, values):
        stored = self.arrays.setdefault(name, values.astype(np.float32))
        return stored.astype(np.float64)


def conv(x, weight, stride=1, groups=1):
    """Convolution with (k − 1) / 2 zeros on all sides; weight (out, in / groups, k, k)."""
    side = weight.shape[-1]
    margin = (side - 1) // 2
    padded = np.pad(x, [(0, 0), (margin, margin), (margin, margin)])
    windows = sliding_window_view(padded, (side, side), (1, 2))[:, ::stride, ::stride]
    if groups > 1:
        return np.einsum("chwij,cij->chw", windows, weight[:, 0])
    return np.einsum("chwij,ocij->ohw", windows, weight, optimize=True)


def batch_norm(x, name, p):
    channels = len(x)
    weight = p.uniform(f"{name}.weight", channels, 0.5, 1.5)
    bias = p.normal(f"{name}.bias", channels, 0.3)
    mean = p.normal(f"{name}.running_mean", channels, 0.3)
    variance = p.uniform(f"{name}.running_var", channels, 0.5, 1.5)
    p.count(f"{name}.num_batches_tracked")
    scale, shift, mean = (v[:, None, None] for v in (weight / np.sqrt(variance + 1e-5), bias, mean))
    return (x - mean) * scale + shift


def conv_norm(x, name, index, filters, side, p, stride=1, groups=1):
    """Convolution without bias at `index` of a list of modules, BatchNorm behind it."""
    inputs = len(x) // groups
    spread = np.sqrt(2 / (inputs * side**2))
    weight = p.normal(f"{name}.{index}.weight", (filters, inputs, side, side), spread)
    return batch_norm(conv(x, weight, stride, groups), f"{name}.{index + 1}", p)


def conv_norm_relu6(*arguments, **options):
    return np.clip(conv_norm(*arguments, **options), 0, 6)


def inverted_residual(x, name, expansion, filters, stride, p):
    y, index = x, 0
    if expansion != 1:
        y = conv_norm_relu6(x, f"{name}.conv.0", 0, len(x) * expansion, 1, p)
        index = 1
    y = conv_norm_relu6(y, f"{name}.conv.{index}", 0, len(y), 3, p, stride, groups=len(y))
    y = conv_norm(y, f"{name}.conv", index + 1, filters, 1, p)
    return x + y if stride == 1 and len(x) == filters else y


def rnn_pool(x, hidden, p):
    """RNNPool, patch 8 and stride 4; then the last row and column once more."""
    cells = []
    for cell, inputs in (("cell_rnn", len(x)), ("cell_bidirrnn", hidden)):
        name = f"rnn_model.{cell}.cell"
        cells.append(
            {
                "kernel": p.normal(f"{name}.W", (inputs, hidden), 0.4),
                "recurrent_kernel": p.normal(f"{name}.U", (hidden, hidden), 0.3),
                "bias_gate": p.normal(f"{name}.bias_gate", (1, hidden), 0.5)[0],
                "bias_update": p.normal(f"{name}.bias_update", (1, hidden), 0.5)[0],
                "zeta": sigmoid(p.uniform(f"{name}.zeta", (1, 1), 3, 5).item()),
                "nu": sigmoid(p.uniform(f"{name}.nu", (1, 1), -5, -3).item()),
            }
        )
    pooled = rnnpool_reference(x.transpose(1, 2, 0)[None], *cells, Geometry((8, 8), (4, 4)))
    return np.pad(pooled[0].transpose(2, 0, 1), [(0, 0), (0, 1), (0, 1)], mode="edge")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def l2_norm(x, name, scale, p):
    weight = p.uniform(f"{name}.weight", len(x), 0.5 * scale, 1.5 * scale)
    return x / (np.sqrt((x**2).sum(0, keepdims=True)) + 1e-10) * weight[:, None, None]


def face_c(x, p):
    x = rnn_pool(x, 16, p)
    sources = blocks(x, C_BLOCKS, (2, 5, 9, 12, 14, 15), p)
    return heads(sources, p, sides=(5, 5, 5, 1, 1, 3))


def face_quant(x, p):
    x = conv_norm_relu6(x, "conv_top.0", 0, 4, 3, p, stride=2)
    top = conv_norm_relu6(x, "conv_top.1", 0, 4, 3, p)
    sources = blocks(rnn_pool(top, 8, p), QUANT_BLOCKS, (4, 8, 10, 11, 12), p)
    return heads([top, *sources], p, sides=(3,) * 6, reduced=8)


def face_m4(x, p):
    x = conv_norm_relu6(x, "conv", 0, 4, 3, p, stride=2)
    return heads(blocks(rnn_pool(x, 16, p), M4_BLOCKS, (1, 2, 3, 4), p), p, sides=(3,) * 4)


def face_qvga(x, p):
    x = conv_norm_relu6(x, "conv", 0, 4, 3, p, stride=2)
    return heads(blocks(rnn_pool(x, 16, p), QVGA_BLOCKS, (4, 8, 11, 14), p), p, sides=(3,) * 4)


def blocks(x, rows, after, p):
    """The maps behind the blocks with these numbers, counted from 1."""
    maps = []
    for index, (expansion, filters, stride) in enumerate(rows):
        x = inverted_residual(x, f"mob.{index}", expansion, filters, stride, p)
        maps.append(x)
    return [maps[number - 1] for number in after]


def heads(sources, p, sides, reduced=None):
    """Box offsets (anchors, 4) and scores (anchors, 2) of all levels."""
    norms = (("L2Norm3_3", 10), ("L2Norm4_3", 8), ("L2Norm5_3", 5))
    sources = [l2_norm(x, *norms[level], p) if level < 3 else x for level, x in enumerate(sources)]
    results = []
    for head, outputs in (("loc", 4), ("conf", 2)):
        rows, index = [], 0
        for level, (x, side) in enumerate(zip(sources, sides, strict=True)):
            filters = outputs
            if level == 0:
                if reduced:
                    x = conv_norm_relu6(x, f"{head}.0", 0, reduced, 3, p, stride=2)
                    index = 1
                filters = 4
            weight = p.normal(f"{head}.{index}.weight", (filters, len(x), side, side), 0.1 / side)
            bias = p.normal(f"{head}.{index}.bias", filters, 0.5)
            y = conv(x, weight) + bias[:, None, None]
            if head == "conf" and level == 0:
                y = np.stack([y[:3].max(0), y[3]])
            rows.append(y.transpose(1, 2, 0).reshape(-1, outputs))
            index += 1
        results.append(np.concatenate(rows))
    return results

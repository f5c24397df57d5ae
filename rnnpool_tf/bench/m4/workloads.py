"""The layers that are measured: those of the paper's networks, with random weights."""

from __future__ import annotations

import numpy as np

from rnnpool_tf.bench.m4.cases import Case, FloatCase, Int8Case
from rnnpool_tf.bench.m4.fused_workloads import fused_workloads
from rnnpool_tf.gates import PIECEWISE_LINEAR, SMOOTH
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer import quantize_cell

SEED = 1

# name → (height, width, channels), (h1, h2), patch, stride
LAYERS = {
    "A visual wake words": ((112, 112, 8), (8, 8), 6, 4),
    "B Face-M4": ((120, 160, 4), (16, 16), 8, 4),
    "C Face-Quant": ((240, 320, 4), (8, 8), 8, 4),
    "MobileNetV2": ((112, 112, 32), (16, 16), 6, 4),
    "last layer": ((7, 7, 320), (80, 80), 7, 7),
}
FLOAT_LAYER = "A visual wake words"
PIECEWISE_LINEAR_LAYERS = ("A visual wake words", "B Face-M4")


def int8_layer(name: str, size, units, geometry: Geometry, gates: str = SMOOTH) -> Int8Case:
    """A random layer whose activations spread like those of a trained one.

    Args:
        size: (height, width, channels).
        units: (h1, h2).
        gates: "smooth" or "piecewise_linear".
    """
    rng = np.random.default_rng(SEED)
    cells = [
        quantize_cell(*_weights(rng, inputs, h), gates=gates)
        for inputs, h in zip((size[2], units[0]), units, strict=True)
    ]
    # ReLU6 of a quantised convolution.
    x = rng.integers(-128, 128, (1, *size)).astype(np.int8)
    return Int8Case(name, x, 6 / 255, -128, *cells, geometry)


def float_layer(name: str, size, units, geometry: Geometry, gates: str = SMOOTH) -> FloatCase:
    """The same in float32."""
    rng = np.random.default_rng(SEED)
    cells = []
    for inputs, h in zip((size[2], units[0]), units, strict=True):
        kernel, recurrent, gate, update = _weights(rng, inputs, h)
        arrays = (kernel.T, recurrent.T, gate, update)
        cells.append(tuple(array.astype(np.float32) for array in arrays))
    x = rng.uniform(0, 6, (1, *size)).astype(np.float32)
    return FloatCase(name, x, *cells, geometry, gates=gates)


def workloads() -> list[Case]:
    """All layers in int8, some of them with piecewise linear gates, the first in float32, and fused
    operators; seeded.
    """
    cases: list[Case] = []
    for name, (size, units, patch, stride) in LAYERS.items():
        cases.append(int8_layer(name, size, units, _geometry(patch, stride)))
    for name in PIECEWISE_LINEAR_LAYERS:
        size, units, patch, stride = LAYERS[name]
        geometry = _geometry(patch, stride)
        title = f"{name}, piecewise linear"
        cases.append(int8_layer(title, size, units, geometry, PIECEWISE_LINEAR))
    size, units, patch, stride = LAYERS[FLOAT_LAYER]
    geometry = _geometry(patch, stride)
    cases.append(float_layer(f"{FLOAT_LAYER}, float32", size, units, geometry))
    return cases + fused_workloads()


def _geometry(patch: int, stride: int) -> Geometry:
    return Geometry((patch, patch), (stride, stride), "replicate")


def _weights(rng: np.random.Generator, inputs: int, units: int):
    """Kernels in the Keras layout and biases; sums of the order of 1."""
    return (
        rng.normal(0, 0.5 / np.sqrt(inputs), (inputs, units)),
        rng.normal(0, 0.7 / np.sqrt(units), (units, units)),
        rng.normal(1, 0.5, units),
        rng.normal(0, 0.5, units),
    )

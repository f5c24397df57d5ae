"""Layers for the emulated Cortex-M4, each stressing one thing; NumPy models know the outputs."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from rnnpool_tf.bench.m4.cases import FloatCase, Int8Case
from rnnpool_tf.bench.m4.workloads import float_layer, int8_layer
from rnnpool_tf.gates import PIECEWISE_LINEAR, SMOOTH
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer import IntegerCell
from tests.kernels.int8_cases import arrays, case
from tests.kernels.options import flexbuffer

# name → (height, width, channels), (h1, h2), patch, strides, padding
SHAPES = {
    "odd everything": ((13, 11, 5), (7, 5), (5, 3), (3, 2), "valid"),
    "odd everything, same": ((13, 11, 5), (7, 5), (5, 3), (3, 2), "same"),
    "odd everything, replicate": ((13, 11, 5), (7, 5), (5, 3), (3, 2), "replicate"),
    "grey image": ((16, 14, 1), (8, 8), (6, 6), (4, 4), "replicate"),
    "colour image": ((16, 14, 3), (8, 8), (6, 6), (4, 4), "same"),
    "one unit": ((7, 7, 2), (1, 1), (3, 3), (2, 2), "valid"),
    "odd into even": ((9, 9, 3), (5, 8), (3, 4), (2, 2), "same"),
    "even into odd": ((9, 9, 4), (8, 3), (4, 3), (2, 2), "same"),
    "specialised 8": ((18, 18, 8), (8, 8), (6, 6), (4, 4), "replicate"),
    "specialised 16": ((16, 20, 4), (16, 16), (8, 8), (4, 4), "replicate"),
    "8 into 16": ((12, 12, 4), (8, 16), (6, 6), (4, 4), "valid"),
    "16 into 8": ((12, 12, 4), (16, 8), (6, 6), (4, 4), "valid"),
    "between 8 and 16": ((10, 10, 6), (12, 10), (5, 5), (3, 3), "valid"),
    "h 24": ((8, 8, 3), (24, 20), (4, 4), (2, 2), "same"),
    "patch is the map": ((7, 9, 3), (8, 8), (7, 9), (1, 1), "valid"),
    "patch above the map": ((3, 4, 3), (6, 6), (7, 9), (2, 2), "same"),
    "stride above the patch": ((17, 16, 4), (8, 8), (3, 2), (5, 4), "valid"),
    "stride above the patch, same": ((17, 16, 4), (8, 8), (3, 2), (5, 4), "same"),
    "stride above the patch, replicate": ((17, 16, 4), (8, 8), (3, 2), (5, 4), "replicate"),
    "stride 1": ((8, 9, 2), (8, 6), (4, 5), (1, 1), "same"),
    "patch 1": ((4, 5, 3), (8, 8), (1, 1), (1, 1), "valid"),
    "patch 2": ((6, 6, 4), (16, 16), (2, 2), (2, 2), "valid"),
    "one row": ((1, 9, 3), (8, 8), (1, 4), (1, 3), "valid"),
    "one column": ((9, 1, 3), (8, 8), (4, 1), (3, 1), "valid"),
    "compact, last layer": ((7, 7, 40), (48, 40), (7, 7), (7, 7), "valid"),
    "compact, odd": ((5, 5, 7), (47, 45), (3, 3), (2, 2), "same"),
}
# Of these there are variants with piecewise linear gates, too; and of the extremes.
PIECEWISE_LINEAR_SHAPES = (
    "odd everything, same",
    "one unit",
    "specialised 8",
    "specialised 16",
    "8 into 16",
    "16 into 8",
    "between 8 and 16",
    "patch 1",
    "compact, odd",
)
RANDOM_SEEDS = range(100)


def _shaped(builder, name: str, gates: str = SMOOTH):
    size, units, patch, strides, padding = SHAPES[name]
    title = name if gates == SMOOTH else f"{name}, piecewise linear"
    return builder(title, size, units, Geometry(patch, strides, padding), gates)


def _piecewise_linear(layer: Int8Case) -> Int8Case:
    cells = (dataclasses.replace(c, gates=PIECEWISE_LINEAR) for c in (layer.cell1, layer.cell2))
    cell1, cell2 = cells
    name = f"{layer.name}, piecewise linear"
    return dataclasses.replace(layer, name=name, cell1=cell1, cell2=cell2)


def _extreme(name: str, units, weight, weight_scale, bias, input_scale, zero_point) -> Int8Case:
    """All weights and biases of the same kind: `weight` and `bias` draw an array of a shape."""
    rng = np.random.default_rng(list(name.encode()))
    channels = 3

    def cell(inputs: int, h: int) -> IntegerCell:
        scale = np.float32(weight_scale)
        biases = (bias(rng, h).astype(np.int32) for _ in range(2))
        kernel, recurrent = (weight(rng, (h, n)).astype(np.int8) for n in (inputs, h))
        return IntegerCell(kernel, scale, recurrent, scale, *biases)

    x = rng.choice(np.array([-128, -1, 0, 127], np.int8), (2, 9, 8, channels))
    geometry = Geometry((4, 5), (3, 2), "same")
    cells = cell(channels, units), cell(units, units)
    return Int8Case(name, x, float(np.float32(input_scale)), zero_point, *cells, geometry)


def _any(rng, shape):
    return rng.integers(-128, 128, shape)


def _ends(rng, shape):
    return rng.choice([-128, 127], shape)


def _no_bias(rng, h):
    return np.zeros(h)


def _largest_biases(rng, h):
    return rng.choice([-(2**31), 2**31 - 1], h)


def _same_sign(rng, h):
    return np.full(h, 2**30 - 1)


EXTREMES = (
    # Weights and biases at the ends of their types; sums beyond the tables on both sides.
    ("saturated", 8, _ends, 1 / 128, _largest_biases, 6 / 255, -128),
    ("saturated, h 16", 16, _ends, 1 / 128, _largest_biases, 1.0, 127),
    ("saturated, odd", 7, _ends, 1 / 64, _same_sign, 1.0, 0),
    # Products that all round to 0; then the smallest and largest scales of a multiplier.
    ("tiny scales", 8, _any, 2.0**-40, _no_bias, 1e-6, 3),
    # Such biases keep a cell from being widened.
    ("smallest recurrent scale", 8, _any, 2.0**-43, _largest_biases, 1.0, 3),
    ("too small a scale", 8, _any, 2.0**-44, _largest_biases, 1.0, 3),
    ("large scales", 8, _any, 1.5, _no_bias, 0.1, -128),
    ("largest scales", 8, _ends, 255.9, _same_sign, 0.01, 0),
    ("too large a scale", 8, _ends, 255.9, _same_sign, 255.9, 0),
    # Just inside and outside of what the widened form proves.
    ("wide weights", 8, _ends, 2.0**-4, _no_bias, 6 / 255, -128),
    ("wider weights", 8, _ends, 2.0**-3, _no_bias, 6 / 255, -128),
)


def _random(seed: int) -> Int8Case:
    one = case(seed)
    x, scale, zero_point, cell1, cell2 = arrays(one)
    return Int8Case(one.name, x, scale, zero_point, cell1, cell2, one.geometry)


def _with_zeta_nu(name: str) -> FloatCase:
    layer = _shaped(float_layer, name)
    zeta_nu = np.array([[0.9, 0.05], [0.8, 0.1]], np.float32)
    return dataclasses.replace(layer, name=f"{name}, zeta and nu", zeta_nu=zeta_nu)


@functools.cache
def int8_cases() -> tuple[Int8Case, ...]:
    """All int8 layers."""
    shaped = [_shaped(int8_layer, name) for name in SHAPES]
    shaped += [_shaped(int8_layer, name, PIECEWISE_LINEAR) for name in PIECEWISE_LINEAR_SHAPES]
    extremes = [_extreme(*arguments) for arguments in EXTREMES]
    extremes += [_piecewise_linear(layer) for layer in extremes]
    return (*shaped, *extremes, *[_random(seed) for seed in RANDOM_SEEDS])


@functools.cache
def float_cases() -> tuple[FloatCase, ...]:
    """All float32 layers."""
    shaped = [_shaped(float_layer, name) for name in SHAPES]
    linear = ("odd everything, same", "specialised 8")
    shaped += [_shaped(float_layer, name, PIECEWISE_LINEAR) for name in linear]
    return (*shaped, _with_zeta_nu("odd everything, same"))


@functools.cache
def operator_cases() -> tuple[Int8Case | FloatCase, ...]:
    """Layers for the TFLite Micro operator: every shape in both types, extremes, a few random."""
    int8 = [c for c in int8_cases() if not c.name.startswith("seed")]
    random = [_random(seed) for seed in (0, 1, 2, 3, 8, 12)]
    return tuple(for_operator(c) for c in (*int8, *random, *float_cases()))


def for_operator(layer, version: int = 1):
    """The layer with options, for the way through the operator."""
    (ph, pw), (sh, sw) = layer.geometry.pool_size, layer.geometry.strides
    options = {
        "pool_height": ph,
        "pool_width": pw,
        "stride_height": sh,
        "stride_width": sw,
        "padding": layer.geometry.padding,
        "version": version,
    }
    gates = layer.gates if isinstance(layer, FloatCase) else layer.cell1.gates
    if gates != SMOOTH:
        options |= {"version": 2, "gates": gates}
    return dataclasses.replace(layer, options=flexbuffer(options))

"""The float operator in LiteRT and in TFLite Micro against a plain float64 layer."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.gates import KINDS, SMOOTH
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.runtime import Runtime
from tests.layers.reference import rnnpool_reference
from tests.runtime.models import build, float_node

pytestmark = pytest.mark.keras_free

ENGINES = ("litert", "tflm")
# float32 with up to a few hundred roundings of values below 1.
TOLERANCE = 1e-6

LAYERS = {
    "vww-valid": ((2, 14, 15, 4), (8, 8), Geometry((6, 6), (4, 4))),
    "same": ((3, 9, 7, 2), (3, 5), Geometry((4, 5), (3, 2), "same")),
    "replicate": ((1, 12, 16, 3), (5, 2), Geometry((6, 8), (4, 4), "replicate")),
    "gaps": ((2, 13, 11, 1), (2, 2), Geometry((2, 3), (5, 4))),
    "one-pixel": ((4, 3, 3, 2), (1, 1), Geometry((1, 1), (1, 1))),
    "whole-map": ((2, 6, 5, 3), (4, 4), Geometry((6, 5), (1, 1), "replicate")),
}


def random_cell(rng, inputs, units):
    """W [h, k], U [h, h] and two biases, in float32."""
    shapes = ((units, inputs), (units, units), (units,), (units,))
    return [rng.normal(0, 0.6, shape).astype(np.float32) for shape in shapes]


def reference_cell(cell, zeta=1.0, nu=0.0, gates=SMOOTH):
    kernel, recurrent, gate, update = cell
    return {
        "kernel": kernel.T,
        "recurrent_kernel": recurrent.T,
        "bias_gate": gate,
        "bias_update": update,
        "zeta": zeta,
        "nu": nu,
        "gates": gates,
    }


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("gates", KINDS)
@pytest.mark.parametrize("zeta_nu", [None, ((0.9, 0.1), (0.7, 0.02))], ids=["plain", "zeta_nu"])
@pytest.mark.parametrize("name", LAYERS)
def test_equals_reference(name, zeta_nu, gates, engine):
    shape, (h1, h2), geometry = LAYERS[name]
    rng = np.random.default_rng(len(name))
    cell1, cell2 = random_cell(rng, shape[-1], h1), random_cell(rng, h1, h2)
    x = rng.normal(0, 1, shape).astype(np.float32)
    factors = zeta_nu or ((1.0, 0.0), (1.0, 0.0))
    cells = [
        reference_cell(cell, *factor, gates)
        for cell, factor in zip((cell1, cell2), factors, strict=True)
    ]
    expected = rnnpool_reference(x, *cells, geometry)
    given = None if zeta_nu is None else np.array(zeta_nu)
    model = build(float_node((1, *shape[1:]), cell1, cell2, geometry, given, gates))
    output = Runtime(model, engine).predict(x)
    np.testing.assert_allclose(output, expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("engine", ENGINES)
def test_zeta_nu_left_out_by_index(engine):
    """An optional input may be absent from the list, or stand there as -1."""
    shape, (h1, h2), geometry = LAYERS["same"]
    rng = np.random.default_rng(3)
    cell1, cell2 = random_cell(rng, shape[-1], h1), random_cell(rng, h1, h2)
    x = rng.normal(0, 1, shape).astype(np.float32)
    node = float_node((1, *shape[1:]), cell1, cell2, geometry, np.zeros((2, 2)))
    plain = build(float_node((1, *shape[1:]), cell1, cell2, geometry))
    np.testing.assert_array_equal(
        Runtime(build(node.without("zeta_nu")), engine).predict(x),
        Runtime(plain, engine).predict(x),
    )

"""The int8 operator in LiteRT and TFLite Micro equals the NumPy integer model to the last byte."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer import IntegerCell, rnnpool_int8
from rnnpool_tf.runtime import Runtime
from tests.kernels.int8_cases import Case, arrays, case
from tests.runtime.models import build, int8_node

pytestmark = pytest.mark.keras_free

ENGINES = ("litert", "tflm")
# More than 500 of them run, as tests/kernels makes sure; the others are refused by all.
CASES = [case(seed) for seed in range(640)]


def expected_or_none(x, layer, geometry):
    """The specification's output; None for a layer that it refuses."""
    try:
        return rnnpool_int8(x, *layer, geometry)
    except ValueError:
        return None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_equals_integer_model(case: Case):
    x, *layer = arrays(case)
    expected = expected_or_none(x, layer, case.geometry)
    model = build(int8_node(x.shape, *layer, case.geometry))
    for engine in ENGINES:
        if expected is None:
            with pytest.raises(ValueError, match=r"scale|overflow"):
                Runtime(model, engine)
        else:
            output = Runtime(model, engine).predict_quantized(x)
            np.testing.assert_array_equal(output, expected, err_msg=f"{engine} {case}")


def random_layer(seed: int, k: int, h1: int, h2: int) -> tuple:
    """Input scale, zero point and both cells."""
    rng = np.random.default_rng(seed)

    def cell(inputs, units):
        return IntegerCell(
            rng.integers(-127, 128, (units, inputs)).astype(np.int8),
            2.0**-7,
            rng.integers(-127, 128, (units, units)).astype(np.int8),
            rng.uniform(2.0**-9, 2.0**-7, units).astype(np.float32),
            rng.integers(-(2**27), 2**27, units).astype(np.int32),
            rng.integers(-(2**27), 2**27, units).astype(np.int32),
        )

    return 0.05, -5, cell(k, h1), cell(h1, h2)


@pytest.mark.parametrize("engine", ENGINES)
def test_adjacent_layers(engine):
    """The second layer reads the first one's output, scale 1/128, directly."""
    rng = np.random.default_rng(1)
    first = Geometry((3, 3), (2, 2), "same")
    second = Geometry((2, 4), (1, 3), "replicate")
    scale, zero_point, *cells1 = random_layer(11, 3, 4, 2)
    _, _, *cells2 = random_layer(12, 8, 5, 3)
    x = rng.integers(-128, 128, (3, 9, 13, 3)).astype(np.int8)

    between = rnnpool_int8(x, scale, zero_point, *cells1, first)
    expected = rnnpool_int8(between, 1 / 128, 0, *cells2, second)
    model = build(
        int8_node((1, 9, 13, 3), scale, zero_point, *cells1, first),
        int8_node((1, *between.shape[1:]), 1 / 128, 0, *cells2, second),
    )
    np.testing.assert_array_equal(Runtime(model, engine).predict_quantized(x), expected)


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("batch", [1, 2, 7, 70])
def test_batches_and_threads_of_litert(batch, threads):
    """Batches are shared among threads, and above 32 maps run in parts."""
    layer = random_layer(5, 2, 3, 4)
    geometry = Geometry((4, 4), (2, 2))
    x = np.random.default_rng(batch).integers(-128, 128, (batch, 8, 10, 2)).astype(np.int8)
    runtime = Runtime(build(int8_node((1, 8, 10, 2), *layer, geometry)), num_threads=threads)
    expected = rnnpool_int8(x, *layer, geometry)
    for _ in range(2):  # the second run is without a resize
        np.testing.assert_array_equal(runtime.predict_quantized(x), expected)


@pytest.mark.parametrize("engine", ENGINES)
def test_fixed_batch(engine):
    """A model made for two maps at a time takes multiples of two."""
    layer = random_layer(6, 2, 3, 4)
    geometry = Geometry((4, 4), (2, 2))
    x = np.random.default_rng(0).integers(-128, 128, (6, 8, 10, 2)).astype(np.int8)
    runtime = Runtime(build(int8_node((2, 8, 10, 2), *layer, geometry), open_batch=False), engine)
    expected = rnnpool_int8(x, *layer, geometry)
    np.testing.assert_array_equal(runtime.predict_quantized(x), expected)
    with pytest.raises(ValueError, match=r"multiple of 2 samples.*Received: shape=\(3, 8, 10, 2\)"):
        runtime.predict(x[:3])

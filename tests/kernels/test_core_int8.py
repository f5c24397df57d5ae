"""The C++ core's int8 layer equals the NumPy integer model to the last byte."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.gates import KINDS
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer import IntegerCell, rnnpool_int8
from tests.kernels import core
from tests.kernels.int8_cases import CHARACTERS, Case, arrays, case

pytestmark = pytest.mark.keras_free

CASES = [case(seed) for seed in range(640)]


def refusal(sentence: str) -> str:
    """What a refusal is about, in the words that the model and the core share."""
    return "scale" if "scale" in sentence else "accumulator may overflow"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_equals_integer_model(case: Case):
    x, scale, zero_point, cell1, cell2 = arrays(case)
    arguments = (x, scale, zero_point, cell1, cell2, case.geometry)
    try:
        expected = rnnpool_int8(*arguments)
    except ValueError as error:
        with pytest.raises(core.CoreError, match=refusal(str(error))):
            core.run_int8(*arguments)
        return
    np.testing.assert_array_equal(core.run_int8(*arguments), expected, err_msg=f"{case}")


def test_cases_cover_what_matters():
    """The cases above reach both forms in both cells, and every kind of geometry."""
    forms, refused, ran = set(), 0, {character: 0 for character in CHARACTERS}
    for one in CASES:
        x, *layer = arrays(one)
        try:
            plan = core.plan_int8(x.shape[1:], *layer, one.geometry)
        except core.CoreError:
            refused += 1
            continue
        forms.add((one.gates, plan.form1, plan.form2))
        ran[one.character] += 1
    assert forms == {(gates, a, b) for gates in KINDS for a in core.FORMS for b in core.FORMS}
    assert sum(ran.values()) >= 500, f"refused {refused}"
    assert min(ran.values()) >= 50, ran
    strides = [
        (one.geometry.padding, np.sign(s - p))
        for one in CASES
        for p, s in zip(one.geometry.pool_size, one.geometry.strides, strict=True)
    ]
    assert set(strides) == {(p, s) for p in ("valid", "same", "replicate") for s in (-1, 0, 1)}
    assert {1, 3} <= {one.size[2] for one in CASES}
    assert any(one.size[:2] == one.geometry.pool_size for one in CASES)


def plain_layer(h1: int = 8, h2: int = 8, channels: int = 8, scale: float = 1 / 256):
    """A layer of mild weights: input scale, zero point and cells."""
    rng = np.random.default_rng(3)

    def cell(inputs, units):
        return IntegerCell(
            rng.integers(-127, 128, (units, inputs)).astype(np.int8),
            scale,
            rng.integers(-127, 128, (units, units)).astype(np.int8),
            scale,
            np.zeros(units, np.int32),
            np.zeros(units, np.int32),
        )

    return 6 / 255, -128, cell(channels, h1), cell(h1, h2)


@pytest.mark.parametrize(
    ("size", "h", "geometry", "persistent", "scratch"),
    [
        # Persistent: h (4 + 4 + 2 k + 2 h) bytes per cell, biases in int32 and weights in int16.
        # Scratch of the first, 110 columns, 9 of 27 patches at a time: products
        # (8 * 4 + 6) * 8 * 4, summaries 6 * 27 * 8 * 4, workspace 8 * 4, states 2 * 110 * 8 * 2,
        # sequences 9 * 8 * 2.
        ((112, 112, 8), 8, Geometry((6, 6), (4, 4), "replicate"), 640, 10096),
        ((120, 160, 4), 16, Geometry((8, 8), (4, 4), "replicate"), 1920, 33408),
        ((240, 320, 4), 8, Geometry((8, 8), (4, 4), "replicate"), 576, 32064),
    ],
    ids=["visual-wake-words", "face-m4", "face-quant"],
)
def test_memory_of_known_layers(size, h, geometry, persistent, scratch):
    input_scale, zero_point, cell1, cell2 = plain_layer(h, h, size[2], scale=1 / 1024)
    plan = core.plan_int8(size, input_scale, zero_point, cell1, cell2, geometry)
    assert plan == core.Plan("widened", "widened", persistent, scratch)


@pytest.mark.parametrize(
    ("size", "geometry", "sentence"),
    [
        ((3, 9, 8), Geometry((4, 4), (1, 1)), "must not be larger than the map"),
        ((9, 3, 8), Geometry((4, 4), (1, 1), "replicate"), "must not be larger than the map"),
        ((0, 9, 8), Geometry((4, 4), (1, 1), "same"), "at least one row"),
        ((2**31 - 1, 2**31 - 1, 8), Geometry((2, 2), (1, 1)), "too large"),
        ((1, 2**31 - 1, 8), Geometry((1, 1), (1, 1), "same"), "too large"),
        ((1, 1, 8), Geometry((2**31 - 1, 2**31 - 1), (1, 1), "same"), "too large"),
        ((1, 1, 8), Geometry((2**31 - 1, 1), (2**31 - 1, 1), "same"), "too large"),
        ((2**27, 1, 8), Geometry((2**27, 1), (1, 1), "replicate"), "too large"),
        ((2**16, 2**16, 8), Geometry((2**15, 2**15), (1, 1)), "too large"),
    ],
    ids=lambda value: None if isinstance(value, str | Geometry) else "x".join(map(str, value)),
)
def test_impossible_layers_are_refused(size, geometry, sentence):
    with pytest.raises(core.CoreError, match=sentence):
        core.plan_int8(size, *plain_layer(), geometry)


@pytest.mark.parametrize("scale", [0.0, -1.0, 256.0, np.inf, np.nan], ids=str)
def test_unusable_input_scale_is_refused(scale):
    _, zero_point, cell1, cell2 = plain_layer()
    with pytest.raises(core.CoreError, match="input scale"):
        core.plan_int8((9, 9, 8), scale, zero_point, cell1, cell2, Geometry((3, 3), (3, 3)))


@pytest.mark.parametrize("zero_point", [-129, 128])
def test_unusable_zero_point_is_refused(zero_point):
    scale, _, cell1, cell2 = plain_layer()
    with pytest.raises(core.CoreError, match="zero point"):
        core.plan_int8((9, 9, 8), scale, zero_point, cell1, cell2, Geometry((3, 3), (3, 3)))


@pytest.mark.parametrize(("units", "accepted"), [(511, True), (512, False)])
def test_accumulator_limits_the_units(units, accepted):
    layer = plain_layer(units, 1, 1)
    arguments = ((2, 2, 1), *layer, Geometry((1, 1), (1, 1)))
    if accepted:
        assert core.plan_int8(*arguments).form1 == "compact"
    else:
        with pytest.raises(core.CoreError, match="accumulator may overflow"):
            core.plan_int8(*arguments)

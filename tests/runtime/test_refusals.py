"""Every model the operator must refuse, in both engines: a sentence, never a crash."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer import IntegerCell
from rnnpool_tf.runtime import Runtime
from tests.runtime.models import (
    BIAS_SCALE,
    OUTPUT_SCALE,
    Tensor,
    build,
    constant,
    float_node,
    int8_node,
    options,
)

pytestmark = pytest.mark.keras_free

GEOMETRY = Geometry((4, 4), (2, 2))
SHAPE = (1, 8, 8, 3)


def int8():
    rng = np.random.default_rng(0)

    def cell(inputs, units):
        return IntegerCell(
            rng.integers(-127, 128, (units, inputs)).astype(np.int8),
            0.01,
            rng.integers(-127, 128, (units, units)).astype(np.int8),
            np.full(units, 0.01, np.float32),
            np.zeros(units, np.int32),
            np.zeros(units, np.int32),
        )

    return int8_node(SHAPE, 0.05, 3, cell(3, 4), cell(4, 5), GEOMETRY)


def float32(zeta_nu=True):
    rng = np.random.default_rng(0)

    def cell(inputs, units):
        return [rng.normal(size=s) for s in ((units, inputs), (units, units), units, units)]

    given = np.ones((2, 2)) if zeta_nu else None
    return float_node(SHAPE, cell(3, 4), cell(4, 5), GEOMETRY, given)


def remove(node, tensor):
    """The node with one input fewer."""
    return replace(node, tensors={k: v for k, v in node.tensors.items() if k != tensor})


def with_input(node, name, tensor):
    """The node with one input more, before its output."""
    tensors = dict(node.tensors)
    output = tensors.pop("output")
    return replace(node, tensors={**tensors, name: tensor, "output": output})


def ints(shape, dtype=np.int32):
    return np.zeros(shape, dtype)


def with_options(node, **changes):
    return replace(node, options=options(GEOMETRY, **changes))


REFUSED = {
    # counts
    "no-update-bias2": (lambda: remove(int8(), "update_bias2"), "9 inputs.*Received: 8"),
    "eleven-inputs": (
        lambda: with_input(float32(), "extra", constant(np.zeros(1, np.float32))),
        "9 inputs.*Received: 11",
    ),
    "absent-U1": (lambda: int8().without("U1"), "recurrent kernel 1 is missing"),
    "absent-bias": (lambda: float32().without("gate_bias2"), "gate bias 2 is missing"),
    # options
    "no-options": (lambda: replace(int8(), options=b""), "not a map"),
    "garbage-options": (lambda: replace(int8(), options=b"\xff" * 40), "not a map|damaged"),
    "cut-options": (lambda: replace(int8(), options=int8().options[:-5]), "not a map|damaged"),
    "version-7": (
        lambda: with_options(int8(), version=7),
        "version 7 is not supported; this build knows versions 1 to 2",
    ),
    "gates-in-version-1": (
        lambda: with_options(int8(), gates="piecewise_linear"),
        "`gates` must be missing in this version",
    ),
    "other-gates": (
        lambda: with_options(float32(), version=2, gates="hard"),
        '`gates` must be "smooth" or "piecewise_linear"',
    ),
    "no-version": (lambda: with_options(int8(), version=None), "`version` is missing"),
    "no-pool-width": (lambda: with_options(int8(), pool_width=None), "`pool_width` is missing"),
    "zero-stride": (
        lambda: with_options(float32(), stride_height=0),
        "`stride_height` must be at least 1.*Received: stride_height=0",
    ),
    "negative-pool": (lambda: with_options(float32(), pool_height=-3), "pool_height=-3"),
    "text-stride": (lambda: with_options(int8(), stride_width="2"), "must be an integer"),
    "unknown-padding": (lambda: with_options(int8(), padding="full"), "`padding` must be"),
    "number-padding": (lambda: with_options(int8(), padding=1), "`padding` must be a string"),
    "patch-too-large": (lambda: with_options(int8(), pool_height=9), "larger than the map"),
    # input
    "rank-3": (
        lambda: float32().change("input", shape=(8, 8, 3)),
        "input must have rank 4. Received: rank 3",
    ),
    "int16-input": (
        lambda: int8().change("input", dtype=np.int16),
        "input must be float32 or int8",
    ),
    "uint8-input": (
        lambda: int8().change("input", dtype=np.uint8),
        "input must be float32 or int8",
    ),
    "unquantised-input": (
        lambda: int8().change("input", scales=(), zero_points=()),
        "1 scale and 1 zero point",
    ),
    "zero-point-200": (lambda: int8().change("input", zero_points=(200,)), "Received: 200"),
    "zero-input-scale": (lambda: int8().change("input", scales=(0.0,)), "[Ss]cale"),
    "negative-input-scale": (lambda: int8().change("input", scales=(-0.5,)), "[Ss]cale"),
    "nan-input-scale": (lambda: int8().change("input", scales=(float("nan"),)), "[Ss]cale"),
    "infinite-input-scale": (lambda: int8().change("input", scales=(float("inf"),)), "[Ss]cale"),
    "huge-input-scale": (lambda: int8().change("input", scales=(256.0,)), "[Ss]cale"),
    # weights
    "W1-wrong-inputs": (
        lambda: replace_data(int8(), "W1", (4, 2)),
        "kernel 1 must have size 3 in dimension 1",
    ),
    "W1-rank-1": (lambda: replace_data(int8(), "W1", (4,)), r"kernel 1 must have shape \[units"),
    "U1-not-square": (
        lambda: replace_data(int8(), "U1", (4, 3)),
        "recurrent kernel 1 must have size 4 in dimension 1",
    ),
    "W2-wrong-inputs": (lambda: replace_data(float32(), "W2", (5, 3)), "kernel 2 must have size 4"),
    "U2-rank-3": (
        lambda: replace_data(float32(), "U2", (5, 5, 1)),
        "recurrent kernel 2 must have rank 2. Received: rank 3",
    ),
    "bias-too-long": (lambda: replace_data(int8(), "gate_bias1", (5,)), "gate bias 1 must have"),
    "bias-rank-2": (lambda: replace_data(float32(), "update_bias1", (4, 1)), "must have rank 1"),
    "float-W-in-int8": (
        lambda: int8().change("W1", dtype=np.float32, data=np.zeros((4, 3), np.float32)),
        "kernel 1 must be int8.*float32",
    ),
    "int8-bias": (
        lambda: int8().change("gate_bias1", dtype=np.int8, data=ints(4, np.int8)),
        "gate bias 1 must be int32.*int8",
    ),
    "int64-bias": (
        lambda: int8().change("gate_bias1", dtype=np.int64, data=ints(4, np.int64)),
        "gate bias 1 must be int32",
    ),
    "int8-W-in-float": (
        lambda: float32().change("W2", dtype=np.int8, data=ints((5, 4), np.int8)),
        "kernel 2 must be float32.*int8",
    ),
    "variable-W1": (lambda: int8().change("W1", data=None), "kernel 1 must be a constant"),
    "variable-bias": (lambda: float32().change("gate_bias2", data=None), "must be a constant"),
    "unquantised-W": (lambda: int8().change("W2", scales=(), zero_points=()), "Received: 0 scales"),
    "W-zero-point": (lambda: int8().change("W2", zero_points=(3,)), "zero point 0. Received: 3"),
    "U-zero-point": (
        lambda: int8().change("U2", zero_points=(0, 0, 0, 0, -1)),
        "zero point 0. Received: -1",
    ),
    "scales-per-column": (
        lambda: int8().change("U2", dimension=1),
        "quantised along dimension 0. Received: 1",
    ),
    "W-scale-zero": (lambda: int8().change("W1", scales=(0.0,)), "[Ss]cale"),
    "W-scale-nan": (lambda: int8().change("W1", scales=(float("nan"),)), "[Ss]cale"),
    "W-scale-negative": (lambda: int8().change("W1", scales=(-1.0,)), "[Ss]cale"),
    "bias-scale": (
        lambda: int8().change("update_bias2", scales=(BIAS_SCALE * 2,)),
        r"update bias 2 must have the scale 2\^-26",
    ),
    "bias-unquantised": (
        lambda: int8().change("gate_bias1", scales=(), zero_points=()),
        r"must have the scale 2\^-26",
    ),
    "bias-zero-point": (
        lambda: int8().change("gate_bias1", zero_points=(1,)),
        "gate bias 1 must have zero point 0. Received: 1",
    ),
    # zeta and nu
    "int8-zeta-nu": (
        lambda: with_input(int8(), "zeta_nu", constant(np.ones((2, 2), np.float32))),
        "int8 has no trainable zeta and nu",
    ),
    "zeta-nu-shape": (lambda: replace_data(float32(), "zeta_nu", (4, 1)), "zeta and nu must have"),
    "zeta-nu-variable": (lambda: float32().change("zeta_nu", data=None), "must be a constant"),
    "zeta-nu-int32": (
        lambda: float32().change("zeta_nu", dtype=np.int32, data=ints((2, 2))),
        "zeta and nu must be float32",
    ),
    # output
    "output-scale": (
        lambda: int8().change("output", scales=(OUTPUT_SCALE / 2,)),
        "output must have the scale 1/128",
    ),
    "output-zero-point": (
        lambda: int8().change("output", zero_points=(-128,)),
        "output must have zero point 0. Received: -128",
    ),
    "output-unquantised": (
        lambda: int8().change("output", scales=(), zero_points=()),
        "output must have the scale 1/128",
    ),
    "float-output": (
        lambda: int8().change("output", dtype=np.float32, scales=(), zero_points=()),
        "output must be int8.*float32",
    ),
    "int8-output": (
        lambda: float32().change("output", dtype=np.int8),
        "output must be float32.*int8",
    ),
}


def replace_data(node, tensor, shape):
    """The node with a constant of another shape."""
    dtype = node.tensors[tensor].dtype
    scales = node.tensors[tensor].scales[:1]
    return node.change(
        tensor,
        shape=shape,
        data=np.ones(shape, dtype),
        scales=scales,
        zero_points=(0,) * len(scales),
    )


@pytest.mark.parametrize("engine", ["litert", "tflm"])
@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, engine, monkeypatch):
    make, sentence = REFUSED[case]
    model = build(make())
    if model_has_several_inputs(model):
        # A variable weight is a second input of the model, which `Runtime` would refuse first.
        monkeypatch.setattr("rnnpool_tf.runtime.interpreter._check_inputs", lambda model: None)
    with pytest.raises(ValueError, match=sentence) as error:
        Runtime(model, engine)
    assert "RNNPool" in str(error.value)


def model_has_several_inputs(model: bytes) -> bool:
    from rnnpool_tf.runtime.model_file import read_model

    return len(read_model(model).inputs) > 1


@pytest.mark.parametrize("shape", [(1, 3, 3, 19), (1, 4, 3, 20), (2, 3, 3, 20), (3, 3, 20)])
def test_tflm_refuses_wrong_output_shape(shape):
    """TFLite Micro's outputs are planned from the file; LiteRT's are resized by the operator."""
    with pytest.raises(ValueError, match="RNNPool's output must have"):
        Runtime(build(int8().change("output", shape=shape), open_batch=False), "tflm")


def test_litert_resizes_wrong_output_shape():
    model = build(int8().change("output", shape=(1, 1, 1, 1)))
    assert Runtime(model).predict(np.zeros(SHAPE, np.float32)).shape == (1, 3, 3, 20)


@pytest.mark.parametrize("engine", ["litert", "tflm"])
def test_two_outputs(engine):
    node = int8()
    tensors = {**node.tensors, "output2": Tensor((1, 3, 3, 20), np.int8, None, (1 / 128,), (0,))}
    node = replace(node, tensors=tensors, outputs=("output", "output2"))
    with pytest.raises(ValueError, match=r"RNNPool must have 1 output\. Received: 2"):
        Runtime(build(node), engine)


@pytest.mark.parametrize("engine", ["litert", "tflm"])
def test_unknown_operator(engine):
    with pytest.raises(ValueError, match=r"refuses the model.*SomethingElse"):
        Runtime(build(replace(int8(), name="SomethingElse")), engine)


@pytest.mark.parametrize("engine", ["litert", "tflm"])
@pytest.mark.parametrize("make", [int8, float32], ids=["int8", "float32"])
def test_unchanged_nodes_run(make, engine):
    """What the cases above start from is sound."""
    output = Runtime(build(make()), engine).predict(np.zeros(SHAPE, np.float32))
    assert output.shape == (1, 3, 3, 20)

"""The operators registered in tf.lite: its interpreter, and calibration before quantisation."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.geometry import Geometry
from rnnpool_tf.runtime import Runtime, load
from tests.kernels.block_cases import ordinary_case
from tests.kernels.conv_pool_cases import random_conv_pool
from tests.runtime.fused_models import block_node, conv_pool_node
from tests.runtime.models import build, float_node
from tests.runtime.test_engines_float import random_cell

pytestmark = pytest.mark.keras_free

REGISTERER = "RNNPoolRegisterer"


@pytest.fixture(scope="module")
def model() -> bytes:
    rng = np.random.default_rng(4)
    cells = random_cell(rng, 3, 4), random_cell(rng, 4, 2)
    return build(float_node((1, 8, 10, 3), *cells, Geometry((4, 4), (2, 2), "same")))


def run(model: bytes, x: np.ndarray) -> np.ndarray:
    """The model's output in tf.lite's interpreter."""
    from tensorflow.lite.python.interpreter import InterpreterWithCustomOps

    load("librnnpool")
    interpreter = InterpreterWithCustomOps(custom_op_registerers=[REGISTERER], model_content=model)
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def test_interpreter_with_custom_ops(model):
    x = np.random.default_rng(5).normal(size=(3, 8, 10, 3)).astype(np.float32)
    np.testing.assert_array_equal(run(model, x), Runtime(model).predict(x))


def test_interpreter_with_fused_operators():
    """Each name leads to its own operator."""
    pool = random_conv_pool(13)
    block = block_node(ordinary_case(3, pool.out_shape, 16, 6, (2, 2), False))
    block = block.change("input", scales=(1 / 128,), zero_points=(0,))
    model = build(conv_pool_node(pool), block)
    x = pool.inputs(3)
    np.testing.assert_array_equal(run(model, x), Runtime(model).predict_quantized(x))


def test_calibration(model):
    """Calibration runs the operator and records the range of its output."""
    from tensorflow.lite.python.optimize.calibrator import Calibrator

    from rnnpool_tf.conversion.flatbuffer import Graph

    load("librnnpool")
    samples = np.random.default_rng(6).normal(size=(4, 1, 8, 10, 3)).astype(np.float32)
    calibrated = Calibrator(model, custom_op_registerers_by_name=[REGISTERER]).calibrate(
        lambda: ([sample] for sample in samples)
    )
    graph = Graph.from_bytes(calibrated)
    output = graph.tensors[graph.outputs[0]].quantization
    real = np.concatenate([Runtime(model).predict(sample) for sample in samples])
    # The recorded range is that of the same floats.
    np.testing.assert_allclose([output.min[0], output.max[0]], [real.min(), real.max()], rtol=1e-6)

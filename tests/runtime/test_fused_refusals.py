"""Every model the fused operators must refuse, in both engines: a sentence, never a crash."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.runtime import Runtime, library_path
from rnnpool_tf.runtime.engines import ENGINES, start
from rnnpool_tf.runtime.model_file import read_model
from tests.kernels.conv_pool_cases import random_conv_pool
from tests.runtime.models import build
from tests.runtime.refused_blocks import BLOCKS, block, unexpanded
from tests.runtime.refused_conv_pools import POOLS, double_option, pool

pytestmark = pytest.mark.keras_free

REFUSED = {f"block-{name}": case for name, case in BLOCKS.items()} | {
    f"pool-{name}": case for name, case in POOLS.items()
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, engine):
    make, sentence = REFUSED[case]
    node = make()
    with pytest.raises(ValueError, match=sentence) as error:
        start(read_model(build(node)), engine)
    assert node.name in str(error.value)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("make", [block, unexpanded, pool], ids=lambda make: make.__name__)
def test_unchanged_nodes_run(make, engine):
    """What the cases above start from is sound."""
    node = make()
    x = np.zeros(node.tensors["input"].shape, np.int8)
    assert Runtime(build(node), engine).predict_quantized(x).shape == node.tensors["output"].shape


@pytest.mark.parametrize("engine", ENGINES)
def test_numbers_may_stand_in_eight_bytes(engine):
    """One wide value widens all; the scale is a float32 value in any case."""
    scale = float(np.float32(random_conv_pool(4).map.scale))
    wide = replace(pool(), options=double_option("pool_scale", scale))
    x = np.random.default_rng(0).integers(-128, 128, wide.tensors["input"].shape).astype(np.int8)
    outputs = [Runtime(build(node), engine).predict_quantized(x) for node in (wide, pool())]
    np.testing.assert_array_equal(*outputs)


@pytest.mark.parametrize("make", [block, pool], ids=lambda make: make.__name__)
def test_tflm_refuses_wrong_batch(make):
    """TFLite Micro's outputs are planned from the file; LiteRT's are resized by the operator."""
    node = make()
    shape = (2, *node.tensors["output"].shape[1:])
    model = build(node.change("output", shape=shape), open_batch=False)
    with pytest.raises(ValueError, match=r"must have size 1 in dimension 0\. Received: size 2"):
        Runtime(model, "tflm")


@pytest.mark.parametrize("make", [block, pool], ids=lambda make: make.__name__)
@pytest.mark.parametrize("engine", ENGINES)
def test_two_outputs(make, engine):
    node = make()
    tensors = {**node.tensors, "output2": node.tensors["output"]}
    node = replace(node, tensors=tensors, outputs=("output", "output2"))
    with pytest.raises(ValueError, match=rf"{node.name} must have 1 output\. Received: 2"):
        Runtime(build(node), engine)


@pytest.mark.parametrize("make", [block, pool], ids=lambda make: make.__name__)
def test_plain_litert_names_the_operator(make):
    """A fused model does not run, or run wrongly, where the package's operators are missing."""
    from ai_edge_litert.interpreter import Interpreter

    node = make()
    interpreter = Interpreter(model_content=build(node))
    with pytest.raises(RuntimeError, match=rf"unresolved custom op: {node.name}"):
        interpreter.allocate_tensors()


def test_resized_map_is_found_out():
    """Sizes of convolutions are the model's; an input of another size would give nonsense."""
    from ai_edge_litert import interpreter as litert

    delegate = litert.load_delegate(str(library_path("librnnpool")))
    interpreter = litert.Interpreter(
        model_content=build(block(adds=False)), experimental_delegates=[delegate]
    )
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], (1, 12, 9, 4))
    with pytest.raises(RuntimeError, match="output must have size 11 or more in dimension 1"):
        interpreter.allocate_tensors()


@pytest.mark.parametrize("make", [block, pool], ids=["block", "conv-pool"])
def test_misplaced_scratch_is_found_out(make):
    """A memory plan in the model file may say anything; operators ask for words."""
    graph = Graph.from_bytes(build(make(), open_batch=False))
    places = {graph.inputs[0]: 1, graph.outputs[0]: 1 + 16 * 1000}
    engine = start(read_model(graph.to_bytes(places)), "tflm")
    with pytest.raises(ValueError, match="scratch memory must be aligned to 4 bytes"):
        engine.invoke([np.zeros(graph.shape(graph.inputs[0]), np.int8)])

"""Every network of the package, fused, planned, streamed: always the bytes of the unfused one."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from rnnpool_tf import Runtime, StreamedRuntime, compression
from rnnpool_tf._keras import keras
from rnnpool_tf.conversion import Graph, int8, source
from rnnpool_tf.conversion.converter import stock_conversion
from rnnpool_tf.conversion.finishing import finish
from rnnpool_tf.conversion.streaming import split_stream
from rnnpool_tf.models import face_m4, face_qvga, visual_wake_words

pytestmark = pytest.mark.legacy_keras

SEED = 20240620
SIZE = (40, 56)  # neither square nor a multiple of every stride

PADDINGS = ("same", "pytorch")
# Name, ending in the padding: builder, channels of its input, inverted residuals, other arguments.
ZOO = {
    **{
        f"vww-{pooling}-{padding}": (visual_wake_words, 3, 11, {"pooling": pooling})
        for pooling in ("rnnpool", "strided_conv", "max", "average")
        for padding in PADDINGS
    },
    "vww-none-same": (visual_wake_words, 3, 17, {"pooling": "none"}),
    "vww-none-pytorch": (visual_wake_words, 1, 17, {"pooling": "none"}),
    "face_m4-same": (face_m4, 1, 4, {"outputs": "levels"}),
    "face_m4-pytorch": (face_m4, 1, 4, {"outputs": "levels"}),
    "face_qvga-same": (face_qvga, 1, 14, {"outputs": "levels"}),
}
WITH_RNNPOOL = [name for name in ZOO if name.startswith(("vww-rnnpool", "face"))]


@functools.cache
def unfused(name: str) -> bytes:
    """The int8 file as it comes from the converter."""
    model = trained(name)
    qat = compression.quantize(model, pictures(model.input_shape[-1]))
    opened = source.open_source(qat, 1)
    graph = Graph.from_bytes(stock_conversion(opened, ("int8", "int8")))
    int8.fold(graph, opened.scales)
    graph.order_outputs()
    return graph.to_bytes()


def trained(name: str):
    """A network in which no layer saturates and no two channels have the same range."""
    keras.utils.set_random_seed(SEED)
    builder, channels, _, arguments = ZOO[name]
    padding = name.split("-")[-1]
    # Without momentum, one pass leaves the statistics of its batch.
    model = builder((*SIZE, channels), padding=padding, batch_norm_momentum=0.0, **arguments)
    rng = np.random.default_rng(SEED)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(rng.uniform(0.5, 1.5, layer.gamma.shape))
            layer.beta.assign(rng.normal(0, 0.5, layer.beta.shape))
    model(pictures(channels), training=True)
    return model


def pictures(channels: int) -> np.ndarray:
    """Noise of different strength around different greys."""
    rng = np.random.default_rng(SEED)
    grey, strength = (rng.uniform(low, 1, (12, 1, 1, 1)) for low in (-1, 0))
    return (grey + strength * rng.normal(size=(12, *SIZE, channels))).astype(np.float32)


@functools.cache
def fused(name: str) -> bytes:
    return finish(Graph.from_bytes(unfused(name)), "all", "offline")[0]


# LiteRT's reference kernels share TensorFlow Lite Micro's rounding except in FULLY_CONNECTED, so
# each engine is compared with itself.
ENGINES = {"tflm": {}, "litert": {"reference_kernels": True}}


@functools.cache
def expected(name: str, engine: str) -> list[np.ndarray]:
    """What an engine computes from the unfused file."""
    return outputs(Runtime(unfused(name), engine, **ENGINES[engine]), images(name))


def images(name: str) -> np.ndarray:
    """Pictures as the network knows them, noise, darkness, light, extremes only; int8."""
    graph = Graph.from_bytes(unfused(name))
    scale, zero_point = graph.quantization(graph.inputs[0])
    known = np.round(pictures(ZOO[name][1])[:4] / scale) + zero_point
    shape = known.shape[1:]
    rng = np.random.default_rng(SEED)
    others = [
        rng.integers(-128, 128, shape),
        np.full(shape, -128),
        np.full(shape, 127),
        rng.choice([-128, 127], shape),
    ]
    return np.concatenate([np.clip(known, -128, 127), others]).astype(np.int8)


def outputs(runtime, batch) -> list[np.ndarray]:
    values = runtime.predict_quantized(batch)
    return values if isinstance(values, list) else [values]


def require_equal(runtime, name: str, engine: str) -> None:
    received = outputs(runtime, images(name))
    for index, pair in enumerate(zip(received, expected(name, engine), strict=True)):
        np.testing.assert_array_equal(*pair, err_msg=f"{name}, output {index}, seed {SEED}")


@pytest.mark.parametrize("name", ZOO)
def test_all_that_can_be_fused_is_fused(name):
    before, after = (Graph.from_bytes(data) for data in (unfused(name), fused(name)))
    names = [after.name_of(operator) for operator in after.operators]
    assert names.count("InvertedResidual") == ZOO[name][2]
    assert names.count("ConvRNNPool") == (name in WITH_RNNPOOL)
    assert not {"RNNPool", "DEPTHWISE_CONV_2D", "ADD"} & set(names)
    pads = [before.name_of(operator) for operator in before.operators].count("PAD")
    assert (pads > 0) == name.endswith("pytorch")
    # A stem without RNNPool behind it keeps its padding.
    assert names.count("PAD") == (pads > 0 and name not in WITH_RNNPOOL)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ZOO)
def test_fused_equals_unfused(name, engine):
    require_equal(Runtime(fused(name), engine, **ENGINES[engine]), name, engine)
    values = np.unique(expected(name, engine)[0], axis=0)
    assert len(values) >= 6, f"seed {SEED}: nearly all pictures look alike to it"


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", WITH_RNNPOOL)
def test_streamed_equals_unfused(name, engine):
    pair = split_stream(unfused(name))
    runtime = StreamedRuntime(pair.header.encode(), pair.body, engine, **ENGINES[engine])
    require_equal(runtime, name, engine)


@pytest.mark.parametrize("name", [*WITH_RNNPOOL, "vww-none-same", "vww-none-pytorch"])
def test_fused_takes_less_arena(name):
    heads = [
        Runtime(data, engine="tflm").arena_breakdown["head"]
        for data in (unfused(name), fused(name))
    ]
    assert heads[1] < heads[0]

"""Speed of the operator in LiteRT on this machine, against the layer expanded to built-in ops."""

from __future__ import annotations

import statistics
import time

import numpy as np
import tensorflow as tf

from rnnpool_tf import RNNPoolLayer, Runtime, compression, convert
from rnnpool_tf._keras import keras, require_legacy_keras
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.layers.sweeps import CellWeights, rnnpool
from rnnpool_tf.models import visual_wake_words

SHAPE, HIDDEN = (112, 112, 8), 8
GEOMETRY = Geometry((6, 6), (4, 4), "replicate")
NETWORK_SIZE = (224, 224, 3)


def measure(repeat: int = 10) -> list[dict]:
    """Times the paper's Visual Wake Words layer and network, single thread, batch 1.

    Args:
        repeat: Timed runs per variant; the median is reported. Every run is a `Runtime.predict`.

    Returns:
        One dict per variant: `variant` and `milliseconds`; the expanded layer first.

    Raises:
        RuntimeError: Not under tf_keras, which the int8 models need.
    """
    require_legacy_keras("rnnpool bench desktop")
    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    inputs = keras.Input(SHAPE)
    layer = RNNPoolLayer(HIDDEN, HIDDEN, *_geometry_arguments())
    model = keras.Model(inputs, layer(inputs))
    image = rng.normal(0, 1, (1, *SHAPE)).astype(np.float32)
    network = visual_wake_words(NETWORK_SIZE)
    network_image = rng.normal(0, 0.5, (1, *NETWORK_SIZE)).astype(np.float32)
    variants = (
        ("layer, expanded, float32", _expanded(layer), image),
        ("layer, RNNPool op, float32", convert(model), image),
        ("layer, RNNPool op, int8", _int8(model, image), image),
        ("network 224×224, int8", _int8(network, network_image), network_image),
    )
    return [
        {"variant": name, "milliseconds": 1e3 * _median_seconds(data, x, repeat)}
        for name, data, x in variants
    ]


def table(rows: list[dict]) -> str:
    """The result for people."""
    expanded, _, layer, network = (row["milliseconds"] for row in rows)
    lines = [
        "RNNPool 112×112×8, patch 6, stride 4, h1 = h2 = 8, in LiteRT; 1 thread, batch 1",
        f"{'variant':28}{'median ms':>10}{'vs expanded':>13}",
    ]
    for row in rows[:3]:
        ratio = expanded / row["milliseconds"]
        lines.append(f"{row['variant']:28}{row['milliseconds']:10.2f}{ratio:12.1f}×")
    lines.append(f"{rows[3]['variant']:28}{network:10.2f}")
    lines.append(f"The layer takes {layer / network:.0%} of the network's time.")
    return "\n".join(lines)


def _geometry_arguments() -> tuple:
    return GEOMETRY.pool_size, GEOMETRY.strides, GEOMETRY.padding


def _expanded(layer: RNNPoolLayer) -> bytes:
    """The layer's float math without the annotation that makes it one operator."""
    cells = [
        CellWeights(
            *(
                tf.transpose(getattr(layer, f"{name}{i}"))
                for name in ("kernel", "recurrent_kernel")
            ),
            *(tf.constant(getattr(layer, f"{name}{i}")) for name in ("bias_gate", "bias_update")),
        )
        for i in (1, 2)
    ]
    function = tf.function(lambda x: rnnpool(x, *cells, GEOMETRY))
    concrete = function.get_concrete_function(tf.TensorSpec((1, *SHAPE), tf.float32))
    return tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()


def _int8(model, image: np.ndarray) -> bytes:
    return convert(compression.quantize(model, calibration=image))


def _median_seconds(data: bytes, x: np.ndarray, repeat: int) -> float:
    runtime = Runtime(data)
    runtime.predict(x)
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        runtime.predict(x)
        times.append(time.perf_counter() - start)
    return statistics.median(times)

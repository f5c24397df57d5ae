"""Small models for the tests of fusion, and what every one of them checks."""

from __future__ import annotations

import numpy as np

from rnnpool_tf.conversion import Graph, fuse, fuse_model
from rnnpool_tf.gates import SMOOTH
from rnnpool_tf.runtime import Runtime
from tests.conversion.helpers import names
from tests.conversion.random_models import Builder

SEED = 77
BLOCK = ["CONV_2D", "DEPTHWISE_CONV_2D", "CONV_2D"]


def block(**arguments) -> Builder:
    """1x1, depthwise, 1x1; arguments are those of the depthwise convolution."""
    build = Builder(SEED, (1, 9, 8, 4))
    build.convolution(6)
    build.convolution(None, **{"kernel": (3, 3), **arguments})
    build.convolution(5)
    return build


def stem(*kernels, gates: str = SMOOTH, **arguments) -> Builder:
    """Convolutions and RNNPool."""
    build = Builder(SEED, (1, 16, 15, 3))
    for kernel in kernels:
        build.convolution(4, kernel, **arguments)
    build.rnnpool(gates)
    return build


def check(data: bytes, *, runs: bool = True) -> tuple[list[str], list]:
    """Fuses; returns operators and notes. The results must be the same wherever it can run."""
    graph = Graph.from_bytes(data)
    notes = fuse(graph)
    fused = graph.to_bytes()
    if not any(note.fused for note in notes):
        assert fuse_model(data, plan="greedy") is data
    if runs:
        for options in ({"engine": "litert", "reference_kernels": True}, {"engine": "tflm"}):
            runtime = Runtime(data, **options)
            shape = runtime.input_details[0].shape
            x = np.random.default_rng(SEED).integers(-128, 128, shape).astype(np.int8)
            both = [Runtime(model, **options).predict_quantized(x) for model in (data, fused)]
            lists = [found if isinstance(found, list) else [found] for found in both]
            for expected, found in zip(*lists, strict=True):
                np.testing.assert_array_equal(found, expected, err_msg=f"seed {SEED}")
    return names(fused), notes

"""A small int8 model half of whose weights are zero."""

from __future__ import annotations

import numpy as np

from rnnpool_tf.conversion import Graph
from tests.conversion.random_models import Builder

SEED = 20241128


def sparse_model(density: float = 0.5, values: int = 127) -> bytes:
    """A depthwise and two 1x1 convolutions, average, classifier.

    Args:
        density: Fraction of weights that are not zero.
        values: How many different magnitudes they have.
    """
    build = Builder(SEED, (1, 6, 6, 32))
    build.convolution(96)
    build.convolution(None, (3, 3), padding=((1, 1), (1, 1)))
    build.convolution(64)
    build.mean(keep_dimensions=False, rescale=False)
    build.dense(16)
    graph = Graph.from_bytes(build.finish())
    rng = np.random.default_rng(SEED)
    for operator in graph.operators:
        if graph.name_of(operator) in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"):
            index = int(operator.inputs[1])
            shape = graph.shape(index)
            magnitudes = rng.integers(1, values + 1, shape) * rng.choice([-1, 1], shape)
            weights = (magnitudes * (rng.random(shape) < density)).astype(np.int8)
            buffer = graph.model.buffers[graph.tensors[index].buffer]
            buffer.data = weights.view(np.uint8).ravel()
    return graph.to_bytes()

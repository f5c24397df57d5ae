"""Graphs that make no sense are left alone or refused with a sentence, never with another error."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.conversion import Graph, fuse
from tests.conversion.fusion_models import stem

pytestmark = pytest.mark.keras_free

SEEDS = range(300)


def model() -> bytes:
    build = stem((3, 3), (2, 2), padding=((1, 1), (1, 1)))
    x = build.value
    build.convolution(6)
    build.convolution(None, (3, 3), padding=((1, 1), (1, 1)))
    build.convolution(build.graph.shape(x)[3])
    build.add(x)
    build.mean(keep_dimensions=False, rescale=False)
    build.dense(3)
    return build.finish()


DATA = model()


def damage(graph: Graph, rng: np.random.Generator) -> str:
    """Changes one thing; returns what."""
    operator = graph.operators[rng.integers(len(graph.operators))]
    index = int(rng.integers(len(graph.tensors)))
    tensor = graph.tensors[index]
    kind = str(
        rng.choice(["inputs", "options", "rank", "size", "scale", "type", "buffer", "wiring"])
    )
    if len(operator.inputs) == 0 or len(tensor.shape) == 0:
        return "nothing"
    if kind == "inputs":
        operator.inputs = operator.inputs[: rng.integers(len(operator.inputs))]
    elif kind == "options":
        operator.builtinOptions, operator.customOptions = None, None
    elif kind == "rank":
        tensor.shape = tensor.shape[: rng.integers(len(tensor.shape))]
    elif kind == "size":
        shape = np.array(tensor.shape)
        shape[rng.integers(len(shape))] = rng.choice([0, 1, 2, 7, 1000])
        tensor.shape = shape
    elif kind == "scale":
        tensor.quantization = None
    elif kind == "type":
        tensor.type = int(rng.integers(0, 18))
    elif kind == "buffer":
        tensor.buffer = int(rng.integers(len(graph.model.buffers)))
    else:
        inputs = np.array(operator.inputs)
        inputs[rng.integers(len(inputs))] = index
        operator.inputs = inputs
    return f"{kind} of {graph.name_of(operator)} or tensor {index}"


def test_damaged_graphs():
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        graph = Graph.from_bytes(DATA)
        what = [damage(graph, rng) for _ in range(rng.integers(1, 4))]
        try:
            notes = fuse(graph)
        except ValueError:
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed}: {what}") from error
        assert all(note.detail for note in notes)
        graph.to_bytes()

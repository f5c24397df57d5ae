"""Saved and loaded again, in each format that works, a model converts to the same bytes."""

from __future__ import annotations

import numpy as np
import pytest

import rnnpool_tf
from rnnpool_tf import compression
from rnnpool_tf._keras import keras
from rnnpool_tf.conversion import Graph
from tests.compression.helpers import SEED, small_model

pytestmark = pytest.mark.legacy_keras


def rebuilt():
    """A QAT model as the one under test is made, in a process that has made none before."""
    keras.backend.clear_session()  # Keras numbers the layers of a process
    return compression.quantize(small_model(), preserve_sparsity=True)


@pytest.fixture(scope="module")
def qat():
    """Weights and ranges that no new model has, half of the weights zero."""
    model = rebuilt()
    rng = np.random.default_rng(SEED)
    for weight in model.weights:
        if weight.dtype.is_floating and weight.shape.rank:
            dead = rng.random(weight.shape) < 0.5 if "kernel" in weight.name else False
            weight.assign(np.where(dead, 0, weight * rng.uniform(0.8, 1.2)))
    compression.refresh_weight_ranges(model)
    return model


@pytest.fixture(scope="module")
def expected(qat):
    return rnnpool_tf.convert(qat)


@pytest.mark.parametrize("name", ["qat.h5", "qat"], ids=["h5", "saved_model"])
def test_whole_models(name, qat, expected, tmp_path):
    path = compression.save(qat, tmp_path / name)
    assert rnnpool_tf.convert(compression.load(path)) == expected
    # A SavedModel folder brings its own names for inputs and outputs.
    assert without_names(rnnpool_tf.convert(path)) == without_names(expected)


@pytest.mark.parametrize("name", ["weights.h5", "checkpoint"])
def test_weights_alone_in_a_rebuilt_model(name, qat, expected, tmp_path):
    qat.save_weights(tmp_path / name)
    other = rebuilt()
    pairs = zip(other.get_weights(), qat.get_weights(), strict=True)
    assert not all(np.array_equal(one, two) for one, two in pairs)
    other.load_weights(tmp_path / name)
    assert rnnpool_tf.convert(other) == expected


def test_keras_format_is_refused_with_the_cure(qat, tmp_path):
    path = tmp_path / "qat.keras"
    for refused in (compression.save, lambda _, path: compression.load(path)):
        with pytest.raises(ValueError, match=r"\.keras.*\.h5.*SavedModel"):
            refused(qat, path)
    assert not path.exists()
    qat.save(path)  # as tf_keras itself lets everybody do
    with pytest.raises(ValueError, match=r"rnnpool_tf\.compression\.save.*\.h5 or SavedModel"):
        rnnpool_tf.convert(path)


def without_names(data: bytes) -> bytes:
    graph = Graph.from_bytes(data)
    graph.model.signatureDefs = graph.model.description = graph.subgraph.name = None
    for tensor in graph.tensors:
        tensor.name = None
    return graph.to_bytes()

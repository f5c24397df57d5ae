"""Saved and loaded again, in each format that works, a model converts to the same bytes."""

from __future__ import annotations

import pytest

import rnnpool_tf
from rnnpool_tf import compression
from tests.compression.helpers import compiled, data, small_model, train

pytestmark = pytest.mark.legacy_keras


def rebuilt():
    """A QAT model as the one under test is made, before it was trained."""
    return compiled(compression.quantize(small_model(), preserve_sparsity=True))


@pytest.fixture(scope="module")
def qat():
    """Pruned, quantised and trained, so that no weight or range is what `rebuilt()` has."""
    pruned = compiled(compression.prune(small_model(), schedule="iht", pattern="1x2"))
    model = compression.strip_pruning(train(pruned, 1, compression.pruning_callbacks()))
    return train(
        compiled(compression.quantize(model, calibration=data()[0], preserve_sparsity=True))
    )


@pytest.fixture(scope="module")
def expected(qat):
    return rnnpool_tf.convert(qat)


@pytest.mark.parametrize("name", ["qat.h5", "qat"], ids=["h5", "saved_model"])
def test_whole_models(name, qat, expected, tmp_path):
    path = compression.save(qat, tmp_path / name)
    assert rnnpool_tf.convert(path) == expected
    assert rnnpool_tf.convert(compression.load(path)) == expected


@pytest.mark.parametrize("name", ["weights.h5", "checkpoint"])
def test_weights_alone_in_a_rebuilt_model(name, qat, expected, tmp_path):
    qat.save_weights(tmp_path / name)
    other = rebuilt()
    status = other.load_weights(tmp_path / name)
    if status is not None:
        status.expect_partial()
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

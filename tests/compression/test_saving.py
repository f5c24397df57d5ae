"""Saving, loading and going on with training."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf import compression
from rnnpool_tf._keras import keras
from tests.compression.helpers import compiled, data, small_model, train

pytestmark = pytest.mark.legacy_keras


def qat_model():
    model = small_model(sequential=True)
    # Dropout would draw other numbers in the resumed run.
    model.get_layer("dropout").rate = 0.0
    return compiled(compression.quantize(model, calibration=data()[0]))


def test_training_goes_on_as_if_never_interrupted(tmp_path):
    keras.backend.clear_session()
    uninterrupted = train(qat_model(), 2)
    keras.backend.clear_session()
    first = train(qat_model(), 1)
    resumed = compression.load(compression.save(first, tmp_path / "qat.h5"))
    compare_weights(first, resumed, exactly=True)
    train(resumed, 1)
    compare_weights(uninterrupted, resumed)


def test_saved_model_keeps_every_weight_and_range_and_trains(tmp_path):
    keras.backend.clear_session()
    qat = qat_model()
    loaded = compression.load(compression.save(qat, tmp_path / "qat"))
    compare_weights(qat, loaded, exactly=True)
    assert compression.weight_scales(qat) == compression.weight_scales(loaded)
    images = data()[0]
    np.testing.assert_array_equal(qat.predict(images, verbose=0), loaded.predict(images, verbose=0))
    before = loaded.get_layer("quant_stem").weights[0].numpy()
    train(loaded)
    assert not np.array_equal(before, loaded.get_layer("quant_stem").weights[0].numpy())


def test_a_model_with_frozen_batch_norm(tmp_path):
    qat = train(qat_model(), 2, [compression.FreezeBatchNorm(1)])
    frozen = [layer.name for layer in qat.layers if not layer.trainable]
    loaded = compression.load(compression.save(qat, tmp_path / "qat.h5"))
    images = data()[0]
    np.testing.assert_array_equal(qat.predict(images, verbose=0), loaded.predict(images, verbose=0))
    assert frozen and frozen == [layer.name for layer in qat.layers if not layer.trainable]


def test_weights_alone(tmp_path):
    qat = qat_model()
    qat.get_layer("quant_logits").layer.bias.assign([1.0, 2.0])
    qat.save_weights(tmp_path / "checkpoint")
    other = qat_model()
    other.load_weights(tmp_path / "checkpoint").expect_partial()
    images = data()[0]
    np.testing.assert_array_equal(qat.predict(images, verbose=0), other.predict(images, verbose=0))
    assert compression.weight_scales(qat) == compression.weight_scales(other)


def test_a_model_being_pruned_resumes(tmp_path):
    pruned = compiled(compression.prune(small_model(), 0.5, end_step=4, rnnpool_sparsity="paper"))
    train(pruned, 1, compression.pruning_callbacks())
    compression.save(pruned, tmp_path / "pruned.h5")
    resumed = compression.load(tmp_path / "pruned.h5")
    assert resumed.get_layer("prune_matrices_pool").pruning_step.numpy() == 2
    train(resumed, 2, compression.pruning_callbacks())
    report = compression.sparsity_report(compression.strip_pruning(resumed))
    assert {r.weight: r.zeros for r in report.rows if r.layer == "pool"} == {
        "kernel1": 32,
        "recurrent_kernel1": 45,
        "kernel2": 45,
        "recurrent_kernel2": 45,
    }


@pytest.mark.parametrize("name", ["qat.h5", "qat"], ids=["h5", "saved_model"])
def test_saving_again_replaces_and_leaves_nothing_else(tmp_path, name):
    model = small_model()
    compression.save(model, tmp_path / name)
    assert compression.save(model, tmp_path / name) == tmp_path / name
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_failed_save_leaves_what_was_there(tmp_path, monkeypatch):
    target = compression.save(small_model(), tmp_path / "model.h5")
    before = target.read_bytes()
    model = small_model()

    def fail(path, **_):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(model, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        compression.save(model, target)
    assert target.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.h5"]


@pytest.mark.parametrize("name", ["model.keras", "model.tflite"])
def test_formats_that_do_not_work_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match=rf"(?s)\.h5.*SavedModel.*Received: '.*{name}'"):
        compression.save(small_model(), tmp_path / name)
    with pytest.raises(ValueError, match=rf"Received: '.*{name}'"):
        compression.load(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_loading_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"missing\.h5"):
        compression.load(tmp_path / "missing.h5")


def compare_weights(expected, received, exactly=False):
    for one, other in zip(expected.layers, received.layers, strict=True):
        weights = {w.name.split("/")[-1]: w.numpy() for w in other.weights}
        assert len(weights) == len(one.weights)
        for weight in one.weights:
            # The same float32 operations in the same order; threads may sum in another.
            tolerance = {} if exactly else {"rtol": 1e-5, "atol": 1e-6}
            compare = np.testing.assert_array_equal if exactly else np.testing.assert_allclose
            name = weight.name.split("/")[-1]
            compare(weight.numpy(), weights[name], err_msg=f"{one.name}: {name}", **tolerance)

"""Pruning: what becomes zero, when, and that quantised training keeps it zero."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf import compression
from rnnpool_tf._keras import keras
from tests.compression.helpers import compiled, data, small_model, train

pytestmark = pytest.mark.legacy_keras


def sparsities(model) -> dict[tuple[str, str], float]:
    return {(r.layer, r.weight): r.sparsity for r in compression.sparsity_report(model).rows}


def pruned_small_model(sequential=False, **options):
    pruned = compiled(compression.prune(small_model(sequential=sequential), **options))
    train(pruned, 4, compression.pruning_callbacks())
    return compression.strip_pruning(pruned)


@pytest.fixture(scope="module")
def sparse_model():
    return pruned_small_model(sparsity=0.5, end_step=6, rnnpool_sparsity="paper")


@pytest.mark.parametrize(
    "options",
    [
        {"end_step": 6, "frequency": 4},
        {"end_step": 6, "initial_sparsity": 0.2},
        {"schedule": "constant"},
        {"schedule": "iht"},
    ],
    ids=["polynomial", "polynomial_from_20%", "constant", "iht"],
)
def test_schedules_reach_the_sparsity_asked_for(options):
    found = sparsities(pruned_small_model(sequential=True, sparsity=0.75, **options))
    assert found["stem", "kernel"] == 0
    assert found["logits", "kernel"] == 0.75
    assert found["pool", "recurrent_kernel2"] == 0.75


def test_paper_densities_per_matrix(sparse_model):
    found = sparsities(sparse_model)
    assert found["stem", "kernel"] == found["depthwise", "depthwise_kernel"] == 0
    assert found["expand", "kernel"] == found["project", "kernel"] == 0.5
    # tfmot keeps round(64 * 0.3) = 19 of 64 weights.
    assert [found["pool", m] for m in compression.PAPER_RNNPOOL_SPARSITY] == [
        0.5,
        45 / 64,
        45 / 64,
        45 / 64,
    ]


def test_iht_keeps_the_largest_weights_of_every_step():
    model = small_model()
    kernel = model.get_layer("pool").kernel1.numpy()
    pruned = compiled(compression.prune(model, 0.0, schedule="iht", rnnpool_sparsity="paper"), 0.0)
    train(pruned, 1, compression.pruning_callbacks())
    threshold = np.sort(np.abs(kernel).ravel())[32]
    expected = np.where(np.abs(kernel) >= threshold, kernel, 0)
    stripped = compression.strip_pruning(pruned)
    np.testing.assert_array_equal(stripped.get_layer("pool").kernel1.numpy(), expected)
    assert sparsities(stripped)["expand", "kernel"] == 0


def test_stem_depthwise_and_single_layers_can_be_chosen():
    found = sparsities(
        pruned_small_model(
            sparsity=0.5,
            end_step=6,
            prune_stem=True,
            prune_depthwise=True,
            rnnpool_sparsity={"kernel2": 0.25},
            layer_sparsity={"expand": 0.0, "project": 0.75},
        )
    )
    assert found["stem", "kernel"] == 0.5
    assert found["depthwise", "depthwise_kernel"] == 0.5
    assert found["expand", "kernel"] == 0
    assert found["project", "kernel"] == 0.75
    assert found["pool", "kernel2"] == 0.25
    assert found["pool", "kernel1"] == 0


def test_the_models_given_are_left_alone():
    model = small_model()
    before = [w.copy() for w in model.get_weights()]
    pruned = compiled(compression.prune(model, schedule="constant"))
    train(pruned, 1, compression.pruning_callbacks())
    for was, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)
    stripped = compression.strip_pruning(pruned)
    assert [x.name for x in stripped.layers] == [x.name for x in model.layers]
    images = data()[0]
    np.testing.assert_array_equal(
        stripped.predict(images, verbose=0), pruned.predict(images, verbose=0)
    )


def test_zeros_survive_quantised_training_to_the_bit(sparse_model):
    qat = compiled(
        compression.quantize(sparse_model, calibration=data()[0], preserve_sparsity=True)
    )
    zeros = {(w.layer, w.weight): w for w in compression.sparsity_report(sparse_model).rows}
    before = kernels(qat)
    train(qat, 3)
    after = kernels(qat)
    for name, values in before.items():
        np.testing.assert_array_equal(values == 0, after[name] == 0, err_msg=name)
        assert not np.array_equal(values, after[name]), f"{name} was not trained"
    assert sum(w.zeros for w in zeros.values()) == sum(int((v == 0).sum()) for v in after.values())
    integers = compression.int8_weights(qat)["pool"]
    for name, values in integers.items():
        trained = after[f"quant_pool/{name}"]
        assert not values[trained == 0].any()
        assert (values == 0).sum() < (trained == 0).sum() + 5  # a few more are rounded to zero


def test_without_preserve_sparsity_zeros_are_lost(sparse_model):
    qat = train(compiled(compression.quantize(sparse_model, calibration=data()[0])))
    assert compression.sparsity_report(qat).sparsity < 0.05


def test_zeros_survive_a_restart_of_quantised_training(sparse_model, tmp_path):
    qat = compiled(compression.quantize(sparse_model, preserve_sparsity=True))
    compression.save(train(qat), tmp_path / "qat.h5")
    resumed = train(compression.load(tmp_path / "qat.h5"))
    assert sparsities(resumed) == sparsities(sparse_model)


def test_report_is_a_table_with_a_total(sparse_model):
    lines = str(compression.sparsity_report(sparse_model)).splitlines()
    assert lines[0].split() == ["layer", "weight", "shape", "zeros", "sparsity"]
    assert lines[2].split() == ["pool", "kernel1", "8x8", "32/64", "50.0%"]
    assert lines[-1].split()[0] == "total"


def kernels(qat) -> dict[str, np.ndarray]:
    """Trained float kernels by name."""
    wanted = ("kernel", "depthwise_kernel", *compression.PAPER_RNNPOOL_SPARSITY)
    return {
        f"{layer.name}/{name}": weight.numpy()
        for layer in qat.layers
        for weight in layer.weights
        if (name := weight.name.split("/")[-1].split(":")[0]) in wanted
        and isinstance(layer, keras.layers.Wrapper)
    }

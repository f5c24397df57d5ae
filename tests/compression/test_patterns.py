"""Pruning in patterns: which weights live, and that the file's int8 bytes keep the pattern."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

import rnnpool_tf
from rnnpool_tf import compression
from rnnpool_tf.compression import patterns
from rnnpool_tf.conversion import Graph
from rnnpool_tf.conversion.rnnpool_op import MATRICES
from tests.compression.helpers import SEED, compiled, data, small_model, train

pytestmark = pytest.mark.legacy_keras

# Every pattern that has groups, in a convolution, a Dense layer and the RNNPool.
PATTERNS = {"pattern": "2:4", "layer_pattern": {"pool": "1x2", "expand": "1x2"}}


def alive_groups(mask: np.ndarray, size: int) -> np.ndarray:
    """How many weights live in each group of inputs: [..., groups, units]; zeros fill the last."""
    missing = -mask.shape[-2] % size
    padded = np.pad(mask.astype(int), [*[(0, 0)] * (mask.ndim - 2), (0, missing), (0, 0)])
    return padded.reshape(*mask.shape[:-2], -1, size, mask.shape[-1]).sum(-2)


def expected_pairs(weights: np.ndarray, sparsity: float) -> np.ndarray:
    """The specification in NumPy: pairs by their sums, the largest live."""
    inputs = weights.shape[-2]
    missing = [*[(0, 0)] * (weights.ndim - 2), (0, inputs % 2), (0, 0)]
    padded = np.pad(np.abs(weights), missing)
    sums = padded[..., ::2, :] + padded[..., 1::2, :]
    kept = max(round(sums.size * (1 - sparsity)), 1)
    return np.repeat(sums >= np.sort(sums.ravel())[-kept], 2, axis=-2)[..., :inputs, :]


def expected_two_of_four(weights: np.ndarray) -> np.ndarray:
    mask = np.zeros(weights.shape, bool)
    for start in range(0, weights.shape[-2], 4):
        group = np.abs(weights[..., start : start + 4, :])
        kept = (group.shape[-2] + 1) // 2
        order = np.argsort(-group, axis=-2, kind="stable")[..., :kept, :]
        np.put_along_axis(mask[..., start : start + 4, :], order, True, axis=-2)
    return mask


SHAPES = ((2, 3, 12, 5), (1, 1, 7, 3), (16, 3), (5, 4), (6, 4), (3, 2), (2, 2), (1, 8))


def random_weights(shape) -> np.ndarray:
    return np.random.default_rng(SEED).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_pairs_by_their_sum(shape):
    weights = random_weights(shape)
    sums = patterns.pair_magnitudes(tf.constant(weights)).numpy()
    assert sums.shape == (*shape[:-2], -(-shape[-2] // 2), shape[-1])
    mask = patterns.spread_pairs(tf.constant(sums > 1.5), shape[-2]).numpy()
    for index in np.ndindex(*shape):
        first = index[-2] // 2 * 2
        pair = weights[..., first : first + 2, :][(*index[:-2], slice(None), index[-1])]
        assert mask[index] == (np.abs(pair).sum() > 1.5), f"seed {SEED}, {index}"


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_two_of_four_keeps_the_larger_half(shape):
    weights = random_weights(shape)
    mask = patterns.two_of_four_mask(tf.constant(weights)).numpy()
    np.testing.assert_array_equal(mask, expected_two_of_four(weights), err_msg=f"seed {SEED}")


def test_two_of_four_of_equal_weights_keeps_the_first():
    for value in (0.0, 1.0):
        mask = patterns.two_of_four_mask(tf.fill((6, 1), value)).numpy()
        np.testing.assert_array_equal(mask[:, 0], [1, 1, 0, 0, 1, 0])


@pytest.mark.parametrize(
    "options",
    [
        {"end_step": 6, "frequency": 2},
        {"schedule": "constant", "begin_step": 3, "frequency": 2},
        {"schedule": "iht"},
    ],
    ids=["polynomial", "constant", "iht"],
)
def test_every_schedule_ends_with_the_pattern(options):
    pruned = compiled(compression.prune(small_model(), 0.5, **PATTERNS, **options))
    train(pruned, 4, compression.pruning_callbacks())
    for name, weights in pruned_weights(compression.strip_pruning(pruned)).items():
        assert_pattern(weights != 0, name)
        assert (weights == 0).mean() == 0.5, name


def test_iht_of_pairs_keeps_the_largest_of_every_step():
    model = small_model()
    kernel = model.get_layer("project").kernel.numpy()
    pruned = compiled(compression.prune(model, 0.6, schedule="iht", pattern="1x2"), 0.0)
    train(pruned, 1, compression.pruning_callbacks())
    found = compression.strip_pruning(pruned).get_layer("project").kernel.numpy()
    np.testing.assert_array_equal(found, np.where(expected_pairs(kernel, 0.6), kernel, 0))


def test_two_of_four_begins_with_the_begin_step():
    options = {"schedule": "constant", "begin_step": 3, "pattern": "2:4"}
    pruned = compiled(compression.prune(small_model(), **options))
    train(pruned, 1, compression.pruning_callbacks())
    assert compression.sparsity_report(pruned).sparsity == 0
    train(pruned, 1, compression.pruning_callbacks())
    assert (pruned.get_layer("prune_matrices_project").layer.kernel.numpy() == 0).mean() == 0.5


def test_layers_have_patterns_of_their_own():
    pruned = compiled(
        compression.prune(
            small_model(),
            0.5,
            schedule="iht",
            rnnpool_sparsity="paper",
            pattern="2:4",
            layer_pattern={"pool": "1x2", "expand": "1x1"},
            prune_depthwise=True,
        )
    )
    train(pruned, 1, compression.pruning_callbacks())
    model = compression.strip_pruning(pruned)
    assert (alive_groups(model.get_layer("project").kernel.numpy() != 0, 4) == 2).all()
    for name in compression.PAPER_RNNPOOL_SPARSITY:
        alive = alive_groups(getattr(model.get_layer("pool"), name).numpy() != 0, 2)
        assert set(np.unique(alive)) == {0, 2}, name
    assert (alive_groups(model.get_layer("expand").kernel.numpy() != 0, 2) == 1).any()
    report = {(r.layer, r.weight): r for r in compression.sparsity_report(model).rows}
    assert report["depthwise", "depthwise_kernel"].sparsity == 0.5
    # tfmot keeps round(32 * 0.3) = 10 of 32 pairs.
    assert report["pool", "kernel2"].zeros == 44


def test_a_model_being_pruned_keeps_its_pattern_when_it_resumes(tmp_path):
    pruned = compiled(compression.prune(small_model(), schedule="iht", **PATTERNS))
    train(pruned, 1, compression.pruning_callbacks())
    before = pruned_weights(compression.strip_pruning(pruned))
    resumed = compression.load(compression.save(pruned, tmp_path / "pruned.h5"))
    train(resumed, 1, compression.pruning_callbacks())
    for name, weights in pruned_weights(compression.strip_pruning(resumed)).items():
        assert_pattern(weights != 0, name)
        assert not np.array_equal(weights, before[name])


def test_the_int8_file_has_the_zeros_of_training_to_the_bit():
    pruned = compiled(compression.prune(small_model(), schedule="iht", **PATTERNS))
    model = compression.strip_pruning(train(pruned, 1, compression.pruning_callbacks()))
    masks = {name: weights != 0 for name, weights in pruned_weights(model).items()}
    qat = compression.quantize(model, calibration=data()[0], preserve_sparsity=True)
    qat = train(compiled(qat), 2)
    stored = file_weights(rnnpool_tf.convert(qat, fuse="none"))
    seen = fake_quantized(qat)
    for name, mask in masks.items():
        # The file rounds as FakeQuant does, so what training saw as 0 is 0 in the file, no more.
        np.testing.assert_array_equal(stored[name] != 0, seen[name] != 0, err_msg=name)
        assert not stored[name][~mask].any(), name
        lost = (stored[name][mask] == 0).mean()
        assert lost < 0.1, f"{name}: {lost:.0%} of the living weights were rounded to 0"


def assert_pattern(mask, name):
    layer = name.split("/")[0]
    if PATTERNS["layer_pattern"].get(layer, PATTERNS["pattern"]) == "1x2":
        assert set(np.unique(alive_groups(mask, 2))) <= {0, 2}, name
    else:
        assert (alive_groups(mask, 4) == 2).all(), name


def pruned_weights(model) -> dict[str, np.ndarray]:
    """Kernels that `prune()` prunes by itself, [..., inputs, units]."""
    pool = model.get_layer("pool")
    weights = {f"pool/{n}": getattr(pool, n).numpy() for n in compression.PAPER_RNNPOOL_SPARSITY}
    return weights | {n: model.get_layer(n).kernel.numpy() for n in ("expand", "project", "logits")}


def fake_quantized(qat) -> dict[str, np.ndarray]:
    values = {f"pool/{n}": w for n, w in compression.int8_weights(qat)["pool"].items()}
    for name in ("expand", "project", "logits"):
        weight, quantizer, variables = qat.get_layer(f"quant_{name}")._weight_vars[0]
        values[name] = quantizer(weight.read_value(), False, weights=variables).numpy()
    return values


def file_weights(model: bytes) -> dict[str, np.ndarray]:
    """The same kernels out of a .tflite file, in Keras layout."""
    graph = Graph.from_bytes(model)
    found, convolutions = {}, iter(("stem", "expand", "project"))
    for operator in graph.operators:
        kind, kernel = graph.name_of(operator), int(operator.inputs[1])
        if kind == "CONV_2D":
            found[next(convolutions)] = graph.constant(kernel).transpose(1, 2, 3, 0)
        elif kind == "FULLY_CONNECTED":
            found["logits"] = graph.constant(kernel).T
        elif kind == "RNNPool":
            matrices = [graph.constant(int(operator.inputs[i])) for i in MATRICES]
            for name, matrix in zip(compression.PAPER_RNNPOOL_SPARSITY, matrices, strict=True):
                found[f"pool/{name}"] = matrix.T
    return found

"""The training pipeline: seeded, resumable, shardable; labels stay with their pictures."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.datasets import Examples
from rnnpool_tf.datasets.pipeline import steps_per_epoch, training_pipeline, validation_pipeline

pytestmark = pytest.mark.keras_free
COUNT, SIDE, SIZE, BATCH = 22, 12, 8, 4


@pytest.fixture(scope="module")
def examples() -> Examples:
    """Picture `i` is flat, of brightness 10·i: every crop tells its index. Its label is `i % 2`."""
    values = (10 * np.arange(COUNT)).astype(np.uint8)
    images = np.broadcast_to(values[:, None, None, None], (COUNT, SIDE, SIDE, 3)).copy()
    labels = np.arange(COUNT) % 2
    return Examples(images, labels, np.ones(COUNT, np.float32), tuple(map(str, range(COUNT))))


def take(examples, batches: int, **options) -> tuple[np.ndarray, np.ndarray]:
    """The images and labels of the first batches."""
    pipeline = training_pipeline(examples, SIZE, BATCH, **options).take(batches)
    images, labels = zip(*pipeline.as_numpy_iterator(), strict=True)
    return np.concatenate(images), np.concatenate(labels)


def indices(images: np.ndarray) -> list[int]:
    # Crops of flat pictures are flat up to the rounding of the interpolation.
    return np.rint((images.mean((1, 2, 3)) * 128 + 128) / 10).astype(int).tolist()


def test_an_epoch_is_a_permutation_with_its_labels(examples):
    steps = steps_per_epoch(examples, BATCH)
    assert steps == COUNT // BATCH
    images, labels = take(examples, 2 * steps, seed=5)
    assert images.shape == (2 * steps * BATCH, SIZE, SIZE, 3) and images.dtype == np.float32
    found = indices(images)
    np.testing.assert_array_equal(np.argmax(labels, axis=1), np.array(found) % 2)
    first, second = found[: steps * BATCH], found[steps * BATCH :]
    assert len(set(first)) == len(set(second)) == steps * BATCH, "a picture came twice"
    assert first != second


def test_the_seed_decides(examples):
    textured = Examples(
        np.random.default_rng(1).integers(0, 256, (COUNT, SIDE, SIDE, 3), np.uint8),
        examples.labels,
        examples.aspects,
        examples.names,
    )
    once, again, other = (take(textured, 4, seed=seed)[0] for seed in (7, 7, 8))
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, other)


@pytest.mark.parametrize("epoch", [1, 3])
def test_starting_late_continues_the_same_sequence(examples, epoch):
    steps = steps_per_epoch(examples, BATCH)
    whole, _ = take(examples, (epoch + 1) * steps, seed=2)
    late, _ = take(examples, steps, seed=2, first_epoch=epoch)
    np.testing.assert_array_equal(whole[epoch * steps * BATCH :], late)


def test_workers_share_an_epoch(examples):
    parts = [indices(take(examples, 2, seed=3, shard=(worker, 2))[0]) for worker in range(2)]
    assert len(set(parts[0]) | set(parts[1])) == 4 * BATCH, "workers saw the same picture"


def test_validation_in_order_with_a_short_last_batch(examples):
    batches = list(validation_pipeline(examples, BATCH).as_numpy_iterator())
    assert [len(labels) for _, labels in batches] == [4, 4, 4, 4, 4, 2]
    assert indices(np.concatenate([images for images, _ in batches])) == list(range(COUNT))


def test_batch_larger_than_the_set_is_refused(examples):
    with pytest.raises(ValueError, match=r"22 training images\. Received: batch_size=23"):
        training_pipeline(examples, SIZE, 23)

"""Batches for detectors: seeded, resumable, shardable; every picture has boxes."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from rnnpool_tf.datasets.box_pipeline import box_training_pipeline, box_validation_pipeline
from rnnpool_tf.datasets.boxes import BoxExample

pytestmark = pytest.mark.keras_free
COUNT, BATCH, EMPTY = 11, 2, (3, 7)
STEPS = COUNT // BATCH


def example(index: int) -> BoxExample:
    """A flat picture of brightness 20·i and i + 1 boxes whose x1 is i, or none."""
    encoded = io.BytesIO()
    Image.new("RGB", (12 + index, 9), (20 * index,) * 3).save(encoded, "PNG")
    boxes = [[index, row, index + 2, row + 3] for row in range(index + 1)]
    return BoxExample(str(index), encoded.getvalue, [] if index in EMPTY else boxes)


EXAMPLES = [example(index) for index in range(COUNT)]


def augment(image, boxes, seed):
    """Brightness, and the seed; boxes as they are."""
    draw = tf.random.stateless_uniform((1,), seed)
    return tf.concat((tf.reduce_mean(tf.cast(image, tf.float32), (0, 1))[:1], draw), 0), boxes


def fit(image, boxes):
    return tf.reduce_mean(tf.cast(image, tf.float32), (0, 1))[:1], boxes


def target(boxes):
    """Number of boxes and x1 of the first, which tell the picture."""
    return tf.stack((tf.cast(tf.shape(boxes)[0], tf.float32), tf.reduce_max(boxes[:, 0])))


def take(batches: int, examples=EXAMPLES, batch_size=BATCH, **options):
    data = box_training_pipeline(examples, augment, target, batch_size, **options).take(batches)
    inputs, targets = zip(*data.as_numpy_iterator(), strict=True)
    return np.concatenate(inputs), np.concatenate(targets)


def indices(inputs: np.ndarray) -> list[int]:
    return np.rint(inputs[:, 0] / 20).astype(int).tolist()


def test_pictures_come_with_their_boxes():
    inputs, targets = take(3 * STEPS, seed=1)
    found = np.array(indices(inputs))
    np.testing.assert_array_equal(targets[:, 0], found + 1)
    np.testing.assert_array_equal(targets[:, 1], found)


def test_an_epoch_is_a_permutation_but_for_pictures_without_boxes():
    inputs, _ = take(2 * STEPS, seed=2)
    epochs = [indices(inputs[: STEPS * BATCH]), indices(inputs[STEPS * BATCH :])]
    for found in epochs:
        assert not set(found) & set(EMPTY)
        # Ten of eleven places; up to two of them are held by a picture that is there for another.
        assert len(set(found)) >= COUNT - 1 - len(EMPTY)
    assert epochs[0] != epochs[1]


def test_the_seed_decides():
    once, again, other = (take(2 * STEPS, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(once[0], again[0])
    np.testing.assert_array_equal(once[1], again[1])
    assert not np.array_equal(once[0], other[0])


@pytest.mark.parametrize("epoch", [1, 3])
@pytest.mark.parametrize("shard", [(0, 1), (1, 2)])
def test_resuming_continues_what_was_begun(epoch, shard):
    batch_size = BATCH // shard[1]
    whole = take((epoch + 2) * STEPS, seed=7, batch_size=batch_size, shard=shard)
    rest = take(2 * STEPS, seed=7, first_epoch=epoch, batch_size=batch_size, shard=shard)
    skipped = epoch * STEPS * batch_size
    np.testing.assert_array_equal(whole[0][skipped:], rest[0])
    np.testing.assert_array_equal(whole[1][skipped:], rest[1])


def test_every_picture_is_augmented_with_a_seed_of_its_own():
    inputs, _ = take(4 * STEPS, seed=8)
    assert len(set(inputs[:, 1].tolist())) == len(inputs)


def test_shards_share_an_epoch():
    full = [e for i, e in enumerate(EXAMPLES) if i not in EMPTY][:8]
    parts = [
        indices(take(2, full, batch_size=2, seed=9, shard=(index, 2))[0]) for index in range(2)
    ]
    assert sorted(parts[0] + parts[1]) == sorted(int(one.name) for one in full)


@pytest.mark.parametrize(
    ("examples", "batch_size", "shard"),
    [
        (EXAMPLES, COUNT + 1, (0, 1)),
        (EXAMPLES, 6, (0, 2)),
        ([EXAMPLES[index] for index in EMPTY], 1, (0, 1)),
        ([], 1, (0, 1)),
    ],
    ids=["batch", "batch of two workers", "no boxes", "no pictures"],
)
def test_too_few_pictures(examples, batch_size, shard):
    with pytest.raises(ValueError, match="`batch_size` must not exceed the"):
        box_training_pipeline(examples, augment, target, batch_size, shard=shard)


def test_validation_keeps_the_order_and_all_pictures():
    counted = box_validation_pipeline(EXAMPLES, fit, lambda boxes: tf.shape(boxes)[0], 4)
    inputs, targets = zip(*counted.as_numpy_iterator(), strict=True)
    assert [len(batch) for batch in inputs] == [4, 4, 3]
    assert indices(np.concatenate(inputs)) == list(range(COUNT))
    expected = [len(one.boxes) for one in EXAMPLES]
    assert np.concatenate(targets).tolist() == expected and expected[EMPTY[0]] == 0


def test_pictures_are_decoded_to_three_channels():
    encoded = io.BytesIO()
    Image.new("L", (4, 3), 77).save(encoded, "JPEG")
    grey = BoxExample("grey", encoded.getvalue, [[0, 0, 1, 1]])
    data = box_validation_pipeline([grey], lambda image, boxes: (image, boxes), tf.shape, 1)
    ((image, _),) = data.as_numpy_iterator()
    assert image.shape == (1, 3, 4, 3) and (image == 77).all()

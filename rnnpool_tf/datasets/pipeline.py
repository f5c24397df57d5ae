"""tf.data pipelines over decoded pictures: augmented training batches and validation batches."""

from __future__ import annotations

from collections.abc import Iterator, Sized

import numpy as np
import tensorflow as tf

from rnnpool_tf.datasets.examples import Examples
from rnnpool_tf.datasets.preprocess import Normalization, normalization, random_crop_boxes


def steps_per_epoch(examples: Sized, batch_size: int) -> int:
    """Whole batches in one pass; what is left over is not used in that epoch."""
    steps = len(examples) // batch_size
    if steps < 1:
        raise ValueError(
            f"`batch_size` must not exceed the {len(examples)} training images. "
            f"Received: batch_size={batch_size}"
        )
    return steps


def training_pipeline(
    examples: Examples,
    image_size: int,
    batch_size: int,
    *,
    normalize: str | Normalization = "symmetric",
    crop_area: tuple[float, float] = (0.2, 1.0),
    seed: int = 0,
    first_epoch: int = 0,
    shard: tuple[int, int] = (0, 1),
    num_classes: int = 2,
) -> tf.data.Dataset:
    """Endless `(float32 [B, size, size, C], one-hot float32 [B, classes])` batches.

    Every epoch is a new permutation; every picture a new random resized crop (`crop_area` as a
    share of the picture, aspect 3/4-4/3) and flip. Epoch `e` depends on `(seed, e)` alone, so a
    pipeline that starts at `first_epoch=e` continues exactly what a longer one would have
    delivered there.

    `shard=(i, n)` yields part `i` of `n` of each epoch: one part per worker.
    """
    index, count = shard
    steps = steps_per_epoch(examples, batch_size * count)
    normalize = normalization(normalize)
    side, channels = examples.images.shape[1], examples.images.shape[3]

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        epoch = first_epoch
        while True:
            order_rng = np.random.default_rng((seed, epoch))
            crop_rng = np.random.default_rng((seed, epoch, index))
            order = order_rng.permutation(len(examples))[index::count]
            for step in range(steps):
                rows = order[step * batch_size : (step + 1) * batch_size]
                boxes = random_crop_boxes(crop_rng, examples.aspects[rows], crop_area)
                yield examples.images[rows], boxes, examples.labels[rows]
            epoch += 1

    def augment(images, boxes, labels):
        images = tf.image.crop_and_resize(
            images, boxes, tf.range(batch_size), (image_size, image_size)
        )
        images = tf.ensure_shape(normalize(images), (batch_size, image_size, image_size, channels))
        return images, tf.one_hot(labels, num_classes)

    signature = (
        tf.TensorSpec((batch_size, side, side, channels), tf.uint8),
        tf.TensorSpec((batch_size, 4), tf.float32),
        tf.TensorSpec((batch_size,), tf.int64),
    )
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return dataset.map(augment, num_parallel_calls=2, deterministic=True).prefetch(2)


def validation_pipeline(
    examples: Examples,
    batch_size: int,
    *,
    normalize: str | Normalization = "symmetric",
    num_classes: int = 2,
) -> tf.data.Dataset:
    """The validation pictures in their own order, once, the last batch possibly smaller."""
    normalize = normalization(normalize)

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start in range(0, len(examples), batch_size):
            stop = start + batch_size
            yield normalize(examples.images[start:stop]), examples.labels[start:stop]

    signature = (
        tf.TensorSpec((None, *examples.images.shape[1:]), tf.float32),
        tf.TensorSpec((None,), tf.int64),
    )
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    return dataset.map(lambda x, y: (x, tf.one_hot(y, num_classes))).prefetch(2)

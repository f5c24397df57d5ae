"""tf.data pipelines of pictures with boxes: augmented training examples, validation examples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from rnnpool_tf.datasets.boxes import BoxExample
from rnnpool_tf.datasets.pipeline import steps_per_epoch

_SIGNATURE = (
    tf.TensorSpec((), tf.string),
    tf.TensorSpec((None, 4), tf.float32),
    tf.TensorSpec((2,), tf.int64),
)


def box_training_pipeline(
    examples: Sequence[BoxExample],
    augment: Callable,
    target: Callable,
    batch_size: int,
    *,
    seed: int = 0,
    first_epoch: int = 0,
    shard: tuple[int, int] = (0, 1),
) -> tf.data.Dataset:
    """Endless batches for training a detector.

    Every epoch is a new permutation; a picture without boxes is replaced by a random one that has
    some. Epoch `e` depends on `(seed, e)` alone, so that a pipeline that starts at
    `first_epoch=e` continues exactly what a longer one would have delivered there.

    Args:
        examples: The training pictures.
        augment: `(uint8 image (h, w, 3), boxes in pixels (N, 4), seed (2,)) -> (float32 input,
            boxes (N, 4) in parts of it)`, see `augment_qvga`.
        target: Boxes (N, 4) to whatever the loss takes, of one example.
        batch_size: Examples per batch.
        seed: Of order and augmentation.
        first_epoch: Where to begin.
        shard: `(i, n)` yields part `i` of `n` of each epoch: one part per worker.

    Returns:
        A dataset of (inputs, targets).
    """
    index, count = shard
    usable = [example for example in examples if len(example.boxes)]
    steps = steps_per_epoch(examples, batch_size * count)
    if not usable:
        raise ValueError(
            f"`batch_size` must not exceed the {len(examples)} training images, some of which must "
            f"have boxes. Received: batch_size={batch_size * count}, {len(usable)} with boxes"
        )

    def rows() -> Iterator[tuple]:
        epoch = first_epoch
        while True:
            order = np.random.default_rng((seed, epoch)).permutation(len(examples))[index::count]
            rng = np.random.default_rng((seed, epoch, index))
            for row in order[: steps * batch_size]:
                other = usable[rng.integers(len(usable))]
                example = examples[row] if len(examples[row].boxes) else other
                yield example.read(), example.boxes, rng.integers(1 << 31, size=2)
            epoch += 1

    def prepare(encoded, boxes, seeds):
        image, boxes = augment(_decode(encoded), boxes, seeds)
        return image, target(boxes)

    data = tf.data.Dataset.from_generator(rows, output_signature=_SIGNATURE)
    data = data.map(prepare, num_parallel_calls=2, deterministic=True)
    return data.batch(batch_size, drop_remainder=True).prefetch(2)


def box_validation_pipeline(
    examples: Sequence[BoxExample], fit: Callable, target: Callable, batch_size: int
) -> tf.data.Dataset:
    """All pictures once, in order, through `fit(image, boxes)`; the last batch possibly smaller."""

    def rows() -> Iterator[tuple]:
        for example in examples:
            yield example.read(), example.boxes, np.zeros(2, np.int64)

    data = tf.data.Dataset.from_generator(rows, output_signature=_SIGNATURE)

    def prepare(encoded, boxes, _):
        image, boxes = fit(_decode(encoded), boxes)
        return image, target(boxes)

    return data.map(prepare, 2, deterministic=True).batch(batch_size).prefetch(2)


def fitted_images(
    examples: Sequence[BoxExample], fit: Callable, batch_size: int
) -> tf.data.Dataset:
    """Batches of the pictures alone through `fit(image, boxes)`, for calibration."""
    batches = box_validation_pipeline(examples, fit, tf.shape, batch_size)
    return batches.map(lambda images, _: images)


def _decode(encoded: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_image(encoded, channels=3, expand_animations=False)

"""Training of classifiers, and what they predict."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from rnnpool_tf._keras import keras
from rnnpool_tf.datasets.examples import Examples, ImageDataset
from rnnpool_tf.datasets.pipeline import steps_per_epoch, training_pipeline, validation_pipeline
from rnnpool_tf.datasets.preprocess import normalization
from rnnpool_tf.training.fitting import fit
from rnnpool_tf.training.recipe import Recipe


def train(
    build_model: Callable[[], keras.Model],
    dataset: ImageDataset,
    recipe: Recipe,
    output: str | os.PathLike,
    *,
    strategy: tf.distribute.Strategy | None = None,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 2,
) -> tuple[keras.Model, list[dict[str, float]]]:
    """Train the model that `build_model()` returns; `(model, history rows)`.

    Args:
        build_model: Makes the model: float32 [batch, size, size, channels] to logits [batch,
            classes]. Called within the strategy's scope, after seeding with `recipe.seed`.
        dataset: Pictures, see `rnnpool_tf.datasets.load_dataset`.
        recipe: The numbers.
        output: Folder for `checkpoints/`, `history.csv`, `history.json` and `tensorboard/`.
        strategy: From `make_strategy`; None is this process's default.
        resume: Continue from the checkpoints in `output`; without any, begin.
        callbacks: More Keras callbacks.
        verbose: As for `fit`.

    Returns:
        The trained model, and one dictionary per epoch: epoch (from 1), loss, accuracy, val_loss,
        val_accuracy, learning_rate, seconds.

    Raises:
        ValueError: A batch that is larger than the training set or no multiple of the devices, or
            a checkpoint of another network.

    Example:

    >>> from rnnpool_tf.datasets import load_dataset
    >>> from rnnpool_tf.models import visual_wake_words
    >>> model, rows = train(
    ...     lambda: visual_wake_words((96, 96, 3)), load_dataset("synthetic"), Recipe(), "run"
    ... )
    """
    steps = steps_per_epoch(dataset.train, recipe.batch_size)

    def training_data(model, batch_size, first_epoch, shard):
        return training_pipeline(
            dataset.train,
            dataset.image_size,
            batch_size,
            normalize=recipe.normalization,
            crop_area=dataset.crop_area,
            seed=recipe.seed,
            first_epoch=first_epoch,
            shard=shard,
            num_classes=model.output_shape[-1],
        )

    def validation_data(model):
        return validation_pipeline(
            dataset.validation,
            recipe.batch_size,
            normalize=recipe.normalization,
            num_classes=model.output_shape[-1],
        )

    return fit(
        build_model,
        lambda _: {"loss": recipe.loss(), "metrics": ["accuracy"]},
        training_data,
        validation_data,
        steps,
        recipe,
        output,
        strategy=strategy,
        resume=resume,
        callbacks=callbacks,
        verbose=verbose,
    )


def predict(
    model: keras.Model, examples: Examples, normalize: str = "symmetric", batch_size: int = 64
) -> np.ndarray:
    """Logits [N, classes] of a Keras model on uint8 pictures that already have its input size."""
    images = normalization(normalize)(examples.images)
    return model.predict(images, batch_size=batch_size, verbose=0)


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Fraction of rows whose largest logit is at the label."""
    return float(np.mean(np.argmax(logits, axis=-1) == labels))

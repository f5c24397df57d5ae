"""Compile, fit, resume: the training loop of every example."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from rnnpool_tf._keras import keras
from rnnpool_tf.datasets.examples import Examples, ImageDataset
from rnnpool_tf.datasets.pipeline import steps_per_epoch, training_pipeline, validation_pipeline
from rnnpool_tf.datasets.preprocess import normalization
from rnnpool_tf.training.checkpoints import EpochCheckpoints
from rnnpool_tf.training.history import HistoryFiles
from rnnpool_tf.training.recipe import Recipe
from rnnpool_tf.training.strategy import is_chief


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
    output = Path(output)
    strategy = strategy or tf.distribute.get_strategy()
    chief = is_chief(strategy)
    replicas = strategy.num_replicas_in_sync
    if recipe.batch_size % replicas:
        raise ValueError(
            f"`batch_size` must be a multiple of the {replicas} devices. "
            f"Received: batch_size={recipe.batch_size}"
        )
    steps = steps_per_epoch(dataset.train, recipe.batch_size)
    keras.utils.set_random_seed(recipe.seed)
    with strategy.scope():
        model = build_model()
        classes = model.output_shape[-1]
        # Not through XLA: its CPU compiler takes more than ten minutes for the whole step.
        model.compile(
            recipe.optimizer(steps), recipe.loss(), metrics=["accuracy"], jit_compile=False
        )
        checkpoints = EpochCheckpoints(output / "checkpoints", chief, _worker_index(strategy))
        first_epoch = checkpoints.restore(model) if resume else 0
    history = HistoryFiles(output, first_epoch)
    followers = [checkpoints, *callbacks]
    if chief:
        # The history is written first: a row too many is dropped when resuming, a missing one not.
        followers = [history, *followers, *_tensorboard(output / "tensorboard")]

    def worker_data(context: tf.distribute.InputContext) -> tf.data.Dataset:
        return training_pipeline(
            dataset.train,
            dataset.image_size,
            context.get_per_replica_batch_size(recipe.batch_size),
            normalize=recipe.normalization,
            crop_area=dataset.crop_area,
            seed=recipe.seed,
            first_epoch=first_epoch,
            shard=(context.input_pipeline_id, context.num_input_pipelines),
            num_classes=classes,
        )

    if _is_default(strategy):
        data = worker_data(tf.distribute.InputContext())
    else:
        data = strategy.distribute_datasets_from_function(worker_data)
    model.fit(
        data,
        steps_per_epoch=steps,
        epochs=recipe.epochs,
        initial_epoch=first_epoch,
        validation_data=validation_pipeline(
            dataset.validation,
            recipe.batch_size,
            normalize=recipe.normalization,
            num_classes=classes,
        ),
        callbacks=followers,
        verbose=verbose if chief else 0,
    )
    return model, history.rows


def predict(
    model: keras.Model, examples: Examples, normalize: str = "symmetric", batch_size: int = 64
) -> np.ndarray:
    """Logits [N, classes] of a Keras model on uint8 pictures that already have its input size."""
    images = normalization(normalize)(examples.images)
    return model.predict(images, batch_size=batch_size, verbose=0)


def accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    """Fraction of rows whose largest logit is at the label."""
    return float(np.mean(np.argmax(logits, axis=-1) == labels))


def _tensorboard(folder: Path) -> list[keras.callbacks.Callback]:
    if importlib.util.find_spec("tensorboard") is None:
        print("no TensorBoard logs: the package tensorboard is not installed", flush=True)
        return []
    return [keras.callbacks.TensorBoard(str(folder), write_graph=False)]


def _is_default(strategy: tf.distribute.Strategy) -> bool:
    return strategy is tf.distribute.get_strategy()


def _worker_index(strategy: tf.distribute.Strategy) -> int:
    resolver = strategy.cluster_resolver
    return resolver.task_id if resolver is not None and resolver.task_id else 0

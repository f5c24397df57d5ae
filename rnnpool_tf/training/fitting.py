"""Compile, fit, resume: what every training has in common, whatever it trains."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import tensorflow as tf

from rnnpool_tf._keras import keras
from rnnpool_tf.training.checkpoints import EpochCheckpoints
from rnnpool_tf.training.history import HistoryFiles
from rnnpool_tf.training.recipe import Recipe
from rnnpool_tf.training.strategy import is_chief


def fit(
    build_model: Callable[[], keras.Model],
    compile_arguments: Callable[[keras.Model], dict],
    training_data: Callable[[keras.Model, int, int, tuple[int, int]], tf.data.Dataset],
    validation_data: Callable[[keras.Model], tf.data.Dataset],
    steps: int,
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
        build_model: Called within the strategy's scope, after seeding with `recipe.seed`.
        compile_arguments: Loss and metrics for the model's `compile`.
        training_data: `(model, batch size of one worker, first epoch, (worker, workers))` to
            endless batches.
        validation_data: All validation batches for the model.
        steps: Batches per epoch.
        recipe: The numbers.
        output: Folder for `checkpoints/`, `history.csv`, `history.json` and `tensorboard/`.
        strategy: From `make_strategy`; None is this process's default.
        resume: Continue from the checkpoints in `output`; without any, begin.
        callbacks: More Keras callbacks.
        verbose: As for Keras's `fit`.

    Raises:
        ValueError: A batch that is no multiple of the devices, or a checkpoint of another network.
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
    keras.utils.set_random_seed(recipe.seed)
    with strategy.scope():
        model = build_model()
        # Not through XLA: its CPU compiler takes more than ten minutes for the whole step.
        model.compile(recipe.optimizer(steps), **compile_arguments(model), jit_compile=False)
        checkpoints = EpochCheckpoints(output / "checkpoints", chief, _worker_index(strategy))
        first_epoch = checkpoints.restore(model) if resume else 0
    history = HistoryFiles(output, first_epoch)
    followers = [checkpoints, *callbacks]
    if chief:
        # The history is written first: a row too many is dropped when resuming, a missing one not.
        followers = [history, *followers, *_tensorboard(output / "tensorboard")]

    def worker_data(context: tf.distribute.InputContext) -> tf.data.Dataset:
        return training_data(
            model,
            context.get_per_replica_batch_size(recipe.batch_size),
            first_epoch,
            (context.input_pipeline_id, context.num_input_pipelines),
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
        validation_data=validation_data(model),
        callbacks=followers,
        verbose=verbose if chief else 0,
    )
    return model, history.rows


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

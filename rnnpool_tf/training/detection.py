"""Training of face detectors: multibox loss on the anchors of every picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import tensorflow as tf

from rnnpool_tf._keras import keras
from rnnpool_tf.datasets.box_pipeline import box_training_pipeline, box_validation_pipeline
from rnnpool_tf.datasets.boxes import BoxDataset
from rnnpool_tf.datasets.pipeline import steps_per_epoch
from rnnpool_tf.training.fitting import fit
from rnnpool_tf.training.history import read_history
from rnnpool_tf.training.recipe import Recipe
from rnnpool_tf.vision.anchors import AnchorLevel, make_anchors
from rnnpool_tf.vision.losses import BoxLoss, ConfidenceLoss
from rnnpool_tf.vision.matching import match

BEST_WEIGHTS = "best.weights.h5"


def train_detector(
    build_model: Callable[[], keras.Model],
    dataset: BoxDataset,
    levels: Sequence[AnchorLevel],
    augment: Callable,
    fit_picture: Callable,
    recipe: Recipe,
    output: str | os.PathLike,
    *,
    strategy: tf.distribute.Strategy | None = None,
    resume: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 2,
) -> tuple[keras.Model, list[dict[str, float]]]:
    """Train the detector that `build_model()` returns; `(model, history rows)`.

    Args:
        build_model: Makes the model: float32 (batch, height, width, channels) of a fixed size to
            the list [loc (batch, anchors, 4), conf (batch, anchors, 2)].
        dataset: Pictures with boxes.
        levels: Anchors of the network's levels.
        augment: Makes a training example, as `augment_qvga` with the network's size.
        fit_picture: Makes a validation example, as `fit_qvga` with the network's size.
        recipe: The numbers; its `normalization` is not used, `augment` does that.
        output, strategy, resume, callbacks, verbose: As for `rnnpool_tf.training.train`.

    Returns:
        The model with the weights of the epoch with the lowest validation loss, which are also in
        `output`/best.weights.h5, and one dictionary per epoch: epoch (from 1), loss, loc_loss,
        conf_loss (under Keras 3: box_loss, confidence_loss), the same with val_, learning_rate,
        seconds.

    Raises:
        ValueError: A batch that is larger than the training set or no multiple of the devices, or
            a checkpoint of another network.
    """
    output = Path(output)
    steps = steps_per_epoch(dataset.train, recipe.batch_size)
    output.mkdir(parents=True, exist_ok=True)

    def target(model):
        anchors = tf.constant(make_anchors(levels, *model.input_shape[1:3]))

        def of_boxes(boxes):
            offsets, positive = match(boxes, anchors)
            positive = tf.cast(positive, tf.float32)[:, tf.newaxis]
            return tf.concat((offsets, positive), 1), positive

        return of_boxes

    def training_data(model, batch_size, first_epoch, shard):
        return box_training_pipeline(
            dataset.train,
            augment,
            target(model),
            batch_size,
            seed=recipe.seed,
            first_epoch=first_epoch,
            shard=shard,
        )

    def validation_data(model):
        return box_validation_pipeline(
            dataset.validation, fit_picture, target(model), recipe.batch_size
        )

    best = output / BEST_WEIGHTS
    lowest = min((row["val_loss"] for row in read_history(output)), default=None)
    model, rows = fit(
        build_model,
        lambda _: {"loss": [BoxLoss(), ConfidenceLoss()]},
        training_data,
        validation_data,
        steps,
        recipe,
        output,
        strategy=strategy,
        resume=resume,
        callbacks=[
            keras.callbacks.ModelCheckpoint(
                str(best),
                save_best_only=True,
                save_weights_only=True,
                initial_value_threshold=lowest if resume else None,
            ),
            *callbacks,
        ],
        verbose=verbose,
    )
    model.load_weights(best)
    return model, rows

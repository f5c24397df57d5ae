"""Training of a detector: it learns, it goes on where it stopped, it keeps the best epoch."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from rnnpool_tf._keras import keras
from rnnpool_tf.datasets.load_boxes import load_boxes
from rnnpool_tf.datasets.qvga_augmentation import augment_qvga, fit_qvga
from rnnpool_tf.models import face_m4
from rnnpool_tf.training import Recipe
from rnnpool_tf.training.box_pictures import BoxPictures
from rnnpool_tf.training.detection import BEST_WEIGHTS, train_detector
from rnnpool_tf.vision.anchors import QVGA_LEVELS

pytestmark = pytest.mark.legacy_keras
SIZE = (64, 80)
RECIPE = Recipe(epochs=3, batch_size=4, learning_rate=0.02, clip_norm=10, seed=5)


class Interruption(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyboardInterrupt


def run(output, dataset, recipe=RECIPE, **options):
    return train_detector(
        lambda: face_m4((*SIZE, 1)),
        dataset,
        QVGA_LEVELS,
        partial(augment_qvga, size=SIZE),
        partial(fit_qvga, size=SIZE),
        recipe,
        output,
        verbose=0,
        **options,
    )


@pytest.fixture(scope="module")
def dataset():
    return load_boxes("synthetic:8:4")


@pytest.fixture(scope="module")
def uninterrupted(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    return *run(folder, dataset), folder


def test_it_learns_and_keeps_the_best_epoch(dataset, uninterrupted):
    model, rows, folder = uninterrupted
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert rows[-1]["loss"] < rows[0]["loss"]
    again = face_m4((*SIZE, 1))
    again.load_weights(folder / BEST_WEIGHTS)
    for one, two in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_resumed_training_ends_as_one_in_one_go(dataset, uninterrupted, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, dataset, callbacks=[Interruption()])
    _, rows = run(tmp_path, dataset, resume=True)
    for row, expected in zip(rows, uninterrupted[1], strict=True):
        # The threads of the gradients' sums may change their last bits.
        assert row["loss"] == pytest.approx(expected["loss"], rel=1e-3)
        assert row["val_loss"] == pytest.approx(expected["val_loss"], rel=1e-2)


def test_more_images_per_step_than_there_are(dataset, tmp_path):
    with pytest.raises(ValueError, match="`batch_size` must not exceed the 8 training images"):
        run(tmp_path, dataset, Recipe(epochs=1, batch_size=9))


def test_pictures_for_tensorboard(dataset, uninterrupted, tmp_path):
    pytest.importorskip("tensorboard", reason="needs the package tensorboard")
    callback = BoxPictures(tmp_path, dataset.validation[:2])
    callback.set_model(uninterrupted[0])
    callback.on_epoch_end(0)
    (events,) = (tmp_path / "pictures").iterdir()
    # Two pictures of 240×320 as PNG files within.
    assert events.read_bytes().count(b"\x89PNG") == 2

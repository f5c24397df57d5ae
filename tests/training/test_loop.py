"""Training: it learns, it can be interrupted, and every strategy does the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rnnpool_tf._keras import keras
from rnnpool_tf.training import Recipe, accuracy, is_chief, make_strategy, predict, train
from rnnpool_tf.training.history import read_history
from tests.training import tiny

pytestmark = pytest.mark.legacy_keras
RECIPE = Recipe(epochs=4, batch_size=8, learning_rate=0.05, label_smoothing=0.1, seed=3)


class Interruption(keras.callbacks.Callback):
    """Stops the process, as far as `train` can tell, after an epoch."""

    def __init__(self, after_epoch: int):
        super().__init__()
        self.after_epoch = after_epoch

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 == self.after_epoch:
            raise KeyboardInterrupt


def run(output: Path, recipe: Recipe = RECIPE, **options):
    return train(tiny.model, tiny.dataset(), recipe, output, verbose=0, **options)


def assert_same_weights(first, second, **tolerance) -> None:
    for one, two in zip(first.weights, second.weights, strict=True):
        np.testing.assert_allclose(one.numpy(), two.numpy(), err_msg=one.name, **tolerance)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """A training in one go: (model, rows, folder)."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    return *run(folder), folder


def test_learns(tmp_path):
    model, rows = run(tmp_path, Recipe(epochs=25, batch_size=8, learning_rate=0.2, seed=3))
    data = tiny.dataset()
    logits = predict(model, data.validation)
    assert logits.shape == (8, 2)
    assert accuracy(logits, data.validation.labels) == 1, f"seed 3, history {rows[-3:]}"


@pytest.mark.parametrize("done", [1, 3])
def test_resuming_continues_exactly(tmp_path, uninterrupted, done):
    model, rows, _ = uninterrupted
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, callbacks=[Interruption(done)])
    resumed, all_rows = run(tmp_path, resume=True)
    assert [row["epoch"] for row in all_rows] == [1, 2, 3, 4]
    # The same operations on the same numbers; only the order of threaded sums may differ.
    assert_same_weights(model, resumed, rtol=1e-5, atol=1e-6)
    for one, two in zip(rows, all_rows, strict=True):
        assert one["learning_rate"] == two["learning_rate"]
        assert one["loss"] == pytest.approx(two["loss"], rel=1e-4)


def test_resuming_a_finished_training_changes_nothing(uninterrupted):
    model, rows, folder = uninterrupted
    again, same_rows = run(folder, resume=True)
    assert same_rows == rows
    assert_same_weights(model, again, rtol=0)


def test_resuming_another_network_is_refused(tmp_path, uninterrupted):
    *_, folder = uninterrupted

    def other():
        return keras.Sequential(
            [keras.Input((tiny.SIZE, tiny.SIZE, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]
        )

    with pytest.raises(ValueError, match="must belong to the same network"):
        train(other, tiny.dataset(), RECIPE, folder, resume=True, verbose=0)


def test_files(uninterrupted):
    _, rows, folder = uninterrupted
    assert read_history(folder) == rows == json.loads((folder / "history.json").read_text())
    lines = (folder / "history.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds"
    assert len(lines) == 1 + RECIPE.epochs
    assert 0 <= rows[-1]["learning_rate"] < RECIPE.learning_rate / 20
    logs = list((folder / "tensorboard").rglob("events.out.tfevents.*"))
    assert {log.parent.name for log in logs} == {"train", "validation"}


def test_mirrored_is_the_same_training(tmp_path, uninterrupted):
    strategy = make_strategy("mirrored")
    assert is_chief(strategy)
    mirrored, _ = run(tmp_path, strategy=strategy)
    # One device here: the strategy only adds its reductions.
    assert_same_weights(uninterrupted[0], mirrored, rtol=1e-4, atol=1e-5)


WORKER = """
import sys
import numpy as np
from rnnpool_tf.training import make_strategy
strategy = make_strategy("multi-worker")
from pathlib import Path
from tests.training.test_loop import run
model, rows = run(Path(sys.argv[1]), strategy=strategy)
np.savez(sys.argv[2], *[weight.numpy() for weight in model.weights])
"""


def test_multi_worker_with_one_worker(tmp_path, uninterrupted):
    """In a process of its own: the strategy must be made before anything else."""
    config = {
        "cluster": {"worker": ["localhost:0"]},
        "task": {"type": "worker", "index": 0},
    }
    environment = os.environ | {"TF_CONFIG": json.dumps(config), "TF_USE_LEGACY_KERAS": "1"}
    root = Path(__file__).resolve().parents[2]
    saved = tmp_path / "weights.npz"
    done = subprocess.run(
        [sys.executable, "-c", WORKER, str(tmp_path / "run"), str(saved)],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert [row["epoch"] for row in read_history(tmp_path / "run")] == [1, 2, 3, 4]
    with np.load(saved) as weights:
        for weight, name in zip(uninterrupted[0].weights, weights.files, strict=True):
            np.testing.assert_allclose(
                weights[name], weight.numpy(), rtol=1e-4, atol=1e-5, err_msg=weight.name
            )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make_strategy("tpu"), "strategy='tpu'"),
        (lambda: Recipe(epochs=0), "epochs=0"),
        (lambda: Recipe(batch_size=0), "batch_size=0"),
        (lambda: Recipe(learning_rate=0), "learning_rate=0"),
        (lambda: Recipe(momentum=1), "momentum=1"),
        (lambda: Recipe(clip_norm=0), "clip_norm=0"),
        (lambda: Recipe(epochs=2, warmup_epochs=2), "warmup_epochs=2, epochs=2"),
        (lambda: run(Path("unused"), Recipe(batch_size=25)), "Received: batch_size=25"),
    ],
    ids=["strategy", "epochs", "batch", "rate", "momentum", "clip", "warmup", "batch too large"],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    "text",
    [None, "{", "{}", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}'],
    ids=["absent", "no JSON", "empty", "no such worker"],
)
def test_bad_tf_config_is_named(monkeypatch, text):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if text is not None:
        monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="must find TF_CONFIG in the environment"):
        make_strategy("multi-worker")

"""The multibox loss: the reference's values, hard negatives by plain loops, gradients, Keras."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from rnnpool_tf._keras import keras
from rnnpool_tf.vision.losses import BoxLoss, ConfidenceLoss
from rnnpool_tf.vision.matching import match


def slow_confidence_loss(positive, logits) -> float:
    total = count = 0
    for faces, scores in zip(positive[..., 0], logits.astype(np.float64), strict=True):
        loss = np.logaddexp(scores[:, 0], scores[:, 1]) - scores[:, 0]
        found = np.logaddexp(scores[:, 0], scores[:, 1]) - scores[:, 1]
        total += found[faces > 0].sum()
        mined = min(3 * int(faces.sum()), len(faces) - 1)
        total += np.sort(loss[faces == 0])[::-1][:mined].sum()
        count += int(faces.sum())
    return total / (count or len(positive))


def test_reference(golden):
    arrays = golden("face_multibox_match_loss.npz")
    targets = [match(arrays[f"gt{i}"][:, :4], arrays["priors_cxcywh"]) for i in range(2)]
    offsets = np.stack([offsets for offsets, _ in targets])
    positive = np.stack([mask for _, mask in targets]).astype(np.float32)[..., None]
    truth = np.concatenate((offsets, positive), -1)
    # float32 sums of thousands of terms in another order.
    assert float(BoxLoss()(truth, arrays["loc"])) == pytest.approx(arrays["loss_loc"], rel=1e-6)
    loss = float(ConfidenceLoss()(positive, arrays["conf"]))
    assert loss == pytest.approx(arrays["loss_conf"], rel=1e-6)


@pytest.mark.parametrize("share", [0, 0.02, 0.5, 1])
def test_confidence_equals_plain_loops(share):
    for seed in range(3):
        print(f"seed {seed}")
        rng = np.random.default_rng(seed)
        positive = (rng.uniform(size=(4, 60, 1)) < share).astype(np.float32)
        logits = rng.normal(0, 3, (4, 60, 2)).astype(np.float32)
        expected = slow_confidence_loss(positive, logits)
        assert float(ConfidenceLoss()(positive, logits)) == pytest.approx(expected, rel=1e-5)


def test_box_loss_of_both_branches():
    truth = np.float32([[[0, 0, 0, 0, 1], [0, 0, 0, 0, 1]]])
    found = np.float32([[[0.5, -0.5, 0, 0], [3, -3, 1, 0]]])
    expected = (2 * 0.125 + 2 * 2.5 + 0.5) / 2
    assert float(BoxLoss()(truth, found)) == pytest.approx(expected)


@pytest.mark.parametrize("faces", [0, 3])
def test_anchors_without_a_face_give_finite_gradients(faces):
    """Whatever their offsets are, and however sure the network is."""
    rng = np.random.default_rng(5)
    truth = rng.normal(size=(2, 20, 5)).astype(np.float32)
    truth[..., 4] = 0
    truth[:, :faces, 4] = 1
    truth[:, faces:, :4] = 3e38
    found = tf.Variable(rng.normal(size=(2, 20, 4)).astype(np.float32))
    logits = tf.Variable(rng.choice([-200, 0, 200], (2, 20, 2)).astype(np.float32))
    with tf.GradientTape() as tape:
        loss = BoxLoss()(truth, found) + ConfidenceLoss()(truth[..., 4:], logits)
    assert np.isfinite(loss.numpy())
    of_boxes, of_logits = tape.gradient(loss, (found, logits))
    assert np.isfinite(of_boxes).all() and np.isfinite(of_logits).all()
    assert not of_boxes.numpy()[:, faces:].any()
    assert of_boxes.numpy()[:, :faces].all()


@pytest.mark.parametrize("loss", [BoxLoss, ConfidenceLoss])
def test_losses_can_be_saved(loss):
    config = keras.losses.serialize(loss())
    again = keras.losses.deserialize(config)
    assert isinstance(again, loss) and again.name == loss().name


def test_a_model_trains_with_both_losses():
    keras.utils.set_random_seed(0)
    image = keras.Input((8,))
    boxes = keras.layers.Reshape((6, 4))(keras.layers.Dense(24)(image))
    classes = keras.layers.Reshape((6, 2))(keras.layers.Dense(12)(image))
    model = keras.Model(image, [boxes, classes])
    model.compile("sgd", loss=[BoxLoss(), ConfidenceLoss()])
    rng = np.random.default_rng(6)
    truth = rng.normal(size=(4, 6, 5)).astype(np.float32)
    truth[..., 4] = rng.integers(0, 2, (4, 6))
    data = tf.data.Dataset.from_tensors(
        (rng.normal(size=(4, 8)).astype(np.float32), (truth, truth[..., 4:]))
    )
    losses = model.fit(data.repeat(20), steps_per_epoch=5, epochs=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0]

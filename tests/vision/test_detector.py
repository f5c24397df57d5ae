"""One call from picture to boxes, for Keras models and .tflite files."""

from __future__ import annotations

import numpy as np
import pytest

import rnnpool_tf
from rnnpool_tf._keras import keras
from rnnpool_tf.datasets import normalization
from rnnpool_tf.models import detection_levels, face_m4, mobilenet_v2
from rnnpool_tf.vision.anchors import QVGA_LEVELS, make_anchors
from rnnpool_tf.vision.decoding import detections
from rnnpool_tf.vision.detector import Detector

SEED = 20261130
SIZE = (96, 128)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(SEED)
    return face_m4((*SIZE, 1))


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(SEED).integers(0, 256, (*SIZE, 3), np.uint8)


def test_is_network_and_decoding_of_the_prepared_picture(model, image):
    detector = Detector(model)
    x = normalization("faces")(detector.frame(image).pixels)[np.newaxis]
    loc, conf = (np.asarray(value)[0] for value in model(x, training=False))
    expected = detections(loc, conf, make_anchors(QVGA_LEVELS, *SIZE), score_threshold=0.05)
    expected[:, 1:] *= (SIZE[1], SIZE[0]) * 2
    received = detector(image)
    assert len(received) > 0
    np.testing.assert_allclose(received, expected, rtol=1e-5, atol=1e-4)  # pixels in float32


def test_float_tflite_finds_the_same(model, image):
    expected = Detector(model)(image)
    for network in (model, detection_levels(model)):
        received = Detector(rnnpool_tf.convert(network))(image)
        assert received.shape == expected.shape
        np.testing.assert_allclose(received, expected, rtol=1e-4, atol=1e-2)  # hundredths of pixels


def test_any_size_sees_the_picture_as_it_is(model, image):
    open_size = face_m4((None, None, 1))
    open_size.set_weights(model.get_weights())
    detector = Detector(open_size)
    assert detector.input_size == (None, None)
    np.testing.assert_allclose(detector(image), Detector(model)(image), rtol=1e-4, atol=1e-2)
    odd = detector(image[:67, :101])
    assert odd.shape[1] == 5 and np.isfinite(odd).all()


def test_grey_picture_is_the_coloured_one_without_colours(model, image):
    grey = image[..., 0]
    expected = Detector(model)(np.repeat(grey[..., np.newaxis], 3, 2))
    np.testing.assert_allclose(Detector(model)(grey), expected, atol=0.5)  # luma rounds


def test_other_networks_are_refused():
    with pytest.raises(ValueError, match="must give a detector's outputs"):
        Detector(mobilenet_v2((32, 32, 1)))
    with pytest.raises(ValueError, match="`model` must take one picture"):
        Detector(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]))


def test_wrong_levels_are_refused(model, image):
    with pytest.raises(ValueError, match="must have 96 anchors for 96x128 pixels"):
        Detector(model, levels=QVGA_LEVELS[2:])(image)


@pytest.mark.parametrize(
    "thresholds",
    [{"score_threshold": 1.5}, {"score_threshold": -0.1}, {"iou_threshold": 2.0}],
    ids=str,
)
def test_thresholds_out_of_range_are_refused(model, thresholds):
    with pytest.raises(ValueError, match=rf"`{next(iter(thresholds))}` must be .*Received: "):
        Detector(model, **thresholds)

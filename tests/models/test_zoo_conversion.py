"""Representatives of the zoo, small, through the converter and both engines."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf import RNNPoolLayer, Runtime, convert
from rnnpool_tf._keras import keras
from rnnpool_tf.layers import RecurrentPoolLayer, ReNetLayer
from rnnpool_tf.models import build
from tests.examples.scripts import Example

pytestmark = pytest.mark.keras3
SEED = 5


def pictures(size):
    rng = np.random.default_rng(SEED)
    shades = rng.normal(size=(8, 4, 4, 3)).repeat(size // 4, 1).repeat(size // 4, 2)
    return np.clip(shades + rng.normal(0, 0.2, shades.shape), -1, 1).astype(np.float32)


def with_random_weights(model, images):
    """Pools that use their range, and BatchNormalization that knows the pictures."""
    rng = np.random.default_rng(SEED)
    for layer in model.layers:
        if isinstance(layer, RNNPoolLayer | ReNetLayer | RecurrentPoolLayer):
            for weight in layer.weights:
                deviation = 0.3 if len(weight.shape) == 1 else weight.shape[0] ** -0.5
                weight.assign(rng.normal(0, deviation, weight.shape))
    model(images, training=True)
    return model


def signal_to_noise(signal, received):
    return 10 * np.log10(np.sum(signal**2) / np.sum((signal - received) ** 2))


@pytest.mark.parametrize(
    ("name", "least_db"),
    [
        # Random weights through up to 60 layers; a wrong scale or a lost operator leaves no signal.
        ("resnet18_rnnpool", 3),
        ("googlenet_rnnpool", 3),
        # Its gates multiply the noise of untrained maps: less than 1 dB is left here.
        ("efficientnet_b0_rnnpool", None),
    ],
)
def test_both_engines_agree(name, least_db):
    pytest.importorskip("tflite_micro", reason="needs the package tflite_micro")
    images = pictures(32)
    keras.utils.set_random_seed(SEED)
    model = build(name, input_shape=(32, 32, 3), num_classes=4, batch_norm_momentum=0.0)
    expected = np.asarray(with_random_weights(model, images)(images))
    # float32 sums in another order, through up to 60 layers.
    floats = Runtime(convert(model)).predict(images)
    assert np.abs(floats - expected).max() <= 1e-4 * np.abs(expected).max(), f"seed {SEED}"
    data = convert(model, calibration=images)
    micro = Runtime(data, engine="tflm").predict(images)
    desktop = Runtime(data, reference_kernels=True)
    # FULLY_CONNECTED is the one reference kernel that rounds otherwise than TensorFlow Lite Micro.
    step = desktop.output_details[0].scale
    assert np.abs(micro - desktop.predict(images)).max() <= 1.01 * step, f"seed {SEED}"
    if least_db is not None:
        found = signal_to_noise(expected, micro)
        assert found > least_db, f"{found:.1f} dB, seed {SEED}"


def pooled(layer):
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    return keras.Model(inputs, layer(x))


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("kind", ["pool", "renet"])
def test_recurrent_pools_become_built_in_operators(kind, cell):
    pytest.importorskip("tflite_micro", reason="needs the package tflite_micro")
    layer = ReNetLayer(4, 4, cell)
    if kind == "pool":
        layer = RecurrentPoolLayer(4, 4, 6, 4, "replicate", cell)
    images = pictures(16)
    model = with_random_weights(pooled(layer), images)
    data = convert(model, calibration=images)
    assert b"RNNPool" not in data and b"While" not in data
    micro = Runtime(data, engine="tflm").predict(images)
    # Every step of a sweep rounds its state to 8 bits; a wrong operator leaves no signal at all.
    assert signal_to_noise(np.asarray(model(images)), micro) > 6, f"seed {SEED}"


def test_batch_norm_and_concatenation_behind_rnnpool():
    """As in DenseNet: the map has two readers, and its BatchNormalization no convolution."""
    pytest.importorskip("tflite_micro", reason="needs the package tflite_micro")
    inputs = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
    x = RNNPoolLayer(4, 4, 4, 2, "replicate")(x)
    y = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.0)(x))
    y = keras.layers.Conv2D(4, 3, padding="same")(y)
    y = keras.layers.Concatenate()([x, y])
    images = pictures(16)
    model = with_random_weights(keras.Model(inputs, y), images)
    data = convert(model, calibration=images)
    micro = Runtime(data, engine="tflm").predict(images)
    np.testing.assert_array_equal(micro, Runtime(data, reference_kernels=True).predict(images))
    # Six operators in a row with 8 bits each; a wrong factor of the MUL leaves no signal.
    assert signal_to_noise(np.asarray(model(images)), micro) > 10, f"seed {SEED}"


def test_bad_arguments_of_the_script():
    result = Example("model_zoo").run("check.py", "resnet50")
    assert result.returncode != 0 and "NETWORK must be one of" in result.stderr

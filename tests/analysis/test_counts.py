"""Counts against the golden counts and against Keras's own parameter count."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rnnpool_tf._keras import keras
from rnnpool_tf.analysis import count
from rnnpool_tf.layers import RNNPoolLayer
from rnnpool_tf.models import visual_wake_words


@pytest.fixture(scope="module")
def golden_counts(shared_dir):
    return json.loads((shared_dir / "golden" / "counts.json").read_text())


def test_visual_wake_words_224(golden_counts):
    counted, expected = count(visual_wake_words()), golden_counts["vww_rnnpool_224"]
    assert counted.weights == expected["weights"]
    assert counted.batch_norm == expected["bn"]
    assert counted.bias == expected["bias"]
    assert counted.madds == expected["madds"]
    assert counted.params == expected["params"]


@pytest.mark.parametrize("size", [96, 128, 160, 192, 224])
def test_visual_wake_words_madds(golden_counts, size):
    counted, expected = (
        count(visual_wake_words((size, size, 3))),
        golden_counts[f"vww_madds_{size}"],
    )
    (pool,) = (layer for layer in counted.layers if layer.kind == "RNNPoolLayer")
    assert counted.madds - pool.madds == expected["conv_and_fc"]
    assert pool.madds == expected["rnnpool_straight"]
    assert pool.madds_shared == expected["rnnpool_shared_wx"]
    assert np.prod(pool.output_shape) == expected["rnnpool_out_bytes_int8"]


@pytest.mark.parametrize("pooling", ["rnnpool", "strided_conv", "max", "average"])
def test_parameters_equal_keras(pooling):
    model = visual_wake_words((96, 96, 1), pooling=pooling, trainable_zeta_nu=True)
    assert count(model).params == sum(int(np.prod(w.shape)) for w in model.trainable_weights)


OTHER_LAYERS = {
    "separable": (
        lambda: keras.layers.SeparableConv2D(5, 3, 2, "same", depth_multiplier=2),
        4 * 4 * 84,
    ),
    "transposed": (lambda: keras.layers.Conv2DTranspose(5, 3, 2, use_bias=False), 64 * 9 * 3 * 5),
    "layer normalisation": (lambda: keras.layers.LayerNormalization(), 0),
    "group normalisation": (lambda: keras.layers.GroupNormalization(1), 0),
    "normalisation": (lambda: keras.layers.Normalization(mean=[0, 1, 2], variance=[1, 1, 1]), 0),
    "prelu": (lambda: keras.layers.PReLU(), 0),
}


@pytest.mark.parametrize("name", OTHER_LAYERS)
def test_layers_of_networks_that_are_not_ours(name):
    make, madds = OTHER_LAYERS[name]
    model = keras.Sequential([keras.Input((8, 8, 3)), make()])
    counted = count(model)
    assert counted.params == sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert counted.madds == counted.madds_shared == counted.madds_executed == madds


def test_frozen_layers_count():
    model = visual_wake_words((96, 96, 3))
    params = count(model).params
    model.trainable = False
    assert count(model).params == params


def test_rectangular_patch_by_hand():
    inputs = keras.Input((5, 9, 3))
    model = keras.Model(inputs, RNNPoolLayer(2, 4, (2, 3), (3, 3))(inputs))
    counted = count(model)
    rnn1, rnn2 = 2 * (3 + 2), 4 * (2 + 4)
    # 2 × 3 patches; RNN1 visits 6 pixels twice, RNN2 5 summaries in both directions.
    assert counted.madds == 6 * (2 * 6 * rnn1 + 2 * 5 * rnn2)


def test_unknown_size_and_unknown_layer():
    inputs = keras.Input((None, None, 3))
    with pytest.raises(ValueError, match="known input size"):
        count(keras.Model(inputs, RNNPoolLayer(2, 4, 3)(inputs)))
    inputs = keras.Input((4, 4, 3))
    with pytest.raises(ValueError, match="Received: einsum of type EinsumDense"):
        layer = keras.layers.EinsumDense("abcd,de->abce", (4, 4, 2), name="einsum")
        count(keras.Model(inputs, layer(inputs)))

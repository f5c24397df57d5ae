"""Summaries of models: the paper's worked examples, Keras against .tflite, and bad input."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from rnnpool_tf._keras import keras
from rnnpool_tf.analysis import summarize_file, summarize_model
from rnnpool_tf.analysis.conventions import Parts
from rnnpool_tf.analysis.keras_calls import calls_of
from rnnpool_tf.analysis.keras_network import keras_network
from rnnpool_tf.conversion import convert, fuse_model
from rnnpool_tf.layers import RNNPoolLayer
from rnnpool_tf.models import (
    build,
    face_a,
    face_b,
    face_c,
    face_m4,
    face_quant,
    mobilenet_v2,
    visual_wake_words,
)

layers = keras.layers


def conv(x, filters, kernel=3, strides=1, relu=True):
    x = layers.Conv2D(filters, kernel, strides, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if relu else x


def stem():
    inputs = keras.Input((224, 224, 3))
    return inputs, conv(inputs, 64, 7, 2)


def max_pool(x):
    return layers.MaxPooling2D(3, 2, padding="same")(x)


def basic_block(x, filters, strides=1):
    y = conv(conv(x, filters, 3, strides), filters, relu=False)
    if strides != 1:
        x = conv(x, filters, 1, strides, relu=False)
    return layers.ReLU()(layers.Add()([x, y]))


def dense_layers(x, count):
    for _ in range(count):
        y = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.Concatenate()([x, conv(conv(y, 128, 1), 32, relu=False)])
    return x


def inception(x, one, three, five, pooled):
    return layers.Concatenate()(
        [
            conv(x, one, 1),
            conv(conv(x, three[0], 1), three[1]),
            conv(conv(x, five[0], 1), five[1], 5),
            conv(layers.MaxPooling2D(3, 1, padding="same")(x), pooled, 1),
        ]
    )


def gated_block(x, filters, strides=1):
    """EfficientNet's inverted residual, with squeeze and excite."""
    channels = x.shape[-1]
    y = layers.Activation("swish")(conv(x, 6 * channels, 1, relu=False))
    y = layers.DepthwiseConv2D(3, strides, padding="same", use_bias=False)(y)
    y = layers.Activation("swish")(layers.BatchNormalization()(y))
    gate = layers.Reshape((1, 1, 6 * channels))(layers.GlobalAveragePooling2D()(y))
    gate = layers.Conv2D(channels // 4, 1, activation="swish")(gate)
    y = layers.Multiply()([y, layers.Conv2D(6 * channels, 1, activation="sigmoid")(gate)])
    y = conv(y, filters, 1, relu=False)
    return layers.Add()([x, y]) if strides == 1 else y


def classifier(inputs, x):
    return keras.Model(inputs, layers.Dense(10)(layers.GlobalAveragePooling2D()(x)))


@cache
def resnet():
    inputs, x = stem()
    x = basic_block(basic_block(max_pool(x), 64), 128, 2)
    return classifier(inputs, basic_block(x, 256, 2))


def resnet_rnnpool():
    inputs, x = stem()
    x = RNNPoolLayer(32, 32, 8, 4, "replicate")(x)
    return classifier(inputs, basic_block(basic_block(x, 256, 2), 256))


@cache
def densenet():
    inputs, x = stem()
    x = dense_layers(max_pool(x), 6)
    x = layers.AveragePooling2D(2)(conv(x, 128, 1))
    return classifier(inputs, dense_layers(x, 12))


def densenet_rnnpool():
    inputs, x = stem()
    x = RNNPoolLayer(48, 48, 8, 4, "replicate")(x)
    x = layers.AveragePooling2D(2)(conv(x, 256, 1))
    return classifier(inputs, dense_layers(x, 24))


@cache
def googlenet():
    inputs, x = stem()
    x = max_pool(conv(conv(max_pool(x), 64, 1), 192))
    x = inception(x, 64, (96, 128), (16, 32), 32)
    x = inception(x, 128, (128, 192), (32, 96), 64)
    return classifier(inputs, max_pool(x))


@cache
def googlenet_rnnpool():
    """The end of the stage of 14×14, with the block (4e) that needs the most."""
    inputs, x = stem()
    x = max_pool(RNNPoolLayer(32, 32, 8, 4, "replicate")(x))
    x = inception(x, 112, (144, 288), (32, 64), 64)
    x = inception(x, 256, (160, 320), (32, 128), 128)
    return classifier(inputs, max_pool(x))


@cache
def efficientnet_rnnpool():
    inputs, x = stem()
    x = RNNPoolLayer(16, 16, 6, 4, "replicate")(x)
    return classifier(inputs, gated_block(gated_block(x, 80, 2), 80))


def separable(x, filters, strides=1):
    """MobileNetV1's layers: an activation behind the 1×1 convolution, too."""
    x = layers.DepthwiseConv2D(3, strides, padding="same", use_bias=False)(x)
    return conv(layers.ReLU(6.0)(layers.BatchNormalization()(x)), filters, 1)


def mobilenet_v1():
    inputs = keras.Input((224, 224, 3))
    return classifier(inputs, separable(separable(conv(inputs, 32, 3, 2), 64), 128, 2))


def mobilenet_v1_rnnpool():
    inputs = keras.Input((224, 224, 3))
    x = RNNPoolLayer(16, 16, 6, 4, "replicate")(conv(inputs, 32, 3, 2))
    return classifier(inputs, separable(separable(x, 256), 512, 2))


@cache
def large_mobilenet_v2():
    return mobilenet_v2(width=1.0, stem_filters=32)


# Bytes of an element, and what appendix E.2 of the paper works out, in elements.
WORKED = {
    "mobilenet_v2": (large_mobilenet_v2, 4, 112**2 * (32 + 16)),
    "efficientnet_rnnpool": (efficientnet_rnnpool, 4, 28**2 * 64 + 14**2 * 80),
    "resnet": (resnet, 4, 112**2 * 64),
    "resnet_rnnpool": (resnet_rnnpool, 4, 28**2 * 128),
    "densenet": (densenet, 4, 112**2 * 64),
    "densenet_rnnpool": (densenet_rnnpool, 4, 14**2 * 1024),
    "googlenet": (googlenet, 4, 112**2 * 64),
    "googlenet_rnnpool": (googlenet_rnnpool, 4, 14**2 * (528 + 128 + 128 + 256)),
    "mobilenet_v1": (mobilenet_v1, 4, 112**2 * 64),
    "mobilenet_v1_rnnpool": (mobilenet_v1_rnnpool, 4, 28**2 * 256),
    "face_a": (face_a, 4, 120 * 160 * 16),
    "face_b": (face_b, 4, 120 * 160 * 24),
    "face_c": (face_c, 4, 120 * 160 * (64 + 24)),
    "face_quant": (face_quant, 1, 60 * 80 * (32 + 16)),
    "face_m4": (face_m4, 1, 30 * 40 * (64 + 32)),
    # Table 16 (d) and (g): 0.14 and 0.19 MB.
    "hidden8": (lambda: build("mobilenet_v2_rnnpool_hidden8"), 4, 28**2 * 32 + 14**2 * 64),
    "two_rnnpools": (lambda: build("mobilenet_v2_rnnpool_deeper_twice"), 4, 28**2 * 64),
    "visual_wake_words": (visual_wake_words, 1, 28**2 * 32 + 14**2 * 24),
}


@pytest.mark.parametrize("name", WORKED)
def test_worked_examples_of_the_paper(name):
    make, element_bytes, elements = WORKED[name]
    summary = summarize_model(make(), element_bytes=element_bytes)
    assert summary.paper.bytes == element_bytes * elements
    assert summary.bounds.streamed.bytes <= summary.bounds.resident.bytes


def part(model, first, last) -> int:
    """Elements that the shortest part between two maps needs, given by their sizes."""
    network = keras_network(*calls_of(model), 4)
    sizes = [str(node.output) for node in network.nodes]
    found = {
        end - start: resident
        for (start, end), (resident, _) in Parts(network).needs.items()
        if (sizes[start], sizes[end]) == (first, last)
    }
    return found[min(found)]


def test_parts_that_the_paper_works_out_for_its_lower_bounds():
    """Appendix E.1.2. Of MobileNetV2 without the 1×1 expansion by factor 1 that the paper counts,
    and no network has: 112·2·32 elements less."""
    assert part(large_mobilenet_v2(), "224x224x3", "112x112x16") == 218_400 - 112 * 2 * 32
    assert part(resnet(), "224x224x3", "56x56x64") == 212_576
    assert part(googlenet(), "28x28x256", "14x14x480") == 264_768


def test_dense_layers_that_the_paper_works_out():
    """Rows of what 1×1 and 3×3 convolutions make, 12 to 2 and 10 to 2; the paper's 2.38 MB is not
    what its own terms add up to, 2.28 MiB."""
    rows = 56 * (128 * (12 + 10 + 8 + 6 + 4 + 2) + 32 * (10 + 8 + 6 + 4 + 2))
    assert part(densenet(), "56x56x64", "28x28x128") == 56**2 * 64 + 28 * 12 * 128 + rows


def test_bounds_of_networks_with_branches():
    """At most what the paper's ways to cut give, 2.283 and 1.010 MiB. Of ResNet the paper leaves
    out the block behind its 212,576: 5 rows of its input are shared (of 7, by 2), not 3."""
    block = 56**2 * 64 + 5 * 28 * 128 + 2 * 28 * 128
    assert summarize_model(resnet()).bounds.resident.bytes == 4 * block
    assert summarize_model(densenet()).bounds.resident.bytes <= 4 * 598_528
    assert summarize_model(googlenet()).bounds.resident.bytes <= 4 * 264_768


def test_blocks_are_named():
    kinds = {block.kind for block in summarize_model(googlenet_rnnpool()).blocks}
    assert kinds == {"stem", "RNNPool", "layer", "inception"}
    dense = [block for block in summarize_model(densenet()).blocks if block.kind == "dense"]
    assert [str(block) for block in dense] == ["56x56x64 → 56x56x256", "28x28x128 → 28x28x512"]
    gated = summarize_model(efficientnet_rnnpool()).blocks
    assert [block.kind for block in gated][2:4] == ["inverted residual"] * 2


def test_only_global_pooling_shortens_a_convolution():
    """A channel is pooled as soon as it is computed; Dense behind Flatten needs the whole map."""
    peaks = {}
    for name, ending in (
        ("pooled", [layers.GlobalAveragePooling2D()]),
        ("flattened", [layers.Flatten()]),
    ):
        start = [keras.Input((16, 16, 3)), layers.Conv2D(8, 3, 2, padding="same")]
        middle = [layers.Conv2D(32, 3, padding="same")]
        model = keras.Sequential([*start, *middle, *ending, layers.Dense(10)])
        peaks[name] = summarize_model(model, element_bytes=1).paper.bytes
    assert peaks == {"pooled": 8 * 8 * 8 + 32, "flattened": 8 * 8 * 32}


def test_branches_of_no_known_kind_count_what_is_needed_at_once():
    inputs = keras.Input((8, 8, 4))
    a = layers.Conv2D(10, 3, padding="same")(inputs)
    b = layers.Conv2D(20, 3, padding="same")(a)
    c = layers.DepthwiseConv2D(3, padding="same")(a)
    d = layers.Concatenate()([layers.Add()([layers.Conv2D(10, 1)(b), c]), c])
    (block, *_) = [one for one in summarize_model(keras.Model(inputs, d)).blocks[1:]]
    assert block.kind == "branches"
    # Either a, b and c or, in the other order, a, c and b; then b, c and the projection.
    assert block.elements == 64 * (10 + 20 + 10)


def nested():
    inner_inputs = keras.Input((16, 16, 8))
    inner = keras.Model(
        inner_inputs, layers.Conv2D(8, 3, padding="same", name="same")(inner_inputs), name="in"
    )
    tail = keras.Sequential([keras.Input((16, 16, 8)), layers.Conv2D(4, 1, name="tail")], name="t")
    inputs = keras.Input((16, 16, 8))
    return keras.Model(inputs, tail(inner(inner(inputs))))


def test_models_within_the_model_are_taken_apart():
    model = nested()
    summary = summarize_model(model)
    assert [layer.name for layer in summary.layers][1:] == ["in/same", "in/same", "t/tail"]
    assert summary.count.params == sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert summary.count.madds == 256 * (2 * 9 * 64 + 32)
    assert [block.elements for block in summary.blocks] == [256 * 8] * 3


def test_keras_and_tflite_agree():
    """Folding BatchNorm takes γ and β and leaves a bias; ReLUs become part of convolutions."""
    model = visual_wake_words((64, 64, 3))
    rng = np.random.default_rng(6400)
    images = rng.uniform(-1, 1, (2, 64, 64, 3)).astype(np.float32)
    unfused = convert(model, calibration=images, fuse="none")
    expected = summarize_model(model, element_bytes=1)
    for data in (unfused, fuse_model(unfused)):
        found = summarize_file(data)
        assert found.paper == expected.paper
        assert found.bounds == expected.bounds
        assert found.count.weights == expected.count.weights
        assert found.count.madds == expected.count.madds
        assert found.count.madds_shared == expected.count.madds_shared
        assert found.count.madds_executed == expected.count.madds_executed
        assert [b.elements for b in found.blocks] == [b.elements for b in expected.blocks]
    float_file = summarize_file(convert(model, quantize=False))
    assert float_file.paper.bytes == 4 * expected.paper.bytes


def test_element_bytes_multiply():
    one, four = (summarize_model(mobilenet_v2((64, 64, 3)), element_bytes=n) for n in (1, 4))
    assert four.paper.bytes == 4 * one.paper.bytes
    assert four.bounds.resident.bytes == 4 * one.bounds.resident.bytes
    assert four.largest_map_bytes == 4 * one.largest_map_bytes


class Subclassed(keras.Model):
    def call(self, x):
        return x


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (lambda: "model.keras", "must be a functional or sequential model"),
        (lambda: Subclassed(), "functional or sequential, with a known input"),
        (lambda: keras.Sequential([layers.Dense(2)]), "functional or sequential, with a known"),
        (lambda: mobilenet_v2((None, None, 3)), "known input size"),
    ],
    ids=["no model", "subclassed", "not built", "unknown size"],
)
def test_what_cannot_be_summarised(model, sentence):
    with pytest.raises(ValueError, match=sentence):
        summarize_model(model())


@pytest.mark.parametrize("element_bytes", [0, -1, 1.5, True, "4"])
def test_element_bytes_must_be_positive(element_bytes):
    with pytest.raises(ValueError, match=r"element_bytes.*positive integer"):
        summarize_model(mobilenet_v2((64, 64, 3)), element_bytes=element_bytes)

"""The exchange itself: shapes, copied weights, what is refused and in which words."""

from __future__ import annotations

import numpy as np
import pytest

import rnnpool_tf
from rnnpool_tf._keras import keras
from rnnpool_tf.surgery import replace_with_rnnpool
from tests.surgery import networks


def kinds(model) -> list[str]:
    return [type(layer).__name__ for layer in model.layers]


@pytest.mark.parametrize(
    ("build", "start", "end", "gone"),
    [
        (networks.residual, "down_conv", "add", 10),
        (networks.residual, "down_conv", "small_relu", 13),
        (networks.concatenation, "left_conv", "join", 5),
        (networks.concatenation, "right_pool", "join", 5),
        (networks.sequential, "pool", None, 1),
        (networks.sequential, "pool", "conv", 2),
        (networks.residual, "average", None, 1),
        (networks.sequential, "stem", "average", 6),
    ],
    ids=[
        "residual block",
        "strides together",
        "branches that join",
        "branches, named by the other",
        "one layer of a sequential model",
        "part of a sequential model",
        "global pooling",
        "up to a vector",
    ],
)
def test_spans(build, start, end, gone):
    model = networks.with_random_statistics(build())
    before = [np.array(w) for w in model.get_weights()]
    new = replace_with_rnnpool(model, start, end)
    assert len(new.replaced) == gone
    assert kinds(new.model).count("RNNPoolLayer") == 1
    assert not {layer.name for layer in new.model.layers} & set(new.replaced)
    # The same shapes around it, and every other layer with the original's weights.
    assert new.model.output_shape == model.output_shape
    for layer in model.layers:
        if layer.name not in new.replaced:
            copy = new.model.get_layer(layer.name)
            assert copy is not layer
            assert all(map(np.array_equal, layer.get_weights(), copy.get_weights()))
    assert new.model(networks.images()).shape == (4, *model.output_shape[1:])
    # The original is left alone, also when the new one changes.
    for layer in new.model.layers:
        layer.set_weights([weight + 1 for weight in layer.get_weights()])
    assert all(map(np.array_equal, before, model.get_weights()))


def test_layers_in_front_compute_the_same():
    model = networks.with_random_statistics(networks.residual())
    new = replace_with_rnnpool(model, "inner_conv", "small_relu", strides=2).model
    ends = [m.get_layer("down_relu").output for m in (model, new)]
    image = networks.images()
    before, after = (
        keras.Model(m.input, end)(image).numpy() for m, end in zip((model, new), ends, strict=True)
    )
    np.testing.assert_array_equal(before, after)


def test_frozen_layers_stay_frozen_in_models_within_the_model():
    model = networks.nested_and_frozen()
    new = replace_with_rnnpool(model, "pool").model
    inner = new.get_layer("inner")
    assert not inner.get_layer("frozen").trainable and inner.get_layer("free").trainable


def test_shared_layers_several_inputs_and_outputs():
    model = networks.shared_and_two_ended()
    new = replace_with_rnnpool(model, "left_pool").model
    assert new.count_params() == model.count_params() + sum(
        int(np.prod(w.shape)) for w in new.get_layer("rnnpool").get_weights()
    )
    outputs = new([networks.images(), networks.images()])
    assert {name: value.shape for name, value in outputs.items()} == {
        "class": (4, 2),
        "age": (4, 2),
    }
    with pytest.raises(ValueError, match="'stem', which is called 2 times"):
        replace_with_rnnpool(model, "stem")
    with pytest.raises(ValueError, match="'stem' also takes the output of 'right'"):
        replace_with_rnnpool(model, "left_pool", "join")


@pytest.mark.parametrize(
    ("size", "options", "hidden", "pool", "strides"),
    [
        (24, {}, (2, 2), (6, 6), (4, 4)),
        (24, {"hidden1": 5}, (5, 2), (6, 6), (4, 4)),
        (24, {"pool_size": 8}, (2, 2), (8, 8), (4, 4)),
        (24, {"pool_size": 4, "padding": "valid"}, (2, 2), (4, 4), (4, 4)),
        (24, {"padding": "same"}, (2, 2), (6, 6), (4, 4)),
        (4, {}, (2, 2), (4, 4), (4, 4)),
    ],
    ids=["paper", "hidden1", "larger patch", "valid", "same", "a single pixel"],
)
def test_what_is_not_given_follows_from_the_span(size, options, hidden, pool, strides):
    model = networks.sequential(size=size)
    layer = replace_with_rnnpool(model, "pool", **options).layer
    assert (layer.hidden1, layer.hidden2) == hidden
    assert (layer.geometry.pool_size, layer.geometry.strides) == (pool, strides)


def test_other_channels_are_matched_by_a_convolution():
    model = networks.sequential(filters=6)
    new = replace_with_rnnpool(model, "pool", hidden2=4, name="pooled").model
    expand = new.get_layer("pooled_expand")
    assert expand.get_weights()[0].shape == (1, 1, 16, 6) and not expand.use_bias
    assert type(new.get_layer("pooled_expand_bn")).__name__ == "BatchNormalization"
    # Six channels are no multiple of four: the next larger RNNPool, and the convolution.
    assert replace_with_rnnpool(model, "pool").layer.hidden2 == 2
    for options in ({}, {"hidden2": 4}):
        with pytest.raises(ValueError, match=r"4 · hidden2 channels, and the layers .* have 6"):
            replace_with_rnnpool(model, "pool", match_channels=False, **options)


def test_names_that_are_taken_get_a_number():
    once = replace_with_rnnpool(networks.residual(), "down_conv", "down_relu").model
    twice = replace_with_rnnpool(once, "small_conv", "small_relu")
    assert twice.layer.name == "rnnpool_1"
    assert kinds(twice.model).count("RNNPoolLayer") == 2


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("stem_cnov",), {}, r"similar names: 'stem_conv'.* Received: start='stem_cnov'"),
        (("stem_conv", "ad"), {}, r"Received: end='ad'"),
        (("image",), {}, "an input of the model"),
        (("add",), {}, "'add', which takes 2"),
        (("small_conv", "stem_conv"), {}, "computed from the output of `start`"),
        (
            ("inner_conv", "small_relu"),
            {"strides": 2, "pool_size": 40},
            "`pool_size` must not exceed the map",
        ),
        (
            ("inner_bn", "small_relu"),
            {},
            r"'add' also takes the output of 'down_relu'\. The smallest span around it: "
            "start='inner_conv', end='small_relu'",
        ),
        (
            ("stem_conv", "inner_relu"),
            {},
            "the output of 'down_relu' also goes to 'add'",
        ),
        (("inner_conv", "add"), {}, "must make the map smaller"),
        (("logits",), {}, "take a map of known"),
        (("down_conv", "add"), {"strides": 3}, "which make 8x8 of 24x24"),
        (("down_conv", "add"), {"padding": "valid"}, "padding='valid', which make 11x11 of 24x24"),
        (("down_conv", "add"), {"hidden1": 0}, "`hidden1` must be a positive integer"),
        (("down_conv", "add"), {"gates": "hard"}, "`gates` must be"),
        (("down_conv", "logits"), {}, "must end with what makes it of the map"),
        (
            (7, "add"),
            {},
            "`start` must be the name of a layer, a string. Received: start of type int",
        ),
        (("down_conv", "add"), {"element_bytes": 0}, "`element_bytes` must be a positive integer"),
        (("down_conv", "add"), {"match_channels": 1}, "`match_channels` must be True or False"),
        (("down_conv", "add"), {"name": ""}, "`name` must be a string that is not empty"),
    ],
    ids=[
        "unknown start",
        "unknown end",
        "an input",
        "a layer of two inputs",
        "end in front of start",
        "patch larger than the map",
        "a skip connection comes in",
        "a skip connection leaves",
        "nothing becomes smaller",
        "no map",
        "strides of another size",
        "padding of another size",
        "no units",
        "unknown gates",
        "a classifier",
        "no name of a layer",
        "no bytes",
        "no decision",
        "no name",
    ],
)
def test_refused(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        replace_with_rnnpool(networks.residual(), *arguments, **options)


def test_sizes_that_do_not_divide_are_refused():
    with pytest.raises(
        ValueError, match=r"must be a multiple of the size after it.*22x22x8 to 6x6"
    ):
        replace_with_rnnpool(networks.sequential(size=22), "pool")


def test_an_output_inside_the_span_is_refused():
    model = networks.residual()
    two = keras.Model(model.input, [model.output, model.get_layer("down_bn").output])
    with pytest.raises(ValueError, match=r"the output of 'down_bn' is an output of the model$"):
        replace_with_rnnpool(two, "down_conv", "add")


@pytest.mark.parametrize("model", [None, "model.h5"], ids=["nothing", "a path"])
def test_no_model_is_refused(model):
    with pytest.raises(ValueError, match="must be a functional or sequential model"):
        replace_with_rnnpool(model, "pool")


def test_save_and_load(tmp_path):
    new = rnnpool_tf.replace_with_rnnpool(networks.concatenation(), "left_conv", "join").model
    path = tmp_path / "new.keras"
    new.save(path)
    loaded = keras.models.load_model(path)
    image = networks.images()
    np.testing.assert_array_equal(new(image), loaded(image))

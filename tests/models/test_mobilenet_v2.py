"""The plain MobileNetV2 that the paper compares with."""

from __future__ import annotations

import pytest

from rnnpool_tf.analysis import count
from rnnpool_tf.models import mobilenet_v2, visual_wake_words


@pytest.mark.parametrize(
    ("stem_filters", "parameters", "madds"),
    # Counted on EdgeML's description; the paper's 296K and 53.2M fit neither.
    [(8, 286_946, 48_322_480), (16, 287_330, 52_737_968)],
)
def test_counts_at_224(stem_filters, parameters, madds):
    counted = count(visual_wake_words(pooling="none", stem_filters=stem_filters))
    assert counted.params == parameters
    assert counted.madds == madds


@pytest.mark.parametrize("padding", ["same", "pytorch"])
@pytest.mark.parametrize("size", [96, 160, 224])
def test_maps_halve_five_times(size, padding):
    model = visual_wake_words((size, size, 1), 3, pooling="none", padding=padding)
    assert tuple(model.get_layer("last_relu").output.shape) == (None, size // 32, size // 32, 320)
    assert tuple(model.output_shape) == (None, 3)


def test_its_end_is_that_of_the_rnnpool_network():
    ours, plain = (
        visual_wake_words((64, 64, 3), pooling=pooling) for pooling in ("rnnpool", "none")
    )

    def end(model):
        """From the first 64-channel block (24 at width 0.35) behind the strided convolution on."""
        shapes = [(type(x).__name__, tuple(x.output.shape[1:])) for x in model.layers[1:]]
        return shapes[-len(ours.layers) + 13 :]

    assert len(end(ours)) > 80
    assert end(ours) == end(plain)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"padding": "valid"}, "`padding` must be one of 'same', 'pytorch'"),
        ({"input_shape": (96, 96)}, "`input_shape` must be"),
    ],
    ids=["padding", "rank"],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError) as error:
        mobilenet_v2(**arguments)
    assert message in str(error.value)

"""The small network for 32×32 pictures."""

from __future__ import annotations

import pytest

from rnnpool_tf.analysis import count
from rnnpool_tf.models import cifar10


def test_maps_and_counts():
    model = cifar10()
    assert tuple(model.get_layer("pool").output.shape) == (None, 8, 8, 32)
    assert tuple(model.get_layer("last_relu").output.shape) == (None, 4, 4, 256)
    assert tuple(model.output_shape) == (None, 10)
    # RNNPool: (16·8 + 8·8) + (8·8 + 8·8) weights, 32 biases, and zeta and nu as the paper counts.
    pool = next(layer for layer in count(model).layers if layer.name == "pool")
    assert (pool.weights, pool.bias) == (320, 36)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_shape": (32, 32)}, "`input_shape` must be"),
        ({"hidden": 0}, "`hidden1` must be a positive integer"),
    ],
    ids=["rank", "hidden"],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError) as error:
        cifar10(**arguments)
    assert message in str(error.value)

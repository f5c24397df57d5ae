"""The probe: every operator from the whole picture to one vector of the same width."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.analysis import count
from rnnpool_tf.models.probe import POOLINGS, operator_probe

# Of appendix C.2: 128 channels from 32×32×3, BatchNorm's γ and β, and Dense 128 → 10.
DENSE = 128 * 10 + 10
PARAMETERS = {
    "rnnpool": (32 * 3 + 32 * 32 + 2 * 33) + (2 * 32 * 32 + 2 * 33) + DENSE,
    "strided_conv": 32 * 32 * 3 * 128 + 256 + DENSE,
    "max": 3 * 128 + 256 + DENSE,
    "average": 3 * 128 + 256 + DENSE,
}


@pytest.mark.parametrize("pooling", POOLINGS)
def test_one_vector_of_128_channels(pooling):
    model = operator_probe(pooling=pooling)
    assert tuple(model.get_layer("flatten").output.shape[1:]) == (128,)
    assert count(model).params == PARAMETERS[pooling]
    assert model(np.zeros((2, 32, 32, 3), np.float32)).shape == (2, 10)


def test_convolution_before():
    model = operator_probe((64, 64, 1), 5, hidden1=8, hidden2=16, stem_filters=8)
    assert tuple(model.get_layer("pool").output.shape[1:]) == (1, 1, 64)
    assert tuple(model.get_layer("stem").output.shape[1:]) == (32, 32, 8)


def test_unknown_pooling():
    with pytest.raises(ValueError, match=r"`pooling` must be one of .* Received: pooling='sum'"):
        operator_probe(pooling="sum")

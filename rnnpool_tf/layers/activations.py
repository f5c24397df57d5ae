"""Piecewise linear stand-ins for sigmoid and tanh, as EdgeML defines them."""

from __future__ import annotations

import tensorflow as tf

from rnnpool_tf.gates import PIECEWISE_LINEAR, SMOOTH


def quant_sigmoid(x):
    """Piecewise linear stand-in for the sigmoid: `clip((x + 1) / 2, 0, 1)`."""
    return tf.clip_by_value((x + 1) / 2, 0, 1)


def quant_sigmoid4(x):
    """A wider one: `clip((x + 2) / 4, 0, 1)`."""
    return tf.clip_by_value((x + 2) / 4, 0, 1)


def quant_tanh(x):
    """Piecewise linear stand-in for tanh: `clip(x, −1, 1)`."""
    return tf.clip_by_value(x, -1, 1)


# Gate and candidate of RNNPool's cells, by kind of gates.
GATE_AND_CANDIDATE = {
    SMOOTH: (tf.sigmoid, tf.tanh),
    PIECEWISE_LINEAR: (quant_sigmoid, quant_tanh),
}

"""GRU and LSTM as the sweeps use them, with the weights and equations of Keras's own layers.

They consist of matrix products, sigmoid, tanh, products and sums only and are unrolled, so that
TFLite's converter makes built-in operators of them that TensorFlow Lite Micro has, and no loops.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import tensorflow as tf

from rnnpool_tf._keras import keras
from rnnpool_tf.layers.fastgrnn import fresh
from rnnpool_tf.layers.sweeps import linear


class GRU(NamedTuple):
    """A GRU with the reset gate behind the recurrent product, as Keras and cuDNN have it.

        z, r = sigmoid(W·x + U·h + both biases)
        c    = tanh(W·x + b + r ⊙ (U·h + b'))
        h'   = z ⊙ h + (1 − z) ⊙ c

    Attributes:
        kernel: W of update gate, reset gate and candidate, shape (inputs, 3 · units).
        recurrent_kernel: U likewise, shape (units, 3 · units).
        bias: b and b', shape (2, 3 · units).
    """

    kernel: tf.Tensor
    recurrent_kernel: tf.Tensor
    bias: tf.Tensor

    @property
    def units(self) -> int:
        return self.recurrent_kernel.shape[0]

    def input_product(self, x: tf.Tensor) -> tf.Tensor:
        return linear(x, tf.transpose(self.kernel), self.bias[0])

    def states(self, products: Sequence[tf.Tensor]) -> Iterator[tf.Tensor]:
        h = None
        for product in products:
            recurrent = self.bias[1] if h is None else self._recurrent(h)
            zx, rx, cx = tf.split(product, 3, -1)
            zh, rh, ch = tf.split(recurrent, 3, -1)
            z, r = tf.sigmoid(zx + zh), tf.sigmoid(rx + rh)
            candidate = tf.tanh(cx + r * ch)
            h = candidate - z * candidate if h is None else candidate + z * (h - candidate)
            yield h

    def _recurrent(self, h: tf.Tensor) -> tf.Tensor:
        return tf.matmul(h, self.recurrent_kernel) + self.bias[1]


class LSTM(NamedTuple):
    """An LSTM without peepholes, as Keras has it.

        i, f, o = sigmoid(W·x + U·h + b)      g = tanh(W·x + U·h + b)
        c'      = f ⊙ c + i ⊙ g               h' = o ⊙ tanh(c')

    Attributes:
        kernel: W of input gate, forget gate, g and output gate, shape (inputs, 4 · units).
        recurrent_kernel: U likewise, shape (units, 4 · units).
        bias: b, shape (4 · units,).
    """

    kernel: tf.Tensor
    recurrent_kernel: tf.Tensor
    bias: tf.Tensor

    @property
    def units(self) -> int:
        return self.recurrent_kernel.shape[0]

    def input_product(self, x: tf.Tensor) -> tf.Tensor:
        return linear(x, tf.transpose(self.kernel), self.bias)

    def states(self, products: Sequence[tf.Tensor]) -> Iterator[tf.Tensor]:
        h = c = None
        for product in products:
            a = product if h is None else product + tf.matmul(h, self.recurrent_kernel)
            i, f, g, o = tf.split(a, 4, -1)
            new = tf.sigmoid(i) * tf.tanh(g)
            c = new if c is None else tf.sigmoid(f) * c + new
            h = tf.sigmoid(o) * tf.tanh(c)
            yield h


CELLS = {"gru": GRU, "lstm": LSTM}
# Gates and candidate: matrices of a cell, each (inputs, units) and (units, units).
MATRICES = {"gru": 3, "lstm": 4}


def check_cell(cell: str) -> str:
    """Returns `cell`; raises ValueError unless it is one of `CELLS`."""
    if not isinstance(cell, str) or cell not in CELLS:
        raise ValueError(
            f"`cell` must be one of {', '.join(map(repr, CELLS))}. Received: cell={cell!r}"
        )
    return cell


class CellVariables:
    """The variables of one cell of a layer.

    Args:
        layer: What they belong to; it has `kernel_initializer` and `recurrent_initializer`.
        cell: "gru" or "lstm".
        inputs: Size of an input.
        units: Size of the state.
        suffix: Of their names.
    """

    def __init__(self, layer, cell: str, inputs: int, units: int, suffix: str):
        self._cell = CELLS[cell]
        width = MATRICES[cell] * units
        self._weights = [
            layer.add_weight(
                name=f"kernel{suffix}",
                shape=(inputs, width),
                initializer=fresh(layer.kernel_initializer),
            ),
            layer.add_weight(
                name=f"recurrent_kernel{suffix}",
                shape=(units, width),
                initializer=fresh(layer.recurrent_initializer),
            ),
            layer.add_weight(
                name=f"bias{suffix}",
                shape=(2, width) if cell == "gru" else (width,),
                initializer="zeros" if cell == "gru" else _ForgetBias(units),
            ),
        ]

    def read(self, dtype) -> GRU | LSTM:
        """The cell with their values."""
        return self._cell(*(tf.cast(weight, dtype) for weight in self._weights))


@keras.utils.register_keras_serializable(package="rnnpool_tf")
class _ForgetBias(keras.initializers.Initializer):
    """Ones for the forget gate, so that a state is kept at first; zeros for the rest."""

    def __init__(self, units: int):
        self.units = units

    def __call__(self, shape, dtype=None, **kwargs):
        gate = tf.range(shape[0]) // self.units
        return tf.cast(gate == 1, dtype or "float32")

    def get_config(self):
        return {"units": self.units}

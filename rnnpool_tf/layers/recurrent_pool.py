"""`RecurrentPoolLayer`: RNNPool with GRU or LSTM cells in FastGRNN's place."""

from __future__ import annotations

import tensorflow as tf

from rnnpool_tf._keras import keras
from rnnpool_tf.arguments import positive_integer
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.layers import sweeps
from rnnpool_tf.layers.gated_cells import CellVariables, check_cell


@keras.utils.register_keras_serializable(package="rnnpool_tf")
class RecurrentPoolLayer(keras.layers.Layer):
    """RNNPool whose two recurrent networks are GRUs or LSTMs, to compare FastGRNN with.

    Geometry, order of the output and meaning of the arguments are those of `RNNPoolLayer`, the
    cells are those of `keras.layers.GRU` and `keras.layers.LSTM` with their default activations.
    Source: Saha et al., 2020, appendix H, Table 18. There is no operator of its own behind this
    layer: TFLite's converter makes many built-in operators of it, which store the whole map's
    products. It is for experiments, `RNNPoolLayer` for microcontrollers.

    Args:
        hidden1: Units of RNN1.
        hidden2: Units of RNN2; the output has `4 * hidden2` channels.
        pool_size: Patch size: an integer or (rows, columns).
        strides: Distance between patches: an integer or (vertical, horizontal). Defaults to
            `pool_size`.
        padding: "valid", "same" or "replicate"; see `RNNPoolLayer`.
        cell: "gru" or "lstm".
        kernel_initializer: Initialiser of both input kernels.
        recurrent_initializer: Initialiser of both recurrent kernels.
        **kwargs: Passed to `keras.layers.Layer`.

    Input shape:
        (batch, height, width, channels); batch, height and width may be unknown.

    Output shape:
        (batch, out_height, out_width, 4 · hidden2), values in [−1, 1].

    Weights:
        With n = 3 for the GRU and 4 for the LSTM, in Keras's order: `kernel1` (channels,
        n · hidden1), `recurrent_kernel1` (hidden1, n · hidden1), `bias1` (2, 3 · hidden1) or
        (4 · hidden1,); the same with 2 (hidden1 → hidden2).

    Raises:
        ValueError: An argument is malformed, a patch is larger than the map, or the input is not
            floating point.

    Example:

    >>> import tensorflow as tf
    >>> from rnnpool_tf.layers import RecurrentPoolLayer
    >>> layer = RecurrentPoolLayer(8, 8, pool_size=6, strides=4, padding="replicate", cell="lstm")
    >>> tuple(layer(tf.zeros((1, 112, 112, 8))).shape)
    (1, 28, 28, 32)
    """

    def __init__(
        self,
        hidden1,
        hidden2,
        pool_size,
        strides=None,
        padding="valid",
        cell="gru",
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.hidden1 = positive_integer(hidden1, "hidden1")
        self.hidden2 = positive_integer(hidden2, "hidden2")
        self.geometry = Geometry(pool_size, pool_size if strides is None else strides, padding)
        self.cell = check_cell(cell)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        self._check_map(input_shape)
        self._rnn1 = CellVariables(self, self.cell, input_shape[-1], self.hidden1, "1")
        self._rnn2 = CellVariables(self, self.cell, self.hidden1, self.hidden2, "2")
        self.built = True

    def call(self, inputs):
        inputs = floating_map(inputs)
        self._check_map(inputs.shape)
        rnn1, rnn2 = (cell.read(inputs.dtype) for cell in (self._rnn1, self._rnn2))
        output = sweeps.pool_patches(inputs, rnn1, rnn2, self.geometry)
        output.set_shape(self.compute_output_shape(inputs.shape))
        return output

    def compute_output_shape(self, input_shape):
        self._check_map(input_shape)
        batch, height, width, _ = input_shape
        return (batch, *self.geometry.output_size(height, width), 4 * self.hidden2)

    def get_config(self):
        return {
            **super().get_config(),
            "hidden1": self.hidden1,
            "hidden2": self.hidden2,
            "pool_size": self.geometry.pool_size,
            "strides": self.geometry.strides,
            "padding": self.geometry.padding,
            "cell": self.cell,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }

    def _check_map(self, input_shape):
        check_map(self, input_shape)
        self.geometry.output_size(*input_shape[1:3])


def check_map(layer, input_shape) -> None:
    """Raises ValueError unless the shape is that of a batch of maps."""
    if len(input_shape) != 4 or input_shape[-1] is None:
        raise ValueError(
            f"`{type(layer).__name__}` takes maps of shape (batch, height, width, channels) with "
            f"known channels. Received: input_shape={tuple(input_shape)}"
        )


def floating_map(inputs) -> tf.Tensor:
    """The input as a tensor; ValueError unless it is floating point."""
    inputs = tf.convert_to_tensor(inputs)
    if not inputs.dtype.is_floating:
        raise ValueError(
            f"`inputs` must be floating point. Received: inputs with dtype={inputs.dtype.name}"
        )
    return inputs

"""`ReNetLayer`: pooling by recurrent networks that sweep the whole map."""

from __future__ import annotations

import tensorflow as tf

from rnnpool_tf._keras import keras
from rnnpool_tf.arguments import positive_integer
from rnnpool_tf.geometry import pair
from rnnpool_tf.layers.gated_cells import CellVariables, check_cell
from rnnpool_tf.layers.recurrent_pool import check_map, floating_map


@keras.utils.register_keras_serializable(package="rnnpool_tf")
class ReNetLayer(keras.layers.Layer):
    """Pools windows that do not overlap by sweeping recurrent networks over all of them.

    Every window of the map is one vector of its pixels' channels. One network sweeps each column of
    windows downwards, another upwards; their states at every window are concatenated. Two further
    networks sweep the rows of what came out, to the right and to the left. So, unlike with RNNPool,
    each output depends on the windows of the whole map. Source: Visin et al., "ReNet: A Recurrent
    Neural Network Based Alternative to Convolutional Networks", 2015, §2.

    The RNNPool paper compares with ReNet in its Tables 2 and 3 and states neither windows nor
    cells. Windows of 4×4 and GRUs, the default, reproduce its multiply-accumulates for all of its
    networks (96.3, 14.5 and 635.8 million more than the average in Table 2); LSTMs would take a
    third more.

    Args:
        units: Units of each of the four networks; the output has `2 * units` channels.
        window: Window size: an integer or (rows, columns), which must divide the map.
        cell: "gru" or "lstm", as `keras.layers.GRU` and `keras.layers.LSTM` have them.
        kernel_initializer: Initialiser of the input kernels.
        recurrent_initializer: Initialiser of the recurrent kernels.
        **kwargs: Passed to `keras.layers.Layer`.

    Input shape:
        (batch, height, width, channels), of which only the batch may be unknown: the sweeps are
        unrolled.

    Output shape:
        (batch, height / rows, width / columns, 2 · units), values in [−1, 1].

    Weights:
        For each of `_down`, `_up`, `_right`, `_left`: `kernel`, `recurrent_kernel` and `bias` in
        the shapes of Keras's layers.

    Raises:
        ValueError: An argument is malformed, the windows do not divide the map or its size is
            unknown, or the input is not floating point.

    Example:

    >>> import tensorflow as tf
    >>> from rnnpool_tf.layers import ReNetLayer
    >>> tuple(ReNetLayer(units=16, window=4)(tf.zeros((1, 32, 48, 8))).shape)
    (1, 8, 12, 32)
    """

    def __init__(
        self,
        units,
        window,
        cell="gru",
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = positive_integer(units, "units")
        self.window = pair(window, "window")
        self.cell = check_cell(cell)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        self._check_map(input_shape)
        pixels = self.window[0] * self.window[1] * input_shape[-1]
        self._vertical, self._horizontal = (
            [CellVariables(self, self.cell, inputs, self.units, f"_{way}") for way in ways]
            for inputs, ways in ((pixels, ("down", "up")), (2 * self.units, ("right", "left")))
        )
        self.built = True

    def call(self, inputs):
        inputs = floating_map(inputs)
        self._check_map(inputs.shape)
        shape = self.compute_output_shape(inputs.shape)
        x = tf.transpose(self._windows(inputs), (1, 0, 2, 3))  # rows first
        x = self._sweep(x, self._vertical)
        x = tf.transpose(x, (2, 1, 0, 3))  # columns first
        x = tf.transpose(self._sweep(x, self._horizontal), (1, 2, 0, 3))
        x.set_shape(shape)
        return x

    def compute_output_shape(self, input_shape):
        self._check_map(input_shape)
        rows, columns = self._grid(input_shape)
        return (input_shape[0], rows, columns, 2 * self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "window": self.window,
            "cell": self.cell,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }

    def _windows(self, x):
        """(batch, rows, columns, pixels of a window · channels), in tensors of at most rank 4."""
        (window_rows, window_columns), channels = self.window, x.shape[-1]
        rows, columns = self._grid(x.shape)
        x = tf.reshape(x, (-1, window_rows, columns, window_columns * channels))
        x = tf.transpose(x, (0, 2, 1, 3))
        return tf.reshape(x, (-1, rows, columns, window_rows * window_columns * channels))

    def _sweep(self, x, cells):
        """Sweeps (steps, a, b, inputs) along the steps, both ways: (steps, a, b, 2 · units)."""
        steps, a, b = x.shape[0], tf.shape(x)[1], tf.shape(x)[2]
        both = []
        for variables, order in zip(cells, (1, -1), strict=True):
            cell = variables.read(x.dtype)
            products = tf.unstack(cell.input_product(x), steps)[::order]
            products = [tf.reshape(step, (-1, step.shape[-1])) for step in products]
            both.append(tf.stack(list(cell.states(products))[::order]))
        return tf.reshape(tf.concat(both, -1), (steps, a, b, 2 * self.units))

    def _grid(self, shape):
        return shape[1] // self.window[0], shape[2] // self.window[1]

    def _check_map(self, input_shape):
        check_map(self, input_shape)
        size = tuple(input_shape[1:3])
        if None in size or any(s < 1 or s % w for s, w in zip(size, self.window, strict=True)):
            raise ValueError(
                "`window` must divide the map, whose size must be known. "
                f"Received: window={self.window}, input_shape={tuple(input_shape)}"
            )

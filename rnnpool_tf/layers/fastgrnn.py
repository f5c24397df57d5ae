"""FastGRNN (Kusupati et al., NeurIPS 2018) as a Keras RNN cell and layer."""

from __future__ import annotations

import tensorflow as tf

from rnnpool_tf._keras import keras
from rnnpool_tf.arguments import positive_integer
from rnnpool_tf.layers.activations import quant_sigmoid, quant_sigmoid4, quant_tanh
from rnnpool_tf.layers.sweeps import fastgrnn_update

_PIECEWISE = {f.__name__: f for f in (quant_sigmoid, quant_sigmoid4, quant_tanh)}


@keras.utils.register_keras_serializable(package="rnnpool_tf")
class FastGRNNCell(keras.layers.Layer):
    """One step of FastGRNN.

    Gate and candidate share W and U and differ in their biases only:

        a  = W·x + U·h
        g  = gate_activation(a + bias_gate)
        c  = update_activation(a + bias_update)
        h' = g ⊙ h + (ζ (1 − g) + ν) ⊙ c        ζ = sigmoid(zeta), ν = sigmoid(nu)

    Source: Kusupati et al., "FastGRNN: A Fast, Accurate, Stable and Tiny Kilobyte Sized Gated
    Recurrent Neural Network", NeurIPS 2018, §3.2; RNNPool uses it with ζ = 1, ν = 0.

    Args:
        units: Size of the state.
        gate_activation: Of the gate: "sigmoid", "quant_sigmoid", "quant_sigmoid4", or anything
            Keras knows.
        update_activation: Of the candidate: "tanh", "quant_tanh", or anything Keras knows.
        kernel_rank: Rank of W = `kernel` · `kernel_factor`; None stores W whole.
        recurrent_rank: Rank of U, likewise.
        zeta_init: Start value of ζ's logit.
        nu_init: Start value of ν's logit.
        kernel_initializer: Initialiser of W or its factors; by default 0.1 × standard normal.
        recurrent_initializer: Initialiser of U or its factors; by default the same.
        bias_initializer: Initialiser of both biases.
        **kwargs: Passed to `keras.layers.Layer`.

    Input shape:
        (batch, features), and a list of one state of shape (batch, units).

    Output shape:
        (batch, units), and a list of the new state.

    Raises:
        ValueError: A size or rank is not a positive integer.

    Example:

    >>> import tensorflow as tf
    >>> from rnnpool_tf import FastGRNNCell
    >>> cell = FastGRNNCell(16)
    >>> output, states = cell(tf.zeros((4, 9)), [tf.zeros((4, 16))])
    >>> tuple(output.shape)
    (4, 16)
    """

    def __init__(
        self,
        units,
        gate_activation="sigmoid",
        update_activation="tanh",
        kernel_rank=None,
        recurrent_rank=None,
        zeta_init=1.0,
        nu_init=-4.0,
        kernel_initializer=None,
        recurrent_initializer=None,
        bias_initializer="ones",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = positive_integer(units, "units")
        self.kernel_rank = _rank(kernel_rank, "kernel_rank")
        self.recurrent_rank = _rank(recurrent_rank, "recurrent_rank")
        self.gate_activation = _activation(gate_activation)
        self.update_activation = _activation(update_activation)
        self.zeta_init = float(zeta_init)
        self.nu_init = float(nu_init)
        self.kernel_initializer = small_normal(kernel_initializer)
        self.recurrent_initializer = small_normal(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.state_size = self.units
        self.output_size = self.units

    def build(self, input_shape):
        self._add_matrix("kernel", input_shape[-1], self.kernel_rank, self.kernel_initializer)
        self._add_matrix(
            "recurrent_kernel", self.units, self.recurrent_rank, self.recurrent_initializer
        )
        for name in ("bias_gate", "bias_update"):
            weight = self.add_weight(
                name=name, shape=(self.units,), initializer=self.bias_initializer
            )
            setattr(self, name, weight)
        for name, value in (("zeta", self.zeta_init), ("nu", self.nu_init)):
            weight = self.add_weight(
                name=name, shape=(), initializer=keras.initializers.Constant(value)
            )
            setattr(self, name, weight)
        self.built = True

    def call(self, inputs, states, training=None):
        h = states[0] if isinstance(states, (list, tuple)) else states
        a = self._product(inputs, "kernel", self.kernel_rank)
        a += self._product(h, "recurrent_kernel", self.recurrent_rank)
        gate = self.gate_activation(a + tf.cast(self.bias_gate, a.dtype))
        candidate = self.update_activation(a + tf.cast(self.bias_update, a.dtype))
        zeta = tf.sigmoid(tf.cast(self.zeta, a.dtype))
        nu = tf.sigmoid(tf.cast(self.nu, a.dtype))
        h = fastgrnn_update(gate, candidate, h, zeta, nu)
        return h, [h]

    def get_initial_state(self, inputs=None, batch_size=None, dtype=None):
        """Returns a list of one zero state; Keras 2 passes `inputs`, Keras 3 `batch_size`."""
        if inputs is not None and getattr(inputs, "shape", None) is not None and inputs.shape.rank:
            batch_size, dtype = tf.shape(inputs)[0], inputs.dtype
        return [tf.zeros((batch_size, self.units), dtype or self.compute_dtype)]

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "gate_activation": _serialize_activation(self.gate_activation),
            "update_activation": _serialize_activation(self.update_activation),
            "kernel_rank": self.kernel_rank,
            "recurrent_rank": self.recurrent_rank,
            "zeta_init": self.zeta_init,
            "nu_init": self.nu_init,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }

    def _add_matrix(self, name, inputs, rank, initializer):
        shapes = {name: (inputs, self.units)}
        if rank is not None:
            shapes = {name: (inputs, rank), f"{name}_factor": (rank, self.units)}
        for attribute, shape in shapes.items():
            weight = self.add_weight(name=attribute, shape=shape, initializer=fresh(initializer))
            setattr(self, attribute, weight)

    def _product(self, x, name, rank):
        product = tf.matmul(x, tf.cast(getattr(self, name), x.dtype))
        if rank is not None:
            product = tf.matmul(product, tf.cast(getattr(self, f"{name}_factor"), x.dtype))
        return product


@keras.utils.register_keras_serializable(package="rnnpool_tf")
class FastGRNN(keras.layers.RNN):
    """FastGRNN over a sequence, as `keras.layers.GRU` is GRU over a sequence.

    Args:
        units: Size of the state.
        return_sequences: Return the state after every step instead of the last one.
        return_state: Return the last state as well.
        go_backwards: Walk the sequence backwards.
        stateful: Keep the state between batches.
        unroll: Unroll the loop.
        **kwargs: Arguments of `FastGRNNCell`, and `name`, `dtype`, `trainable`.

    Input shape:
        (batch, steps, features).

    Output shape:
        (batch, units), or (batch, steps, units) with `return_sequences`.

    Raises:
        ValueError: As `FastGRNNCell`.

    Example:

    >>> import tensorflow as tf
    >>> from rnnpool_tf import FastGRNN
    >>> tuple(FastGRNN(16, return_sequences=True)(tf.zeros((4, 10, 9))).shape)
    (4, 10, 16)
    """

    _RNN_ARGUMENTS = ("return_sequences", "return_state", "go_backwards", "stateful", "unroll")
    _LAYER_ARGUMENTS = ("name", "dtype", "trainable")

    def __init__(self, units, **kwargs):
        rnn_keys = (*self._RNN_ARGUMENTS, *self._LAYER_ARGUMENTS)
        rnn_arguments = {key: kwargs.pop(key) for key in rnn_keys if key in kwargs}
        if "dtype" in rnn_arguments:
            kwargs["dtype"] = rnn_arguments["dtype"]
        super().__init__(FastGRNNCell(units, **kwargs), **rnn_arguments)

    def get_config(self):
        cell = self.cell.get_config()
        for key in ("name", "trainable", "dtype", "batch_input_shape"):
            cell.pop(key, None)
        base = super().get_config()
        kept = (*self._RNN_ARGUMENTS, *self._LAYER_ARGUMENTS)
        return {**{key: base[key] for key in kept if key in base}, **cell}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(**config)


def small_normal(initializer):
    """The initialiser asked for, or EdgeML's for W and U: 0.1 × standard normal."""
    if initializer is None:
        return keras.initializers.RandomNormal(stddev=0.1)
    return keras.initializers.get(initializer)


def fresh(initializer):
    """A copy of an initialiser; tf_keras gives equal values when one instance is used twice."""
    return keras.initializers.get(keras.initializers.serialize(initializer))


def _rank(value, name):
    return None if value is None else positive_integer(value, name)


def _activation(value):
    return _PIECEWISE.get(value) or keras.activations.get(value)


def _serialize_activation(function):
    if function in _PIECEWISE.values():
        return function.__name__
    return keras.activations.serialize(function)

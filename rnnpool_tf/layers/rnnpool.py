"""`RNNPoolLayer`: RNNPool as a Keras pooling layer."""

from __future__ import annotations

import tensorflow as tf

from rnnpool_tf._keras import keras
from rnnpool_tf.arguments import positive_integer
from rnnpool_tf.gates import SMOOTH, gates_kind
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.layers import annotated
from rnnpool_tf.layers.fastgrnn import fresh, small_normal
from rnnpool_tf.layers.sweeps import CellWeights

# ζ_raw = 100 and ν_raw = −100 are EdgeML's start values for RNNPool: ζ = 1 and ν = 0 in float32.
ZETA_NU_LOGITS = ((100.0, -100.0), (100.0, -100.0))


@keras.utils.register_keras_serializable(package="rnnpool_tf")
class RNNPoolLayer(keras.layers.Layer):
    """Pools each patch of an activation map into one vector with two small recurrent networks.

    RNN1 (FastGRNN, `hidden1` units) sweeps every row and every column of a patch; RNN2
    (FastGRNN, `hidden2` units) sweeps the row summaries and the column summaries in both
    directions. The four final states are concatenated. Source: Saha et al., "RNNPool: Efficient
    Non-linear Pooling for RAM Constrained Inference", NeurIPS 2020, Algorithm 1.

    Output size along an axis of `size` pixels, with patch `p` and stride `s`:

    * `padding="valid"`: `floor((size - p) / s) + 1`.
    * `padding="same"`: `ceil(size / s)`; the map is padded with zeros, as TensorFlow does.
    * `padding="replicate"`: as "valid", then the last row and column of the *output* are repeated
      `ceil(p / s) - 1` times, so that a size divisible by the stride gives `size / s`. The models
      of the paper use this one.

    Args:
        hidden1: Units of RNN1 (h1 in the paper).
        hidden2: Units of RNN2 (h2 in the paper); the output has `4 * hidden2` channels.
        pool_size: Patch size: an integer or (rows, columns).
        strides: Distance between patches: an integer or (vertical, horizontal). Defaults to
            `pool_size`.
        padding: "valid", "same" or "replicate", see above.
        trainable_zeta_nu: Train the scalars ζ and ν of both cells, as EdgeML does (as logits,
            starting at ±100). By default they are the constants 1 and 0, as in the paper. Models
            that train them convert to float .tflite only.
        data_format: "channels_last" or None, which means the same.
        kernel_initializer: Initialiser of both input kernels.
        recurrent_initializer: Initialiser of both recurrent kernels.
        bias_initializer: Initialiser of the four biases.
        kernel_regularizer: Regulariser of both input kernels.
        recurrent_regularizer: Regulariser of both recurrent kernels.
        gates: "smooth": gate and candidate are sigmoid and tanh. "piecewise_linear": they are
            `clip((x + 1) / 2, 0, 1)` and `clip(x, −1, 1)`, which microcontrollers compute in
            fewer instructions and without tables; source: appendix G of the paper, which uses them
            for Visual Wake Words, and EdgeML's `quantSigmoid` and `quantTanh`. Weights trained
            with one kind do not serve the other.
        **kwargs: Passed to `keras.layers.Layer`: `name`, `dtype`, `trainable`, …

    Input shape:
        (batch, height, width, channels); batch, height and width may be unknown.

    Output shape:
        (batch, out_height, out_width, 4 · hidden2), values in [−1, 1].

    Weights:
        `kernel1` (channels, hidden1), `recurrent_kernel1` (hidden1, hidden1), `kernel2` (hidden1,
        hidden2), `recurrent_kernel2` (hidden2, hidden2), `bias_gate1`, `bias_update1` (hidden1,),
        `bias_gate2`, `bias_update2` (hidden2,) and, with `trainable_zeta_nu`, `zeta_nu` (2, 2).

    Raises:
        ValueError: An argument is malformed, a patch is larger than the map, or the input is not
            floating point.

    Example:

    >>> import tensorflow as tf
    >>> from rnnpool_tf import RNNPoolLayer
    >>> layer = RNNPoolLayer(hidden1=8, hidden2=8, pool_size=6, strides=4, padding="replicate")
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
        trainable_zeta_nu=False,
        data_format=None,
        kernel_initializer=None,
        recurrent_initializer=None,
        bias_initializer="ones",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        gates=SMOOTH,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.hidden1 = positive_integer(hidden1, "hidden1")
        self.hidden2 = positive_integer(hidden2, "hidden2")
        self.geometry = Geometry(pool_size, pool_size if strides is None else strides, padding)
        self.trainable_zeta_nu = bool(trainable_zeta_nu)
        self.gates = gates_kind(gates)
        if data_format not in (None, "channels_last"):
            raise ValueError(
                "`data_format` must be 'channels_last': the operator reads rows of pixels with "
                f"their channels together. Received: data_format={data_format!r}"
            )
        self.kernel_initializer = small_normal(kernel_initializer)
        self.recurrent_initializer = small_normal(recurrent_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = keras.regularizers.get(recurrent_regularizer)
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def build(self, input_shape):
        self._check_map(input_shape)
        channels = input_shape[-1]
        h1, h2 = self.hidden1, self.hidden2
        # Kernels before biases: tfmot's HDF5 reload needs all quantised weights created first.
        for name, shape, initializer, regularizer in (
            ("kernel1", (channels, h1), self.kernel_initializer, self.kernel_regularizer),
            ("recurrent_kernel1", (h1, h1), self.recurrent_initializer, self.recurrent_regularizer),
            ("kernel2", (h1, h2), self.kernel_initializer, self.kernel_regularizer),
            ("recurrent_kernel2", (h2, h2), self.recurrent_initializer, self.recurrent_regularizer),
        ):
            weight = self.add_weight(
                name=name, shape=shape, initializer=fresh(initializer), regularizer=regularizer
            )
            setattr(self, name, weight)
        for name, units in (
            ("bias_gate1", h1),
            ("bias_update1", h1),
            ("bias_gate2", h2),
            ("bias_update2", h2),
        ):
            weight = self.add_weight(name=name, shape=(units,), initializer=self.bias_initializer)
            setattr(self, name, weight)
        if self.trainable_zeta_nu:
            self.zeta_nu = self.add_weight(
                name="zeta_nu",
                shape=(2, 2),
                initializer=lambda shape, dtype=None: tf.constant(ZETA_NU_LOGITS, dtype),
            )
        self.input_spec = keras.layers.InputSpec(ndim=4, axes={-1: channels})
        self.built = True

    def call(self, inputs):
        if not tf.as_dtype(inputs.dtype).is_floating:
            raise ValueError(
                "`inputs` must be floating point; cast images and scale them first. "
                f"Received: dtype={tf.as_dtype(inputs.dtype).name}"
            )

        def cast(weight):
            return tf.cast(weight, inputs.dtype)

        scalars1 = scalars2 = ()
        if self.trainable_zeta_nu:
            zeta_nu = tf.sigmoid(cast(self.zeta_nu))
            scalars1, scalars2 = (tf.unstack(row) for row in tf.unstack(zeta_nu))
        # The operator keeps one row per unit (TFLite's convention), Keras one column per unit.
        rnn1 = CellWeights(
            tf.transpose(cast(self.kernel1)),
            tf.transpose(cast(self.recurrent_kernel1)),
            cast(self.bias_gate1),
            cast(self.bias_update1),
            *scalars1,
        )
        rnn2 = CellWeights(
            tf.transpose(cast(self.kernel2)),
            tf.transpose(cast(self.recurrent_kernel2)),
            cast(self.bias_gate2),
            cast(self.bias_update2),
            *scalars2,
        )
        return annotated.rnnpool(inputs, rnn1, rnn2, self.geometry, self.gates)

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
            "trainable_zeta_nu": self.trainable_zeta_nu,
            "data_format": "channels_last",
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": keras.regularizers.serialize(self.recurrent_regularizer),
            "gates": self.gates,
        }

    def _check_map(self, input_shape):
        if len(input_shape) != 4 or input_shape[-1] is None:
            raise ValueError(
                "`RNNPoolLayer` takes maps of shape (batch, height, width, channels) with known "
                f"channels. Received: input_shape={tuple(input_shape)}"
            )
        self.geometry.output_size(*input_shape[1:3])

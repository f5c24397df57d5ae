"""`L2Normalization`: every pixel's vector of channels brought to length one, then scaled."""

from __future__ import annotations

import tensorflow as tf

from rnnpool_tf._keras import keras

# The smallest norm that is divided by. EdgeML adds 1e-10 to the norm instead: in float32 the same
# for every norm above 1e-3, but with a gradient of infinity at zero.
_SMALLEST_NORM = 1e-10


@keras.utils.register_keras_serializable(package="rnnpool_tf")
class L2Normalization(keras.layers.Layer):
    """Divides each pixel by its L2 norm over the channels and multiplies by a learnt vector.

    Feature maps of different depth have different magnitudes; this brings them to comparable ones
    in front of detection heads. Source: Liu et al., "ParseNet", 2015, eq. 1–4; used in
    Saha et al., 2020, §5.2.

    In TFLite it is the operator L2_NORMALIZATION (int8: on the fixed grid k/128), followed by a MUL
    where there is a scale. Quantisation-aware training folds the scale into the layers behind
    (`rnnpool_tf.compression.quantize`), which saves the MUL and a copy of the map.

    Args:
        scale: Start value of the learnt vector `scale` (channels,); None leaves the vector out.
        **kwargs: Passed to `keras.layers.Layer`.

    Input shape, output shape:
        (..., channels), channels known.

    Raises:
        ValueError: `scale` is not a positive number, or the channels are unknown.

    Example:

    >>> import tensorflow as tf
    >>> from rnnpool_tf.layers import L2Normalization
    >>> L2Normalization(10.0)(tf.constant([[3.0, 4.0]])).numpy()
    array([[6., 8.]], dtype=float32)
    """

    def __init__(self, scale=None, **kwargs):
        super().__init__(**kwargs)
        if scale is not None and not (isinstance(scale, (int, float)) and scale > 0):
            raise ValueError(f"`scale` must be a positive number or None. Received: scale={scale}")
        self.initial_scale = None if scale is None else float(scale)
        self.scale = None

    def build(self, input_shape):
        channels = input_shape[-1]
        if channels is None:
            raise ValueError(
                "`L2Normalization` takes inputs with known channels. "
                f"Received: input_shape={tuple(input_shape)}"
            )
        if self.initial_scale is not None:
            self.scale = self.add_weight(
                name="scale",
                shape=(channels,),
                initializer=keras.initializers.Constant(self.initial_scale),
            )
        self.built = True

    def call(self, inputs):
        # In float32 even under mixed precision: float16 cannot hold the squares.
        x = tf.cast(inputs, tf.float32)
        x = tf.nn.l2_normalize(x, axis=-1, epsilon=_SMALLEST_NORM**2)
        if self.scale is not None:
            x = x * tf.cast(self.scale, x.dtype)
        return tf.cast(x, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)

    def get_config(self):
        return {**super().get_config(), "scale": self.initial_scale}

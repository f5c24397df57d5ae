"""How each layer is quantised: our entries beside tfmot's default 8-bit scheme.

RNNPool: the four matrices per tensor, symmetric, on [-127, 127]; the output on the fixed grid
k/128, k = -128..127, because that is what the int8 operator writes (the hidden state is in
[-1, 1], so its range needs no training). Biases stay float: the operator keeps them as int32 with
scale 2^-26, which no 8-bit model can tell from float.

L2Normalization: its output on the same grid k/128, which TFLite's int8 operator prescribes.
MaxOutBackground: values of its input, so nothing of its own.

Importing this module imports tfmot and therefore needs `tf_keras`.
"""

from __future__ import annotations

import tensorflow as tf
import tensorflow_model_optimization as tfmot
from tensorflow_model_optimization.python.core.quantization.keras.default_8bit import (
    default_8bit_quantize_registry,
    default_8bit_quantizers,
)

from rnnpool_tf._keras import keras
from rnnpool_tf.layers import L2Normalization, MaxOutBackground, RNNPoolLayer

MATRICES = ("kernel1", "recurrent_kernel1", "kernel2", "recurrent_kernel2")
OUTPUT_SCALE = 1 / 128

_quantizers = tfmot.quantization.keras.quantizers


def _keep_zeros(weights: tf.Tensor) -> tf.Tensor:
    """Stops the gradient of every weight that is zero, so that it stays zero."""
    # tfmot's PrunePreserveDefaultWeightsQuantizer takes the mask once, when the wrapper is built:
    # a model restored from a file is built before its weights are read, and would lose its zeros
    # in the first step of resumed training. Taken from the weights themselves, it cannot be lost.
    return weights * tf.cast(tf.not_equal(weights, 0), weights.dtype)


class _KeepZeros:
    """Mixin in front of a tfmot weight quantizer: zeros survive training to the bit."""

    def __call__(self, inputs, training, weights, **kwargs):
        return super().__call__(_keep_zeros(inputs), training, weights, **kwargs)


def _unit_grid_quantizer():
    # (127/128 + 1) / 255 is 1/128 exactly, and zero falls on int8 0.
    return _quantizers.FixedQuantizer(
        num_bits=8, init_min=-1.0, init_max=127 * OUTPUT_SCALE, narrow_range=False
    )


class SparseWeightsQuantizer(_KeepZeros, _quantizers.LastValueQuantizer):
    """Symmetric 8-bit per-tensor quantizer that keeps zeros."""


class SparseConvWeightsQuantizer(
    _KeepZeros, default_8bit_quantizers.Default8BitConvWeightsQuantizer
):
    """Symmetric 8-bit per-channel quantizer of convolutions that keeps zeros."""


@keras.utils.register_keras_serializable(package="rnnpool_tf")
class SparseQuantizeConfig(default_8bit_quantize_registry.Default8BitQuantizeConfig):
    """tfmot's configuration of Dense, with `SparseWeightsQuantizer`.

    A class of its own because tfmot's collaborative schemes swap the quantizer on the instance,
    which is forgotten when the model is saved.
    """

    def __init__(self, weight_attrs, activation_attrs, quantize_output):
        super().__init__(weight_attrs, activation_attrs, quantize_output)
        self.weight_quantizer = SparseWeightsQuantizer(
            num_bits=8, per_axis=False, symmetric=True, narrow_range=True
        )


@keras.utils.register_keras_serializable(package="rnnpool_tf")
class SparseConvQuantizeConfig(default_8bit_quantize_registry.Default8BitConvQuantizeConfig):
    """tfmot's configuration of (depthwise) convolutions, with `SparseConvWeightsQuantizer`."""

    def __init__(self, weight_attrs, activation_attrs, quantize_output):
        super().__init__(weight_attrs, activation_attrs, quantize_output)
        self.weight_quantizer = SparseConvWeightsQuantizer()


@keras.utils.register_keras_serializable(package="rnnpool_tf")
class RNNPoolQuantizeConfig(tfmot.quantization.keras.QuantizeConfig):
    """Quantises an RNNPoolLayer as the int8 operator does.

    Args:
        preserve_sparsity: Keep the zeros of the matrices during training.

    Example, for models annotated by hand (`quantize()` does this by itself):

    >>> annotated = tfmot.quantization.keras.quantize_annotate_layer(
    ...     RNNPoolLayer(8, 8, 6, 4), RNNPoolQuantizeConfig())
    """

    def __init__(self, preserve_sparsity: bool = False):
        self.preserve_sparsity = bool(preserve_sparsity)
        quantizer = (
            SparseWeightsQuantizer if self.preserve_sparsity else _quantizers.LastValueQuantizer
        )
        self.weight_quantizer = quantizer(
            num_bits=8, per_axis=False, symmetric=True, narrow_range=True
        )
        self.output_quantizer = _unit_grid_quantizer()

    def get_weights_and_quantizers(self, layer):
        return [(getattr(layer, name), self.weight_quantizer) for name in MATRICES]

    def get_activations_and_quantizers(self, layer):
        return []

    def set_quantize_weights(self, layer, quantize_weights):
        for name, weight in zip(MATRICES, quantize_weights, strict=True):
            setattr(layer, name, weight)

    def set_quantize_activations(self, layer, quantize_activations):
        if quantize_activations:
            raise ValueError(
                "an RNNPoolLayer has no activation to quantise. "
                f"Received: {len(quantize_activations)} activations"
            )

    def get_output_quantizers(self, layer):
        return [self.output_quantizer]

    def get_config(self):
        return {"preserve_sparsity": self.preserve_sparsity}


@keras.utils.register_keras_serializable(package="rnnpool_tf")
class L2NormalizationQuantizeConfig(default_8bit_quantize_registry.Default8BitQuantizeConfig):
    """Quantises the output of an L2Normalization without scale as TFLite's int8 operator does."""

    def __init__(self):
        super().__init__([], [], True)
        self.activation_quantizer = _unit_grid_quantizer()

    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()


class RNNPoolQuantizeRegistry(tfmot.quantization.keras.default_8bit.Default8BitQuantizeRegistry):
    """tfmot's default 8-bit registry plus our layers, optionally keeping zeros everywhere."""

    def __init__(self, preserve_sparsity: bool = False):
        super().__init__()
        self._preserve_sparsity = preserve_sparsity

    def supports(self, layer):
        return isinstance(layer, _OUR_LAYERS) or super().supports(layer)

    def get_quantize_config(self, layer):
        if isinstance(layer, RNNPoolLayer):
            return RNNPoolQuantizeConfig(self._preserve_sparsity)
        if isinstance(layer, L2Normalization):
            return L2NormalizationQuantizeConfig()
        if isinstance(layer, MaxOutBackground):
            return default_8bit_quantize_registry.Default8BitQuantizeConfig([], [], False)
        config = super().get_quantize_config(layer)
        if not self._preserve_sparsity:
            return config
        if type(config) is default_8bit_quantize_registry.Default8BitConvQuantizeConfig:
            return SparseConvQuantizeConfig(**config.get_config())
        if (
            type(config) is default_8bit_quantize_registry.Default8BitQuantizeConfig
            and config.weight_attrs
        ):
            return SparseQuantizeConfig(**config.get_config())
        return config


class RNNPoolQuantizeScheme(tfmot.quantization.keras.default_8bit.Default8BitQuantizeScheme):
    """The scheme `quantize()` hands to tfmot's `quantize_apply`."""

    def __init__(self, preserve_sparsity: bool = False):
        self._preserve_sparsity = preserve_sparsity

    def get_quantize_registry(self):
        return RNNPoolQuantizeRegistry(self._preserve_sparsity)


_OUR_LAYERS = (RNNPoolLayer, L2Normalization, MaxOutBackground)

CUSTOM_OBJECTS = {
    cls.__name__: cls
    for cls in (
        RNNPoolQuantizeConfig,
        L2NormalizationQuantizeConfig,
        SparseQuantizeConfig,
        SparseConvQuantizeConfig,
        *_OUR_LAYERS,
    )
}

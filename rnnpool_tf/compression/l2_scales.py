"""Moves the scale of an L2Normalization into the kernels of the layers that read it.

A convolution of s · x with the kernel w is the convolution of x with w · s, channel by channel of
the input. In an int8 model the scale would be a MUL with a map of its own; folded it costs nothing,
and the map stays on the grid k/128 of TFLite's L2_NORMALIZATION.
"""

from __future__ import annotations

from rnnpool_tf._keras import keras
from rnnpool_tf.compression.checks import nodes_in
from rnnpool_tf.layers import L2Normalization

_READERS = {"Conv2D": "kernel", "DepthwiseConv2D": "depthwise_kernel", "Dense": "kernel"}


def fold_l2_scales(model):
    """Returns a model with the same outputs (to float32 rounding) whose L2Normalizations have no
    scale.

    Args:
        model: Built functional or sequential tf_keras model. It is returned as it is when none of
            its L2Normalizations has a scale, and copied otherwise.

    Raises:
        ValueError: Something other than a Conv2D (of one group), DepthwiseConv2D or Dense layer,
            called once, reads the output of an L2Normalization with a scale.
    """
    scaled = [
        layer
        for layer in model.layers
        if isinstance(layer, L2Normalization) and layer.scale is not None
    ]
    if not scaled:
        return model
    scale_of = {
        reader.name: layer.scale.numpy() for layer in scaled for reader in _readers(model, layer)
    }
    folded = keras.models.clone_model(model, clone_function=_without_scale)
    for layer in model.layers:
        twin = folded.get_layer(layer.name)
        if layer.name in scale_of:
            index = [w.name for w in layer.weights].index(_kernel(layer).name)
            weights = layer.get_weights()
            weights[index] = weights[index] * scale_of[layer.name][:, None]
            twin.set_weights(weights)
        elif layer not in scaled:
            twin.set_weights(layer.get_weights())
    return folded


def _without_scale(layer):
    config = layer.get_config()
    if isinstance(layer, L2Normalization):
        config["scale"] = None
    return type(layer).from_config(config)


def _kernel(layer):
    return getattr(layer, _READERS[type(layer).__name__])


def _readers(model, layer) -> list:
    readers = [node.outbound_layer for node in nodes_in(model, layer._outbound_nodes)]
    unfit = [reader for reader in readers if not _can_take_scale(model, reader)]
    if unfit or layer.output is model.output:
        reader = f"'{unfit[0].name}' ({type(unfit[0]).__name__})" if unfit else "the model's output"
        raise ValueError(
            "quantize() moves the scale of an L2Normalization into the Conv2D, DepthwiseConv2D and "
            "Dense layers behind it, each called once; build others with scale=None. "
            f"Received: '{layer.name}' of the model '{model.name}', read by {reader}"
        )
    return readers


def _can_take_scale(model, reader) -> bool:
    return (
        type(reader).__name__ in _READERS
        and getattr(reader, "groups", 1) == 1
        and len(nodes_in(model, reader._inbound_nodes)) == 1
    )

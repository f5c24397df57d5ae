"""The network of a Keras model."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rnnpool_tf.analysis.bounds import Map, Window
from rnnpool_tf.analysis.keras_calls import Call
from rnnpool_tf.analysis.network import (
    CONCATENATION,
    CONVOLUTION,
    DEPTHWISE,
    FULL,
    MERGE,
    POINT,
    POOL,
    RNNPOOL,
    SUM,
    Network,
    NetworkBuilder,
    Node,
)
from rnnpool_tf.geometry import pair

# Classes, and the functions of operations, without "_" and capitals.
_ACTIVATIONS = {
    "activation", "relu", "relu6", "leakyrelu", "prelu", "elu", "selu", "gelu", "silu", "swish",
    "sigmoid", "tanh", "softmax", "softplus", "softsign", "hardsigmoid", "hardswish", "hardsilu",
    "mish", "exp",
}  # fmt: skip
_SUMS = {"add", "subtract", "sub", "average", "maximum", "minimum"}
_PRODUCTS = {"multiply", "mul"}
_POOLS = ("MaxPooling2D", "AveragePooling2D")
_PASSING = {
    "batchnormalization", "cropping2d", "dropout", "flatten", "gaussiandropout", "gaussiannoise",
    "l2normalization", "layernormalization", "normalization", "permute", "rescaling", "reshape",
    "spatialdropout2d", "zeropadding2d",
}  # fmt: skip


def keras_network(calls: Sequence[Call], outputs: Sequence[int], element_bytes: int) -> Network:
    """Builds the network of a model.

    Args:
        calls: Of its layers.
        outputs: Numbers of its outputs.
        element_bytes: Bytes of an element of its maps.

    Raises:
        ValueError: No layer computes an output from an input, or a size is unknown.
    """
    builder = NetworkBuilder()
    for call in calls:
        for shape in call.output_shapes:
            if None in shape:
                raise ValueError(
                    "`model` must have a known input size. "
                    f"Received: {call.name} with output {shape}"
                )
        _add(builder, call)
    return builder.finish(outputs, element_bytes)


def _add(builder: NetworkBuilder, call: Call) -> None:
    kind = call.kind.lower().replace("_", "")
    size = map_of(call.output_shape)
    tensor = call.outputs[0]
    if kind == "inputlayer":
        builder.add_input(tensor, call.name, size)
    elif call.kind == "SeparableConv2D":
        window = _window(call.layer)
        wide = Map(size.height, size.width, call.input_shape[-1] * call.layer.depth_multiplier)
        filtered = (tensor, DEPTHWISE)
        builder.add_layer(call.inputs, filtered, Node(DEPTHWISE, (), window, wide, name=call.name))
        builder.add_layer([filtered], tensor, _node(call, CONVOLUTION, POINT))
    elif call.kind in ("Conv2D", "DepthwiseConv2D"):
        depthwise = call.kind != "Conv2D" or call.layer.groups == call.input_shape[-1] > 1
        kind = DEPTHWISE if depthwise else CONVOLUTION
        builder.add_layer(call.inputs, tensor, _node(call, kind, _window(call.layer)))
    elif call.kind in _POOLS:
        window = Window(
            pair(call.layer.pool_size, "pool_size"), pair(call.layer.strides, "strides")
        )
        builder.add_layer(call.inputs, tensor, _node(call, POOL, window))
    elif call.kind == "ReNetLayer":
        # An output depends on its whole row and column of windows. The paper counts ReNet's memory
        # as RNNPool's (Table 3): what it reads is not kept.
        before = map_of(call.input_shape)
        window = Window((before.height, before.width), call.layer.window)
        builder.add_layer(call.inputs, tensor, _node(call, RNNPOOL, window))
    elif call.kind in ("RNNPoolLayer", "RecurrentPoolLayer"):
        geometry = call.layer.geometry
        window = Window(geometry.pool_size, geometry.strides)
        builder.add_layer(call.inputs, tensor, _node(call, RNNPOOL, window))
    elif call.kind == "Dense" and len(call.output_shape) == 3:
        builder.add_layer(call.inputs, tensor, _node(call, CONVOLUTION, POINT))
    elif kind in _SUMS:
        builder.join(SUM, call.inputs, tensor, call.name, size)
    elif kind in _PRODUCTS:
        builder.scale(call.inputs, tensor, call.name, size)
    elif kind in ("concatenate", "concat") and _joins_channels(builder, call):
        builder.join(CONCATENATION, call.inputs, tensor, call.name, size)
    elif kind in _ACTIVATIONS | _PASSING | {"concatenate", "concat"}:
        builder.pass_on(call.inputs, tensor, activates=kind in _ACTIVATIONS and not _linear(call))
    elif len(set(call.inputs)) > 1:
        builder.join(MERGE, call.inputs, tensor, call.name, size)
    else:
        _add_unknown(builder, call, size)


def _add_unknown(builder: NetworkBuilder, call: Call, size: Map) -> None:
    """Global pooling, Dense, changes of size, and layers that we do not know."""
    before = map_of(call.input_shape) if call.input_shapes else size
    for tensor, shape in zip(call.outputs, call.output_shapes, strict=True):
        if shape == call.input_shapes[0]:
            builder.pass_on(call.inputs, tensor)
            continue
        after = map_of(shape)
        if (after.height, after.width) == (1, 1):
            known = builder.map_of(call.inputs[0]) or before  # before it was flattened
            whole = (known.height, known.width)
            window = Window(whole, whole)
        else:
            window = POINT
        kind = FULL if call.kind == "Dense" else POOL
        node = Node(kind, (), window, after, _linear(call), call.name)
        builder.add_layer(call.inputs, tensor, node)


def _node(call: Call, kind: str, window: Window) -> Node:
    return Node(kind, (), window, map_of(call.output_shape), _linear(call), call.name)


def _window(layer) -> Window:
    kernel, dilation = pair(layer.kernel_size, "kernel_size"), pair(layer.dilation_rate, "dilation")
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    return Window(reach, pair(layer.strides, "strides"))


def _linear(call: Call) -> bool:
    activation = getattr(call.layer, "activation", None)
    if activation is None:
        return call.kind.lower().replace("_", "") not in _ACTIVATIONS
    return getattr(activation, "__name__", "") == "linear"


def _joins_channels(builder: NetworkBuilder, call: Call) -> bool:
    """Whether it puts the channels of maps of one size together, and not predictions of several
    sizes in a row."""
    after = map_of(call.output_shape)
    maps = [builder.map_of(tensor) for tensor in call.inputs]
    known = [one for one in maps if one is not None]
    return sum(one.channels for one in known) == after.channels and all(
        (one.height, one.width) == (after.height, after.width) for one in known
    )


def map_of(shape: tuple[int, ...]) -> Map:
    """A shape without the batch as a map; vectors and everything else are maps of one pixel."""
    return Map(*shape) if len(shape) == 3 else Map(1, 1, math.prod(shape))

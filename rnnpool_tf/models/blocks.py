"""Building blocks shared by the networks: convolution + BatchNorm + activation, inverted residuals.

All convolutions are bias-free and followed by BatchNorm with epsilon 1e-5, as in EdgeML.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rnnpool_tf._keras import keras
from rnnpool_tf.arguments import check_part

PADDINGS = ("same", "pytorch")
ACTIVATIONS = ("relu6", "relu", "swish")


@dataclass(frozen=True)
class Style:
    """What the blocks of one network have in common.

    Attributes:
        padding: "same" pads as TensorFlow does (at stride 2 on even sizes: bottom and right only),
            which TFLite folds into its convolutions. "pytorch" pads symmetrically with explicit
            padding layers, which EdgeML's trained weights expect; in TFLite Micro they cost RAM.
        batch_norm_momentum: Of the moving averages; 0.99 in EdgeML (0.01 in PyTorch's terms).
        activation: Behind the convolutions: "relu6", "relu" or "swish".
    """

    padding: str = "same"
    batch_norm_momentum: float = 0.99
    activation: str = "relu6"

    def __post_init__(self):
        if self.padding not in PADDINGS:
            raise ValueError(
                f"`padding` must be one of {', '.join(map(repr, PADDINGS))}. "
                f"Received: padding={self.padding!r}"
            )
        check_part(self.batch_norm_momentum, "batch_norm_momentum")
        if self.activation not in ACTIVATIONS:
            raise ValueError(
                f"`activation` must be one of {', '.join(map(repr, ACTIVATIONS))}. "
                f"Received: activation={self.activation!r}"
            )


class Stage(NamedTuple):
    """Inverted residuals of one width: a row (t, c, n, s) of MobileNetV2's Table 2.

    Attributes:
        expansion: Factor of the 1×1 expansion.
        channels: Output channels, before any width multiplier.
        repetitions: Number of blocks.
        stride: Of the first block; the others have stride 1.
    """

    expansion: int
    channels: int
    repetitions: int
    stride: int


def make_divisible(channels: float, divisor: int = 8) -> int:
    """Rounds a channel count to a multiple of `divisor`, never by more than 10 % downwards.

    >>> make_divisible(160 * 0.35)
    56
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def conv(x, filters, kernel_size, strides, name, style, *, activate=True):
    """Convolution + BatchNorm (+ activation)."""
    x = bare_conv(x, filters, kernel_size, strides, name, style)
    x = normalise(x, name, style)
    return activation(x, name, style) if activate else x


def bare_conv(x, filters, kernel_size, strides, name, style):
    """Convolution alone, bias-free."""
    x, padding = _pad(x, kernel_size, strides, name, style)
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding=padding,
        use_bias=False,
        kernel_initializer=_he_normal("fan_out"),
        name=name,
    )(x)


def depthwise(x, strides, name, style, kernel_size=3):
    """Depthwise convolution + BatchNorm + activation."""
    x, padding = _pad(x, kernel_size, strides, name, style)
    x = keras.layers.DepthwiseConv2D(
        kernel_size,
        strides,
        padding=padding,
        use_bias=False,
        # PyTorch's fan-out of a depthwise kernel is channels · 9, which Keras calls its fan-in.
        depthwise_initializer=_he_normal("fan_in"),
        name=name,
    )(x)
    return activation(normalise(x, name, style), name, style)


def max_pool(x, strides, name, style):
    """3×3 max-pooling of a map that is nowhere negative."""
    x, padding = _pad(x, 3, strides, name, style)
    return keras.layers.MaxPooling2D(3, strides, padding=padding, name=name)(x)


def inverted_residual(x, expansion, filters, strides, name, style):
    """1×1 expansion, 3×3 depthwise, linear 1×1 projection, and the sum with the input if it fits.

    Source: Sandler et al., "MobileNetV2", CVPR 2018. The expansion is left out when it is 1.
    """
    channels = x.shape[-1]
    y = x
    if expansion != 1:
        y = conv(y, channels * expansion, 1, 1, f"{name}_expand", style)
    y = depthwise(y, strides, f"{name}_depthwise", style)
    y = conv(y, filters, 1, 1, f"{name}_project", style, activate=False)
    if strides == 1 and channels == filters:
        y = keras.layers.Add(name=f"{name}_add")([x, y])
    return y


def inverted_residuals(x, stages: Sequence[Stage], style, width=1.0) -> list:
    """Stacks the blocks of all stages, named block1, block2, …; returns each stage's output.

    Args:
        x: Input map.
        stages: In order.
        style: Of the network.
        width: Multiplier of the channels, see `make_divisible`; 1 takes them as they are.
    """
    outputs, block = [], 0
    for stage in stages:
        filters = stage.channels if width == 1 else make_divisible(stage.channels * width)
        for repetition in range(stage.repetitions):
            block += 1
            stride = stage.stride if repetition == 0 else 1
            x = inverted_residual(x, stage.expansion, filters, stride, f"block{block}", style)
        outputs.append(x)
    return outputs


def normalise(x, name, style):
    """BatchNorm."""
    return keras.layers.BatchNormalization(
        momentum=style.batch_norm_momentum, epsilon=1e-5, name=f"{name}_bn"
    )(x)


def activation(x, name, style):
    """The network's activation."""
    if style.activation == "swish":
        return keras.layers.Activation("swish", name=f"{name}_swish")(x)
    limit = 6.0 if style.activation == "relu6" else None
    return keras.layers.ReLU(limit, name=f"{name}_relu")(x)


def image_input(input_shape):
    """The input layer of an image (height, width, channels), or a ValueError."""
    try:
        *sides, channels = input_shape
        well_formed = len(sides) == 2 and all(side is None or _is_count(side) for side in sides)
    except TypeError:
        well_formed = False
    if not well_formed or not _is_count(channels):
        raise ValueError(
            "`input_shape` must be (height, width, channels), positive integers, or None for a "
            f"height or width that is not known yet. Received: input_shape={input_shape!r}"
        )
    return keras.Input(tuple(input_shape), name="image")


def _is_count(value) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and value > 0


def _pad(x, kernel_size, strides, name, style):
    if style.padding == "same" or strides == 1:
        return x, "same"  # At stride 1 an odd kernel is padded symmetrically anyway.
    margin = (kernel_size - 1) // 2
    return keras.layers.ZeroPadding2D(margin, name=f"{name}_pad")(x), "valid"


def _he_normal(mode):
    return keras.initializers.VarianceScaling(2.0, mode, "untruncated_normal")

"""What all face detectors share: their options, their detection levels, their outputs.

A detection level reads a map of the backbone: on the first three levels L2Normalization with a
scale, then two convolutions side by side, for the box's four offsets and for the class scores.
Level 0, whose small anchors meet mostly background, scores the background three times and keeps
the largest (`MaxOutBackground`). Source: Zhang et al., "S3FD", ICCV 2017; Saha et al., 2020, §5.2.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from rnnpool_tf._keras import keras
from rnnpool_tf.layers import L2Normalization, MaxOutBackground
from rnnpool_tf.models import blocks, pooling

OUTPUTS = ("anchors", "levels")
POOLINGS = ("rnnpool", "strided_conv")

PATCH = 8
# Start values of the L2 normalisation's scale, level by level; further levels have none.
_L2_SCALES = (10, 8, 5)
_BACKGROUNDS = 3  # scores of the background on level 0
_BOX = 4
_CLASSES = 2


@dataclass(frozen=True)
class Options:
    """The arguments of every detector but the image's size.

    Attributes:
        outputs: "anchors" or "levels".
        pooling: "rnnpool" or "strided_conv".
        style: Padding and BatchNorm.
        trainable_zeta_nu: See `RNNPoolLayer`.
    """

    outputs: str
    pooling: str
    style: blocks.Style
    trainable_zeta_nu: bool

    def __post_init__(self):
        if self.outputs not in OUTPUTS:
            raise ValueError(
                f"`outputs` must be one of {', '.join(map(repr, OUTPUTS))}. "
                f"Received: outputs={self.outputs!r}"
            )
        pooling.check_pooling(self.pooling, POOLINGS)


def pool(x, hidden: int, options: Options):
    """RNNPool with patch 8 and stride 4, or its twin: 4 · hidden channels."""
    return pooling.pool(
        x,
        options.pooling,
        hidden,
        PATCH,
        options.style,
        trainable_zeta_nu=options.trainable_zeta_nu,
    )


def detector(
    name: str,
    inputs,
    maps: Sequence,
    options: Options,
    *,
    kernels: Sequence[int] | None = None,
    reduction: int | None = None,
):
    """Puts a detection level on each map.

    Args:
        name: Of the network; the pooling is added to it.
        inputs: The input layer's output.
        maps: What the levels read, finest first.
        options: Of the network.
        kernels: Side of the heads' convolutions, level by level; 3 everywhere by default.
        reduction: On level 0, filters of a convolution of stride 2 in front of each of the two
            heads; none by default.

    Returns:
        A `keras.Model` as `face_m4` describes it.
    """
    kernels = kernels or [3] * len(maps)
    levels = [
        _level(index, x, kernel, None if index else reduction, options.style)
        for index, (x, kernel) in enumerate(zip(maps, kernels, strict=True))
    ]
    if options.outputs == "levels":
        results = [score for level in levels for score in level]
    else:
        results = _join([score for level in levels for score in level])
    return keras.Model(inputs, results, name=f"{name}_{options.pooling}")


def detection_levels(model):
    """The maps of each level of a face detector, with the same layers.

    Training takes the joined outputs, a microcontroller the maps; this leads from one to the other.

    Args:
        model: Any of the face detectors, with any `outputs`.

    Returns:
        A `keras.Model` as `outputs="levels"` builds it. It shares layers and weights with `model`.

    Raises:
        ValueError: Not such a network.

    Example:

    >>> from rnnpool_tf.models import detection_levels, face_m4
    >>> len(detection_levels(face_m4()).outputs)
    8
    """
    names = {layer.name for layer in model.layers}
    results = []
    for index in itertools.count():
        if index and f"loc{index}" not in names:
            return keras.Model(model.inputs, results, name=model.name)
        for name in (f"loc{index}", f"conf{index}" if index else f"max_out{index}"):
            if name not in names:
                raise ValueError(
                    "`model` must be a face detector of `rnnpool_tf.models`. "
                    f"Received: '{model.name}' without the layer '{name}'"
                )
            results.append(model.get_layer(name).output)


def join_levels(model):
    """A detector with joined outputs out of one that gives maps: the inverse of `detection_levels`.

    Quantisation-aware training is for the maps, which a microcontroller computes; the loss takes
    them joined. What joins them is no part of the quantised network.

    Args:
        model: A detector with `outputs="levels"`, quantisation-aware or not.

    Returns:
        A `keras.Model` with the outputs loc and conf of `outputs="anchors"`. It shares layers and
        weights with `model`.

    Raises:
        ValueError: The outputs are not maps in pairs.

    Example:

    >>> from rnnpool_tf.models import face_m4, join_levels
    >>> [tuple(shape[1:]) for shape in join_levels(face_m4(outputs="levels")).output_shape]
    [(3000, 4), (3000, 2)]
    """
    shapes = [tuple(output.shape) for output in model.outputs]
    if len(shapes) < 2 or len(shapes) % 2 or any(len(shape) != 4 for shape in shapes):
        raise ValueError(
            "`model` must give two maps (batch, h, w, values) for each level. "
            f"Received: outputs of shapes {shapes}"
        )
    return keras.Model(model.inputs, _join(model.outputs), name=model.name)


def _level(index: int, x, kernel: int, reduction: int | None, style: blocks.Style):
    """Box offsets and class scores of one detection level."""
    if index < len(_L2_SCALES):
        x = L2Normalization(_L2_SCALES[index], name=f"l2_{index}")(x)
    scores = _CLASSES if index else _BACKGROUNDS + 1
    loc, conf = (
        _head(x, filters, kernel, reduction, f"{name}{index}", style)
        for name, filters in (("loc", _BOX), ("conf", scores))
    )
    return loc, conf if index else MaxOutBackground(name=f"max_out{index}")(conf)


def _head(x, filters: int, kernel: int, reduction: int | None, name: str, style: blocks.Style):
    if reduction is not None:
        x = blocks.conv(x, reduction, 3, 2, f"{name}_reduce", style)
    return keras.layers.Conv2D(filters, kernel, padding="same", name=name)(x)


def _join(maps) -> list:
    """Maps (batch, h, w, values) of all levels as two tensors (batch, anchors, values)."""
    results = []
    for first, name in enumerate(("loc", "conf")):
        rows = [
            keras.layers.Reshape((-1, x.shape[-1]), name=f"{name}{index}_rows")(x)
            for index, x in enumerate(maps[first::2])
        ]
        results.append(keras.layers.Concatenate(axis=1, name=name)(rows))
    return results

"""Face detectors for microcontrollers: single shot, on grey QVGA images, with RNNPool in front."""

from __future__ import annotations

from collections.abc import Sequence

from rnnpool_tf._keras import keras
from rnnpool_tf.layers import L2Normalization, MaxOutBackground, RNNPoolLayer
from rnnpool_tf.models import blocks

OUTPUTS = ("anchors", "levels")

# One detection level behind every stage: strides 8, 8, 16, 16; anchors of 8, 16, 32, 48 pixels.
M4_STAGES = (
    blocks.Stage(2, 32, 1, 1),
    blocks.Stage(2, 32, 1, 1),
    blocks.Stage(2, 64, 1, 2),
    blocks.Stage(2, 64, 1, 1),
)
QVGA_STAGES = (
    blocks.Stage(2, 32, 4, 1),
    blocks.Stage(2, 32, 4, 1),
    blocks.Stage(2, 96, 3, 2),
    blocks.Stage(2, 128, 3, 1),
)
# Start values of the L2 normalisation's scale, level by level; the last level has none.
_L2_SCALES = (10, 8, 5, None)
_BACKGROUNDS = 3  # scores of the background on level 0
_BOX = 4
_CLASSES = 2


def face_m4(
    input_shape=(240, 320, 1),
    *,
    outputs="anchors",
    padding="same",
    batch_norm_momentum=0.9,
    trainable_zeta_nu=False,
):
    """RNNPool-Face-M4, the paper's face detector for a Cortex-M4 (EdgeML's `RPool_Face_M4`).

    A stem convolution (stride 2, 4 filters), one RNNPoolLayer (hidden 16, patch 8, stride 4), four
    inverted residuals, and behind each of them a detection level with one square anchor per cell:
    3×3 convolutions for the box's four offsets and for the two class scores. The first three
    levels are L2-normalised; level 0 scores the background three times and keeps the largest.
    Source: Saha et al., 2020, §5.2 and Table 15.

    Args:
        input_shape: (height, width, channels); 240×320 grey in the paper. Height and width may be
            None. The paper's pixels are grey − 117.31, not scaled further.
        outputs: "anchors" joins the levels, as training and decoding take them. "levels" gives the
            maps of each level, which is what a microcontroller wants: nothing is copied, and in an
            int8 model every map has its own scale.
        padding: "same" (meant for TFLite Micro) or "pytorch" (what EdgeML's weights expect).
        batch_norm_momentum: Of the moving averages.
        trainable_zeta_nu: See `RNNPoolLayer`.

    Returns:
        A `keras.Model` from (batch, height, width, channels) to a list: loc (batch, anchors, 4) and
        conf (batch, anchors, 2), or with "levels" loc (batch, h, w, 4) and conf (batch, h, w, 2) of
        level 0, of level 1, and so on. conf is (background, face), before any softmax. Anchors
        run over the levels, each row by row: 3000 at 240×320.

    Raises:
        ValueError: An argument is malformed, or the image is too small for the patches.

    Example:

    >>> from rnnpool_tf.models import face_m4
    >>> [tuple(shape[1:]) for shape in face_m4().output_shape]
    [(3000, 4), (3000, 2)]
    """
    style = blocks.Style(padding, batch_norm_momentum)
    return _detector("face_m4", M4_STAGES, input_shape, outputs, style, trainable_zeta_nu)


def face_qvga(
    input_shape=(240, 320, 1),
    *,
    outputs="anchors",
    padding="same",
    batch_norm_momentum=0.9,
    trainable_zeta_nu=False,
):
    """The larger QVGA detector (EdgeML's `RPool_Face_QVGA_monochrome`): `face_m4`, fourteen blocks.

    Args, Returns, Raises: as `face_m4`. Source: EdgeML; the network is not in the paper.

    Example:

    >>> from rnnpool_tf.models import face_qvga
    >>> len(face_qvga(outputs="levels").outputs)
    8
    """
    style = blocks.Style(padding, batch_norm_momentum)
    return _detector("face_qvga", QVGA_STAGES, input_shape, outputs, style, trainable_zeta_nu)


def detection_levels(model):
    """The maps of each level of a `face_m4` or `face_qvga` network, with the same layers.

    Training takes the joined outputs, a microcontroller the maps; this leads from one to the other.

    Args:
        model: Either network, with any `outputs`.

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
    for index in range(len(_L2_SCALES)):
        for name in (f"loc{index}", f"conf{index}" if index else f"max_out{index}"):
            if name not in names:
                raise ValueError(
                    "`model` must be made by `face_m4` or `face_qvga`. "
                    f"Received: '{model.name}' without the layer '{name}'"
                )
            results.append(model.get_layer(name).output)
    return keras.Model(model.inputs, results, name=model.name)


def _detector(
    name: str,
    stages: Sequence[blocks.Stage],
    input_shape,
    outputs: str,
    style: blocks.Style,
    trainable_zeta_nu: bool,
):
    if outputs not in OUTPUTS:
        raise ValueError(
            f"`outputs` must be one of {', '.join(map(repr, OUTPUTS))}. "
            f"Received: outputs={outputs!r}"
        )
    inputs = blocks.image_input(input_shape)
    x = blocks.conv(inputs, 4, 3, 2, "stem", style)
    x = RNNPoolLayer(16, 16, 8, 4, "replicate", trainable_zeta_nu=trainable_zeta_nu, name="pool")(x)
    maps = blocks.inverted_residuals(x, stages, style)
    levels = [_level(index, *pair) for index, pair in enumerate(zip(maps, _L2_SCALES, strict=True))]
    if outputs == "levels":
        results = [score for level in levels for score in level]
    else:
        locs, confs = zip(*levels, strict=True)
        results = [_join("loc", locs), _join("conf", confs)]
    return keras.Model(inputs, results, name=name)


def _level(index: int, x, l2_scale):
    """Box offsets and class scores of one detection level."""
    if l2_scale is not None:
        x = L2Normalization(l2_scale, name=f"l2_{index}")(x)
    scores = _CLASSES if index else _BACKGROUNDS + 1
    loc = keras.layers.Conv2D(_BOX, 3, padding="same", name=f"loc{index}")(x)
    conf = keras.layers.Conv2D(scores, 3, padding="same", name=f"conf{index}")(x)
    return loc, conf if index else MaxOutBackground(name=f"max_out{index}")(conf)


def _join(name: str, maps):
    """Maps (batch, h, w, values) of all levels as one tensor (batch, anchors, values)."""
    rows = [
        keras.layers.Reshape((-1, x.shape[-1]), name=f"{name}{index}_rows")(x)
        for index, x in enumerate(maps)
    ]
    return keras.layers.Concatenate(axis=1, name=name)(rows)

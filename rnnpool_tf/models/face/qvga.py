"""Face detectors for microcontrollers: grey QVGA images, four levels of strides 8, 8, 16, 16."""

from __future__ import annotations

from collections.abc import Sequence

from rnnpool_tf.models import blocks
from rnnpool_tf.models.face.detector import Options, detector, pool

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


def face_m4(
    input_shape=(240, 320, 1),
    *,
    outputs="anchors",
    pooling="rnnpool",
    padding="same",
    batch_norm_momentum=0.9,
    trainable_zeta_nu=False,
):
    """RNNPool-Face-M4, the paper's face detector for a Cortex-M4 (EdgeML's `RPool_Face_M4`).

    A stem convolution (stride 2, 4 filters), one RNNPoolLayer (hidden 16, patch 8, stride 4), four
    inverted residuals, and behind each of them a detection level with one square anchor per cell:
    3×3 convolutions for the box's four offsets and for the two class scores. The first three
    levels are L2-normalised; level 0 scores the background three times and keeps the largest. The
    levels have strides 8, 8, 16, 16 and anchors of 8, 16, 32, 48 pixels.
    Source: Saha et al., 2020, §5.2 and Table 15.

    Args:
        input_shape: (height, width, channels); 240×320 grey in the paper. Height and width may be
            None. The paper's pixels are grey − 117.31, not scaled further.
        outputs: "anchors" joins the levels, as training and decoding take them. "levels" gives the
            maps of each level, which is what a microcontroller wants: nothing is copied, and in an
            int8 model every map has its own scale.
        pooling: What reduces its map 4×: "rnnpool"; or "strided_conv", an 8×8 convolution of
            stride 4 to as many channels, with BatchNorm and ReLU6.
        padding: "same" (meant for TFLite Micro) or "pytorch" (what EdgeML's weights expect).
        batch_norm_momentum: Of the moving averages.
        trainable_zeta_nu: See `RNNPoolLayer`; without meaning to the other pooling.

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
    options = Options(outputs, pooling, style, trainable_zeta_nu)
    return _qvga_detector("face_m4", M4_STAGES, input_shape, options)


def face_qvga(
    input_shape=(240, 320, 1),
    *,
    outputs="anchors",
    pooling="rnnpool",
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
    options = Options(outputs, pooling, style, trainable_zeta_nu)
    return _qvga_detector("face_qvga", QVGA_STAGES, input_shape, options)


def _qvga_detector(name: str, stages: Sequence[blocks.Stage], input_shape, options: Options):
    inputs = blocks.image_input(input_shape)
    x = blocks.conv(inputs, 4, 3, 2, "stem", options.style)
    x = pool(x, 16, options)
    maps = blocks.inverted_residuals(x, stages, options.style)
    return detector(name, inputs, maps, options)

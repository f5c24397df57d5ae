"""Face detectors for colour VGA images that EdgeML has code for: six levels, strides 4 to 128."""

from __future__ import annotations

from rnnpool_tf.models import blocks
from rnnpool_tf.models.face.detector import Options, detector, pool

C_STAGES = (
    blocks.Stage(1, 24, 1, 1),
    blocks.Stage(6, 24, 1, 1),
    blocks.Stage(6, 32, 3, 2),
    blocks.Stage(6, 64, 4, 2),
    blocks.Stage(6, 96, 3, 2),
    blocks.Stage(6, 160, 2, 2),
    blocks.Stage(6, 320, 1, 2),
)
QUANT_STAGES = (
    blocks.Stage(2, 16, 4, 1),
    blocks.Stage(2, 24, 4, 2),
    blocks.Stage(2, 32, 2, 2),
    blocks.Stage(2, 64, 1, 2),
    blocks.Stage(2, 96, 1, 2),
)


def face_c(
    input_shape=(480, 640, 3),
    *,
    outputs="anchors",
    pooling="rnnpool",
    padding="same",
    batch_norm_momentum=0.9,
    trainable_zeta_nu=False,
):
    """RNNPool-Face-C, the paper's most accurate face detector (EdgeML's `RPool_Face_C`).

    One RNNPoolLayer (hidden 16, patch 8, stride 4) on the image itself, without a stem, and fifteen
    inverted residuals. Six detection levels as `face_m4` has them, of strides 4, 8, 16, 32, 64, 128
    and anchors of 16, 32, 64, 128, 256, 512 pixels. Source: Saha et al., 2020, §5.2 and Table 11.

    Where the paper and EdgeML's code differ, this is the code: the first block has no expansion
    (Table 11 prints t = 6), and the heads are 5×5 on levels 0–2, 1×1 on levels 3 and 4, 3×3 on
    level 5 (the paper's are all 3×3).

    Args:
        input_shape: (height, width, channels); 480×640 RGB in the paper. Height and width may be
            None. The paper's pixels are RGB − (123, 117, 104), not scaled further.
        outputs, pooling, padding, batch_norm_momentum, trainable_zeta_nu: As `face_m4`.

    Returns, Raises: As `face_m4`; 25 600 anchors at 480×640.

    Example:

    >>> from rnnpool_tf.models import face_c
    >>> [tuple(shape[1:]) for shape in face_c().output_shape]
    [(25600, 4), (25600, 2)]
    """
    options = Options(
        outputs, pooling, blocks.Style(padding, batch_norm_momentum), trainable_zeta_nu
    )
    inputs = blocks.image_input(input_shape)
    x = pool(inputs, 16, options)
    _, *maps = blocks.inverted_residuals(x, C_STAGES, options.style)
    return detector("face_c", inputs, maps, options, kernels=(5, 5, 5, 1, 1, 3))


def face_quant(
    input_shape=(480, 640, 3),
    *,
    outputs="anchors",
    pooling="rnnpool",
    padding="same",
    batch_norm_momentum=0.9,
    trainable_zeta_nu=False,
):
    """RNNPool-Face-Quant, the paper's small VGA detector (EdgeML's `RPool_Face_Quant`).

    Two convolutions of 4 filters (strides 2 and 1), one RNNPoolLayer (hidden 8, patch 8, stride 4)
    and twelve inverted residuals. Six detection levels with the strides and anchors of `face_c`.
    Level 0 reads the map in front of RNNPool, and each of its two heads begins with a convolution
    of stride 2 to 8 channels + BatchNorm + ReLU6. Source: Saha et al., 2020, §5.2 and Table 14,
    whose text says hidden 4; its table and EdgeML's code say 8.

    Args, Returns, Raises: As `face_c`.

    Example:

    >>> from rnnpool_tf.models import face_quant
    >>> [tuple(shape[1:3]) for shape in face_quant(outputs="levels").output_shape[::2]]
    [(120, 160), (60, 80), (30, 40), (15, 20), (8, 10), (4, 5)]
    """
    options = Options(
        outputs, pooling, blocks.Style(padding, batch_norm_momentum), trainable_zeta_nu
    )
    inputs = blocks.image_input(input_shape)
    x = blocks.conv(inputs, 4, 3, 2, "stem", options.style)
    stem = blocks.conv(x, 4, 3, 1, "stem2", options.style)
    x = pool(stem, 8, options)
    maps = blocks.inverted_residuals(x, QUANT_STAGES, options.style)
    return detector("face_quant", inputs, [stem, *maps], options, reduction=8)

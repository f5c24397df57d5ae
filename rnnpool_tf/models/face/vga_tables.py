"""Face detectors for colour VGA images that only the paper describes, as its tables print them.

What the tables leave open is decided here as in Face-C and Face-Quant, whose code is public:
RNNPool has patch 8 and stride 4 with the last row and column repeated once, every convolution is
followed by BatchNorm and ReLU6, the first three levels are L2-normalised with scales that start at
10, 8, 5, and level 0 scores the background three times. The heads are single 3×3 convolutions, as
the paper's text says of all its detectors.
"""

from __future__ import annotations

from rnnpool_tf.models import blocks
from rnnpool_tf.models.face.detector import Options, detector, pool

# (filters, kernel, stride) of the convolutions between RNNPool and the inverted residuals.
B_CONVOLUTIONS = ((24, 3, 1),) * 4 + ((96, 3, 2), (32, 1, 1))
B_STAGES = (
    blocks.Stage(6, 32, 3, 1),
    blocks.Stage(6, 64, 3, 2),
    blocks.Stage(6, 128, 2, 2),
    blocks.Stage(6, 160, 1, 2),
    blocks.Stage(6, 320, 1, 2),
)
# (filters, stride) of the pairs of a depthwise 3×3 and a 1×1 convolution.
A_PAIRS = ((16, 1),) * 4 + ((16, 2),)
A_STAGES = (
    blocks.Stage(1, 16, 3, 1),
    blocks.Stage(1, 24, 3, 2),
    blocks.Stage(1, 32, 2, 2),
    blocks.Stage(2, 128, 1, 2),
    blocks.Stage(2, 160, 1, 2),
)
_FIRST_LEVEL = 4  # Level 0 reads the fourth convolution, the last of stride 4.


def face_a(
    input_shape=(480, 640, 3),
    *,
    outputs="anchors",
    pooling="rnnpool",
    padding="same",
    batch_norm_momentum=0.9,
    trainable_zeta_nu=False,
):
    """RNNPool-Face-A, the paper's smallest VGA detector, as its Table 13 prints it.

    One RNNPoolLayer (hidden 4) on the image itself, five pairs of a depthwise 3×3 and a 1×1
    convolution, ten inverted residuals. Six detection levels with the strides and anchors of
    `face_c`: behind the fourth pair and behind every stage of inverted residuals.
    Source: Saha et al., 2020, §5.2 and Table 13.

    The paper contradicts itself. Hidden 4 gives the 16 channels of the table; its caption says 16.
    The paper claims 0.06 million parameters and 0.10 billion multiply-accumulates at 480×640, but
    the last row alone, (2, 160), has more parameters than that. This network has 118 102 and
    132.5 million (`rnnpool_tf.analysis.count`: `params`, `madds_shared`).

    Args, Returns, Raises: As `face_c`.

    Example:

    >>> from rnnpool_tf.models import face_a
    >>> [tuple(shape[1:]) for shape in face_a((96, 128, 3)).output_shape]
    [(1025, 4), (1025, 2)]
    """
    options = Options(
        outputs, pooling, blocks.Style(padding, batch_norm_momentum), trainable_zeta_nu
    )
    inputs = blocks.image_input(input_shape)
    x = pool(inputs, 4, options)
    maps = []
    for index, (filters, stride) in enumerate(A_PAIRS, 1):
        x = blocks.depthwise(x, stride, f"pair{index}_depthwise", options.style)
        x = blocks.conv(x, filters, 1, 1, f"pair{index}_pointwise", options.style)
        maps.append(x)
    stages = blocks.inverted_residuals(x, A_STAGES, options.style)
    return detector("face_a", inputs, [maps[_FIRST_LEVEL - 1], *stages], options)


def face_b(
    input_shape=(480, 640, 3),
    *,
    outputs="anchors",
    pooling="rnnpool",
    padding="same",
    batch_norm_momentum=0.9,
    trainable_zeta_nu=False,
):
    """RNNPool-Face-B, between Face-A and Face-C, as the paper's Table 12 prints it.

    One RNNPoolLayer (hidden 6) on the image itself, six convolutions, ten inverted residuals. Six
    detection levels with the strides and anchors of `face_c`: behind the fourth convolution and
    behind every stage of inverted residuals. Source: Saha et al., 2020, §5.2 and Table 12.

    The paper claims 1.12 million parameters and 1.18 billion multiply-accumulates at 480×640; the
    network of its table has 1 250 424 and 1.226 billion (`rnnpool_tf.analysis.count`: `params`,
    `madds_shared`).

    Args, Returns, Raises: As `face_c`.

    Example:

    >>> from rnnpool_tf.models import face_b
    >>> len(face_b((96, 128, 3), outputs="levels").outputs)
    12
    """
    options = Options(
        outputs, pooling, blocks.Style(padding, batch_norm_momentum), trainable_zeta_nu
    )
    inputs = blocks.image_input(input_shape)
    x = pool(inputs, 6, options)
    maps = []
    for index, (filters, kernel, stride) in enumerate(B_CONVOLUTIONS, 1):
        x = blocks.conv(x, filters, kernel, stride, f"conv{index}", options.style)
        maps.append(x)
    stages = blocks.inverted_residuals(x, B_STAGES, options.style)
    return detector("face_b", inputs, [maps[_FIRST_LEVEL - 1], *stages], options)

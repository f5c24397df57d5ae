"""Visual Wake Words (is there a person in the image?): MobileNetV2-0.35 with RNNPool."""

from __future__ import annotations

from rnnpool_tf.models import blocks
from rnnpool_tf.models.mobilenet_v2 import assemble
from rnnpool_tf.models.pooling import Choice


def visual_wake_words(
    input_shape=(224, 224, 3),
    num_classes=2,
    *,
    pooling="rnnpool",
    final_pooling="average",
    hidden=None,
    pool_size=None,
    width=0.35,
    stem_filters=8,
    last_filters=320,
    dropout=0.2,
    padding="same",
    batch_norm_momentum=0.99,
    trainable_zeta_nu=False,
    gates="smooth",
):
    """The paper's Visual Wake Words networks.

    By default a stem convolution (stride 2), one RNNPoolLayer (patch 6, stride 4) in place of
    MobileNetV2's first stages, eleven inverted residuals, a 1×1 convolution, global average and a
    Dense layer. Source: Saha et al., 2020, §5.2 and appendix G; EdgeML's `model_mobilenet_rnnpool`,
    and with `final_pooling="rnnpool"` its `model_mobilenet_2rnnpool`. `pooling="none"` gives the
    baseline: MobileNetV2-0.35 as a whole.

    Args:
        input_shape: (height, width, channels); the paper uses 96, 128, 160, 192 and 224 pixels,
            RGB. Grey images have 1 channel.
        num_classes: Number of logits.
        pooling: What reduces the stem's output in place of the first stages: "none" leaves them;
            "rnnpool", as in the paper; "rnnpool_gru", "rnnpool_lstm", "renet", "strided_conv",
            "max", "average": see `rnnpool_tf.models.pooling.pool`.
        final_pooling: What makes a vector of the last map: "average" or "rnnpool".
        hidden: Units of both RNNs of the pooling operator, which has 4 · hidden channels; None for
            the paper's.
        pool_size: Side of its patches, likewise.
        width: Width multiplier of the inverted residuals.
        stem_filters: Channels of the stem.
        last_filters: Channels of the last 1×1 convolution.
        dropout: Rate before the Dense layer; none behind a final RNNPool.
        padding: "same" (meant for TFLite Micro) or "pytorch" (what EdgeML's weights expect).
        batch_norm_momentum: Of the moving averages.
        trainable_zeta_nu: See `RNNPoolLayer`; without meaning to other poolings.
        gates: Likewise.

    Returns:
        A `keras.Model` from (batch, height, width, channels) to (batch, num_classes) logits.

    Raises:
        ValueError: An argument is malformed, or the image is too small for the patches.

    Example:

    >>> from rnnpool_tf.models import visual_wake_words
    >>> tuple(visual_wake_words((96, 96, 3)).get_layer("pool").output.shape[1:])
    (12, 12, 32)
    """
    choice = Choice(
        pooling,
        hidden,
        pool_size,
        blocks.Style(padding, batch_norm_momentum),
        trainable_zeta_nu,
        gates,
        "visual_wake_words",
    )
    return assemble(
        input_shape,
        num_classes,
        choice,
        final_pooling,
        width=width,
        stem_filters=stem_filters,
        last_filters=last_filters,
        dropout=dropout,
        name="visual_wake_words",
    )

"""The end of every classifier: one vector for the whole map, and the logits from it."""

from __future__ import annotations

from rnnpool_tf._keras import keras
from rnnpool_tf.arguments import check_part, positive_integer
from rnnpool_tf.gates import SMOOTH
from rnnpool_tf.layers import RNNPoolLayer

FINAL_POOLINGS = ("average", "rnnpool")


def classifier(
    x, num_classes, *, final_pooling="average", dropout=0.0, trainable_zeta_nu=False, gates=SMOOTH
):
    """Pools the whole map and gives logits.

    Args:
        x: The last map.
        num_classes: Number of logits.
        final_pooling: "average"; or "rnnpool": one patch as large as the map, both RNNs with a
            quarter of its channels, so that there are as many outputs (the paper's appendix F.1.2).
        dropout: Rate behind the average; behind RNNPool there is none, as in EdgeML's
            `model_mobilenet_2rnnpool`.
        trainable_zeta_nu: See `RNNPoolLayer`; without meaning to the average.
        gates: Likewise.

    Raises:
        ValueError: Another `final_pooling`, channels that 4 does not divide, or a number out of
            range.
    """
    if final_pooling not in FINAL_POOLINGS:
        raise ValueError(
            f"`final_pooling` must be one of {', '.join(map(repr, FINAL_POOLINGS))}. "
            f"Received: final_pooling={final_pooling!r}"
        )
    positive_integer(num_classes, "num_classes")
    check_part(dropout, "dropout")
    if final_pooling == "rnnpool":
        x = _pool_whole_map(x, trainable_zeta_nu, gates)
    else:
        x = keras.layers.GlobalAveragePooling2D(name="average")(x)
        if dropout:
            x = keras.layers.Dropout(dropout, name="dropout")(x)
    return keras.layers.Dense(
        num_classes, kernel_initializer=keras.initializers.RandomNormal(stddev=0.01), name="logits"
    )(x)


def _pool_whole_map(x, trainable_zeta_nu, gates):
    height, width, channels = x.shape[1:]
    if channels % 4:
        raise ValueError(
            "the last map must have a multiple of 4 channels for `final_pooling='rnnpool'`. "
            f"Received: {channels}"
        )
    x = RNNPoolLayer(
        channels // 4,
        channels // 4,
        (height, width),
        trainable_zeta_nu=trainable_zeta_nu,
        gates=gates,
        name="final_pool",
    )(x)
    return keras.layers.Flatten(name="features")(x)

"""What RNNPool replaces in which network: the one table that the builders read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pool:
    """One RNNPoolLayer of the paper.

    Attributes:
        hidden: Units of both RNNs; the pooled map has 4 · hidden channels.
        pool_size: Side of a patch.
        strides: Distance between patches.
    """

    hidden: int
    pool_size: int
    strides: int


@dataclass(frozen=True)
class Replacement:
    """What one network loses to RNNPool, right behind its stem convolution.

    Attributes:
        family: Name of the builder.
        pools: What takes the place, in order: one layer, or two.
        replaced: What goes.
        first_kept: What comes right behind the layer.
        kept_from: The same as an index into the builder's stages.
        source: Where the paper says so, and where it does not.
    """

    family: str
    pools: tuple[Pool, ...]
    replaced: str
    first_kept: str
    kept_from: int
    source: str


_MOBILENET_STAGES = "the stages with 16, 24 and 32 channels"

REPLACEMENTS = {
    "visual_wake_words": Replacement(
        "visual_wake_words",
        (Pool(8, 6, 4),),
        f"{_MOBILENET_STAGES} (before the width multiplier)",
        "the stage with 64 channels, stride 2",
        3,
        "Tables 9 and 10, EdgeML's model_mobilenet_rnnpool",
    ),
    "mobilenet_v2": Replacement(
        "mobilenet_v2",
        (Pool(16, 6, 4),),
        _MOBILENET_STAGES,
        "the stage with 64 channels, stride 2",
        3,
        "Tables 9 and 10",
    ),
    "mobilenet_v2_deeper": Replacement(
        "mobilenet_v2",
        (Pool(16, 12, 8),),
        "the stages with 16, 24, 32 and 64 channels",
        "the stage with 96 channels",
        4,
        "Table 16 (f), appendix H",
    ),
    "mobilenet_v2_deeper_twice": Replacement(
        "mobilenet_v2",
        (Pool(16, 6, 4), Pool(16, 4, 2)),
        "the stages with 16, 24, 32 and 64 channels",
        "the stage with 96 channels",
        4,
        "Table 16 (g), appendix H; the units of the second layer are ours",
    ),
    "mobilenet_v1": Replacement(
        "mobilenet_v1",
        (Pool(16, 6, 4),),
        "the layers with 64, 128 and 128 channels and the first with 256",
        "the second layer with 256 channels, stride 1",
        4,
        "§5.1 names the units only; the rest is what has the numbers of Table 3",
    ),
    "efficientnet_b0": Replacement(
        "efficientnet_b0",
        (Pool(16, 6, 4),),
        "the stages with 16, 24 and 40 channels",
        "the stage with 80 channels, stride 2",
        3,
        "Table 9, §E.2.2",
    ),
    "resnet18": Replacement(
        "resnet18",
        (Pool(32, 8, 4),),
        "max-pool, conv2_x and conv3_x",
        "conv4_x, stride 2",
        2,
        "Table 9, §E.2.2",
    ),
    "densenet121": Replacement(
        "densenet121",
        (Pool(48, 8, 4),),
        "P1, D1, T1 and D2",
        "T2",
        1,
        "Table 9, §4 and Figure 2, whose 128 channels contradict the 4 · 48 of Table 9",
    ),
    "googlenet": Replacement(
        "googlenet",
        (Pool(32, 8, 4),),
        "the first two max-pools, conv2, conv3, inception (3a) and (3b)",
        "the max-pool in front of inception (4a)",
        1,
        "Table 9; what is replaced is not stated, this is what has the numbers of Table 1",
    ),
}

"""What the paper claims (Saha et al., 2020): its tables as data, and where they contradict it.

Figures are as printed. Where ours are off by more than 2 %, `notes` say why, as far as it is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Claim:
    """A row of a table.

    Attributes:
        label: As printed.
        network: A name in `rnnpool_tf.models.zoo.NETWORKS` or one of its detectors.
        parameters, madds, ram: As printed, or "".
        accuracy: As printed: percent, or average precision.
        notes: Keys of the table's notes.
        arguments: Of this network's builder.
    """

    label: str
    network: str
    parameters: str = ""
    madds: str = ""
    ram: str = ""
    accuracy: str = ""
    notes: tuple[str, ...] = ()
    arguments: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A table of the paper.

    Attributes:
        title: What it compares.
        claims: Its rows; of baselines by others only those that we have.
        notes: By a letter.
        arguments: Of all its networks: the data set's classes and picture size.
        element_bytes: 4 for float32, 1 for int8.
        data: What its accuracies are measured on.
        score: What its last column is.
    """

    title: str
    claims: tuple[Claim, ...]
    notes: dict[str, str]
    data: str
    arguments: dict = field(default_factory=dict)
    element_bytes: int = 4
    score: str = "accuracy, %"


_TEN = {"num_classes": 10}
_BLOCK = (
    "MAdds: the paper leaves the first 64-channel block with the 32 input channels that it has in "
    "MobileNetV2; behind the pooling of Table 10 it has 64, which costs 15.6M more."
)
_MOBILENET = (
    "Parameters: the stages that go hold 54,560 together, so pooling cannot save 0.2M. 2.00M are "
    "what is left where the 64-channel stage goes, too (mobilenet_v2_rnnpool_deeper)."
)
_DENSENET = (
    "MAdds: RNNPool's 0.33G are the difference between the paper's rows here too, but what it "
    "leaves for the rest, 0.71G, is less than D3, T3 and D4 have (0.756G), which stay as they are "
    "in DenseNet121 with its 2.83G."
)

TABLES = {
    "1": Table(
        "Base networks and RNNPool in place of their first stages",
        (
            Claim("MobileNetV2", "mobilenet_v2", "2.20M", "0.30G", "2.29 MB", "94.20"),
            Claim(
                "MobileNetV2, RNNPool",
                "mobilenet_v2_rnnpool",
                *("2.00M", "0.23G", "0.24 MB", "94.40"),
                ("a", "b"),
            ),
            Claim("EfficientNet-B0", "efficientnet_b0", "4.03M", "0.39G", "2.29 MB", "96.00"),
            Claim(
                "EfficientNet-B0, RNNPool",
                "efficientnet_b0_rnnpool",
                *("3.90M", "0.33G", "0.25 MB", "96.40"),
                ("c",),
            ),
            Claim("ResNet18", "resnet18", "11.20M", "1.80G", "3.06 MB", "94.80"),
            Claim(
                "ResNet18, RNNPool",
                "resnet18_rnnpool",
                *("10.60M", "0.95G", "0.38 MB", "94.40"),
                ("d",),
            ),
            Claim("DenseNet121", "densenet121", "6.96M", "2.83G", "3.06 MB", "95.40"),
            Claim(
                "DenseNet121, RNNPool",
                "densenet121_rnnpool",
                *("5.60M", "1.04G", "0.77 MB", "94.80"),
                ("e",),
            ),
            Claim(
                "  all poolings RNNPool",
                "densenet121_rnnpool_intermediate",
                *("", "1.42G", "0.77 MB", ""),
                ("h",),
            ),
            Claim(
                "  and 24 layers dropped",
                "densenet121_rnnpool_intermediate_short",
                *("", "0.79G", "0.43 MB", "94.2"),
                ("i",),
            ),
            Claim(
                "GoogLeNet",
                "googlenet",
                *("9.96M", "1.57G", "3.06 MB", "96.00"),
                ("f",),
                {"auxiliary": True},
            ),
            Claim(
                "GoogLeNet, RNNPool",
                "googlenet_rnnpool",
                *("9.35M", "0.81G", "0.78 MB", "95.60"),
                ("g",),
                {"auxiliary": True},
            ),
        ),
        {
            "a": _BLOCK,
            "b": _MOBILENET,
            "c": "Parameters: the stages that go hold 64,802 together, so pooling cannot save "
            "0.13M. MAdds: 0.33G printed may be 0.325G, within 1 %.",
            "d": "MAdds: the paper leaves out RNNPool's own 157.1M; without them 0.94G are left.",
            "e": _DENSENET,
            "f": "Parameters: with the auxiliary classifiers of its training. MAdds: with the 5×5 "
            "convolutions of Szegedy et al. where common implementations, and the parameters, "
            "have 3×3 (`large_kernel=5`: 1.58G).",
            "g": "What is replaced is not stated; ours is what has the parameters. MAdds: the "
            "paper leaves out RNNPool's own 157.1M, and leaves inception (4a) 480 inputs in place "
            "of 128.",
            "h": "Text of §4: `about 2× and 4× lower compute and RAM` than DenseNet121.",
            "i": "RAM: 0.43 MB are what D3 gives, 14x14x576. T2's convolution, in front of its "
            "pooling, gives 28x28x256, which are 0.77 MB.",
        },
        "ImageNet-10",
        _TEN,
    ),
    "2": Table(
        "Pooling operators in the same place",
        (
            Claim("MobileNetV2", "mobilenet_v2", "2.2M", "0.300G", "", "94.20"),
            Claim("  last-layer RNNPool", "mobilenet_v2_final", "2.9M", "0.334G", "", "95.00"),
            Claim("  average", "mobilenet_v2_average", "2.0M", "0.200G", "", "90.80", ("a", "b")),
            Claim("  max", "mobilenet_v2_max", "2.0M", "0.200G", "", "92.80", ("a", "b")),
            Claim(
                "  strided convolution",
                "mobilenet_v2_strided_conv",
                *("2.1M", "0.258G", "", "93.00"),
                ("a", "b"),
            ),
            Claim("  ReNet", "mobilenet_v2_renet", "2.3M", "0.296G", "", "92.20", ("a",)),
            Claim("  RNNPool", "mobilenet_v2_rnnpool", "2.0M", "0.226G", "", "94.40", ("a", "b")),
            Claim(
                "  RNNPool, also last",
                "mobilenet_v2_rnnpool_final",
                *("2.7M", "0.260G", "", "95.60"),
                ("a", "b"),
            ),
            Claim("DenseNet121", "densenet121", "6.96M", "2.83G", "", "95.40"),
            Claim(
                "  last-layer RNNPool",
                "densenet121_final",
                *("7.41M", "3.05G", "", "95.40"),
                ("d",),
            ),
            Claim("  average", "densenet121_average", "5.59M", "0.71G", "", "92.80", ("c",)),
            Claim("  max", "densenet121_max", "5.59M", "0.71G", "", "93.40", ("c",)),
            Claim(
                "  strided convolution",
                "densenet121_strided_conv",
                *("6.38M", "1.33G", "", "93.80"),
                ("c",),
            ),
            Claim("  ReNet", "densenet121_renet", "6.41M", "1.35G", "", "93.00", ("c",)),
            Claim("  RNNPool", "densenet121_rnnpool", "5.60M", "1.04G", "", "94.80", ("c",)),
            Claim(
                "  RNNPool, also last",
                "densenet121_rnnpool_final",
                *("6.06M", "1.26G", "", "95.00"),
                ("c", "d"),
            ),
            Claim(
                "VWW, MobileNetV2-0.35", "visual_wake_words", "296K", "53.2M", "", "90.20", ("e",)
            ),
            Claim(
                "  last-layer RNNPool",
                "visual_wake_words_final",
                *("300K", "53.4M", "", "91.14"),
                ("e", "f"),
            ),
            Claim("  average", "visual_wake_words_average", "255K", "31.9M", "", "86.85", ("e",)),
            Claim("  max", "visual_wake_words_max", "255K", "31.9M", "", "86.92", ("e",)),
            Claim(
                "  strided convolution",
                "visual_wake_words_strided_conv",
                *("264K", "39.2M", "", "88.08"),
                ("e",),
            ),
            Claim("  ReNet", "visual_wake_words_renet", "277K", "46.4M", "", "88.10", ("e",)),
            Claim("  RNNPool", "visual_wake_words_rnnpool", "255K", "37.7M", "", "89.57", ("e",)),
            Claim(
                "  RNNPool, also last",
                "visual_wake_words_rnnpool_final",
                *("259K", "37.9M", "", "89.65"),
                ("e", "f"),
            ),
        ),
        {
            "a": _BLOCK,
            "b": _MOBILENET,
            "c": _DENSENET,
            "d": "The last RNNPool adds 22M MAdds to DenseNet121; the paper's 0.22G are ten times "
            "as many.",
            "e": "The released network (EdgeML) is not the one that the paper counted: 281,902 "
            "parameters and 37.2M. The base with 16 instead of 8 filters in its stem has 287,330 "
            "parameters and 52.7M; no width that we tried fits both figures.",
            "f": "The last RNNPool has 45,124 parameters and 2.15M MAdds here; the paper adds 4K "
            "and 0.2M, a tenth. The same step in MobileNetV2 is printed right.",
        },
        "ImageNet-10 and Visual Wake Words",
        _TEN,
    ),
    "3": Table(
        "MobileNets on ImageNet-1K",
        (
            Claim("MobileNetV1", "mobilenet_v1", "4.2M", "569M", "3.06 MB", "69.52"),
            Claim("  ReNet", "mobilenet_v1_renet", "4.2M", "487M", "0.77 MB", "66.90"),
            Claim("  RNNPool", "mobilenet_v1_rnnpool", "4.1M", "417M", "0.77 MB", "69.39"),
            Claim("MobileNetV2", "mobilenet_v2", "3.4M", "300M", "2.29 MB", "71.81", ("c",)),
            Claim(
                "  ReNet",
                "mobilenet_v2_renet",
                *("3.6M", "296M", "0.24 MB", "66.72"),
                ("a",),
            ),
            Claim(
                "  RNNPool",
                "mobilenet_v2_rnnpool",
                *("3.2M", "226M", "0.24 MB", "70.14"),
                ("a", "b"),
            ),
        ),
        {
            "a": _BLOCK,
            "b": _MOBILENET,
            "c": "3,504,872 parameters with BatchNorm, 3,470,760 without; 3.4M is what the authors "
            "of MobileNetV2 print.",
        },
        "ImageNet-1K",
        {"num_classes": 1000},
    ),
    "4": Table(
        "Face detectors for 640×480 pictures, WIDER FACE (easy, medium, hard)",
        (
            Claim(
                "RNNPool-Face-C", "face_c", "1.52M", "1.80G", "6.44 MB", "0.92 0.89 0.70", ("c",)
            ),
            Claim(
                "RNNPool-Face-B", "face_b", "1.12M", "1.18G", "1.76 MB", "0.87 0.84 0.67", ("a",)
            ),
            Claim(
                "RNNPool-Face-A", "face_a", "0.06M", "0.10G", "1.17 MB", "0.77 0.75 0.53", ("a",)
            ),
            Claim(
                "RNNPool-Face-Quant",
                "face_quant",
                *("0.07M", "0.12G", "225 KB", "0.80 0.78 0.53"),
                ("b",),
            ),
        ),
        {
            "a": "Networks A and B are built from the paper's Tables 13 and 12, which do not have "
            "the parameters that Table 4 prints: A's last row alone has 76K.",
            "b": "EdgeML and Table 14's 32 channels have 8 units, the text 4; with 4 units the "
            "MAdds are 0.11G. int8, the other rows float32.",
            "c": "The heads are those of EdgeML's code (5×5 on the three largest maps, then 1×1 "
            "and 3×3); with 3×3 everywhere, as in the text, 79M fewer: 1.758G.",
        },
        "WIDER FACE",
        {"input_shape": (480, 640, 3)},
        score="average precision",
    ),
    "5": Table(
        "Head detection on a microcontroller, SCUT-HEAD B",
        (Claim("RNNPool-Face-M4", "face_m4", "", "70M", "188 KB", "0.58", ("a", "b")),),
        {
            "a": "70M counts RNNPool with the paper's sparsity, but neither convention gives it: "
            "dense 90.6M, with 263 of RNNPool's 832 weights 54M.",
            "b": "188 KB is the buffer of EdgeML's C code (188,160 bytes), with 16 bits for most "
            "maps; ours is the convention of appendix E.2 with int8.",
        },
        "SCUT-HEAD B (`examples/face_detection` trains on it)",
        {"input_shape": (240, 320, 1)},
        element_bytes=1,
        score="average precision",
    ),
    "16": Table(
        "Variations of MobileNetV2-RNNPool",
        (
            Claim(
                "(a) patch 6, h 16, stride 4",
                "mobilenet_v2_rnnpool",
                *("", "0.23G", "0.24 MB", "94.4"),
                ("a",),
            ),
            Claim(
                "(b) patch 8",
                "mobilenet_v2_rnnpool_patch8",
                *("", "0.24G", "0.24 MB", "94.0"),
                ("a",),
            ),
            Claim(
                "(c) patch 4",
                "mobilenet_v2_rnnpool_patch4",
                *("", "0.22G", "0.24 MB", "93.2"),
                ("a",),
            ),
            Claim(
                "(d) h 8", "mobilenet_v2_rnnpool_hidden8", "", "0.21G", "0.14 MB", "92.8", ("a",)
            ),
            Claim(
                "(e) h 32", "mobilenet_v2_rnnpool_hidden32", "", "0.29G", "0.43 MB", "95.0", ("a",)
            ),
            Claim(
                "(f) stride 8, patch 12",
                "mobilenet_v2_rnnpool_deeper",
                *("", "0.17G", "0.14 MB", "94.0"),
                ("b",),
            ),
            Claim(
                "(g) stride 4, patch 6; stride 2, patch 4",
                "mobilenet_v2_rnnpool_deeper_twice",
                *("", "0.17G", "0.19 MB", "93.2"),
                ("b",),
            ),
        ),
        {
            "a": _BLOCK + " With 8 units the paper's way gives 208.2M, with 32 units 293.5M.",
            "b": "RNNPool has 22.0M in (f) and 29.8M in (g), whose second layer's units are not "
            "stated (16 here); we found no reading of appendix H that gives 0.17G.",
        },
        "ImageNet-10",
        _TEN,
    ),
    "18": Table(
        "Cells of MobileNetV2-RNNPool",
        (
            Claim("LSTM", "mobilenet_v2_rnnpool_lstm", "2.0M", "266M", "", "93.4", ("a", "b", "c")),
            Claim("GRU", "mobilenet_v2_rnnpool_gru", "2.0M", "246M", "", "93.0", ("a", "b", "c")),
            Claim("FastGRNN", "mobilenet_v2_rnnpool", "2.0M", "226M", "", "94.4", ("a", "b")),
        ),
        {
            "a": _BLOCK,
            "b": _MOBILENET,
            "c": "The paper adds 20.15M, the products with U, once for a GRU and twice for an "
            "LSTM, which have three and four times FastGRNN's matrices, W included.",
        },
        "ImageNet-10",
        _TEN,
    ),
}

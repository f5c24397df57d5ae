"""What the RNNPool paper says of its networks, row by row, and where it contradicts itself.

Saha et al., "RNNPool: Efficient Non-linear Pooling for RAM Constrained Inference", NeurIPS 2020:
Tables 1 to 5, 16 and 18, Figure 3 and the text of section 4. Rows of other people's networks and
the columns of Table 1 for schedules that recompute are left out. (Table 10 is an architecture; its
network is row "RNNPool" of Tables 1 to 3.)

Conventions of the paper, as its numbers show them:

* multiply-accumulates are `ModelCount.madds_shared`;
* parameters are `ModelCount.params` to the accuracy that they are printed with;
* peak RAM is that of `rnnpool_tf.analysis.conventions`, with `bytes_per_element` for each value of
  a map; MB are 2^20 bytes, KB 2^10.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rnnpool_tf import models

MB, KB = 2**20, 2**10


@dataclass(frozen=True)
class Claim:
    """One row.

    Attributes:
        table: "1", "16", "Figure 3", "§4", …
        row: What the paper calls it.
        network: A name in `rnnpool_tf.models.NETWORKS`, or one of the face detectors in
            `rnnpool_tf.models`.
        arguments: Of its builder.
        params: Parameters, as all numbers here None where the paper has none.
        madds: Multiply-accumulates.
        peak_ram: Bytes.
        bytes_per_element: Of each value of a map in `peak_ram`.
        accuracy: In percent; of face detectors the mean average precisions that `measure` names.
        measure: What `accuracy` is.
        note: Why our counts differ, where they do by more than 2 %.
    """

    table: str
    row: str
    network: str
    arguments: dict = field(default_factory=dict)
    params: float | None = None
    madds: float | None = None
    peak_ram: float | None = None
    bytes_per_element: int = 4
    accuracy: tuple[float, ...] = ()
    measure: str = "top-1 accuracy, %"
    note: str = ""

    def build(self):
        """The network, a `keras.Model` with random weights.

        >>> CLAIMS[0].build().name
        'mobilenet_v2_none'
        """
        if self.network in models.NETWORKS:
            return models.build(self.network, **self.arguments)
        return getattr(models, self.network)(**self.arguments)


_BLOCK = (
    "MAdds: the paper leaves the first 64-channel block with the 32 input channels that it has in "
    "MobileNetV2; behind the pooling of Table 10 it has 4 · hidden, and 64 cost 17.2M more. The "
    "paper seems to count a 1×1 convolution from 32 to 64 channels, 1.6M, in its place."
)
_FEW = "Parameters: the stages that go hold {:,} together, so pooling cannot save the claimed {}."
_MOBILENET = _FEW.format(54_560, "200,000")
_DEEPER = (
    " 2.00M are what is left where the 64-channel stage goes, too (mobilenet_v2_rnnpool_deeper)."
)
_TEN = {"num_classes": 10}


def _table1() -> list[Claim]:
    def row(name, params, madds, ram, accuracy, note="", **arguments):
        title = name.replace("_rnnpool", " with RNNPool")
        return Claim(
            "1", title, name, _TEN | arguments, params, madds, ram * MB, 4, (accuracy,), note=note
        )

    return [
        row("mobilenet_v2", 2.20e6, 0.30e9, 2.29, 94.20),
        row("mobilenet_v2_rnnpool", 2.00e6, 0.23e9, 0.24, 94.40, f"{_BLOCK} {_MOBILENET}{_DEEPER}"),
        row("efficientnet_b0", 4.03e6, 0.39e9, 2.29, 96.00),
        row(
            "efficientnet_b0_rnnpool",
            3.90e6,
            0.33e9,
            0.25,
            96.40,
            _FEW.format(64_802, "130,000"),
        ),
        row("resnet18", 11.20e6, 1.80e9, 3.06, 94.80),
        row(
            "resnet18_rnnpool",
            10.60e6,
            0.95e9,
            0.38,
            94.40,
            "MAdds: the paper leaves out RNNPool's own 157.1M; without them 0.94G are left.",
        ),
        row("densenet121", 6.96e6, 2.83e9, 3.06, 95.40),
        row("densenet121_rnnpool", 5.60e6, 1.04e9, 0.77, 94.80, _DENSENET),
        row(
            "googlenet",
            9.96e6,
            1.57e9,
            3.06,
            96.00,
            "Parameters: with the auxiliary classifiers of its training and 3×3 convolutions where "
            "Szegedy et al. have 5×5. MAdds: those of 5×5 convolutions (large_kernel=5: 1.58G).",
            auxiliary=True,
        ),
        row(
            "googlenet_rnnpool",
            9.35e6,
            0.81e9,
            0.78,
            95.60,
            "MAdds: the paper leaves out RNNPool's own 157.1M, and leaves inception (4a) its 480 "
            "inputs in place of 128.",
            auxiliary=True,
        ),
    ]


_DENSENET = (
    "MAdds: RNNPool's 334M are the difference between the paper's two rows, but what it leaves for "
    "the rest, 0.71G, is less than D3, T3 and D4 have (0.756G), which stay as they are in "
    "DenseNet121 with its 2.83G."
)
_SLIP = (
    "The paper's increments for the final RNNPool, 4K parameters and 0.2M MAdds, are a tenth of "
)
_SLIP += "what a layer with h1 = h2 = 80 has (45,124 and 2.15M)."
_WIDTH = (
    "The paper's network is not quite the one that EdgeML released: no widths fit both its "
    "parameters and its MAdds."
)


def _table2() -> list[Claim]:
    def rows(network, arguments, table):
        return [
            Claim("2", label, name, arguments, params, madds, accuracy=(accuracy,), note=note)
            for label, suffix, params, madds, accuracy, note in table
            for name in [f"{network}{suffix}"]
        ]

    mobilenet = rows(
        "mobilenet_v2",
        _TEN,
        [
            ("MobileNetV2, base network", "", 2.2e6, 0.300e9, 94.20, ""),
            ("MobileNetV2, last layer RNNPool", "_final", 2.9e6, 0.334e9, 95.00, ""),
            (
                "MobileNetV2, average pooling",
                "_average",
                2.0e6,
                0.200e9,
                90.80,
                f"{_BLOCK} {_MOBILENET}",
            ),
            ("MobileNetV2, max pooling", "_max", 2.0e6, 0.200e9, 92.80, f"{_BLOCK} {_MOBILENET}"),
            (
                "MobileNetV2, strided convolution",
                "_strided_conv",
                2.1e6,
                0.258e9,
                93.00,
                f"{_BLOCK} {_MOBILENET}",
            ),
            ("MobileNetV2, ReNet", "_renet", 2.3e6, 0.296e9, 92.20, _BLOCK),
            (
                "MobileNetV2, RNNPoolLayer",
                "_rnnpool",
                2.0e6,
                0.226e9,
                94.40,
                f"{_BLOCK} {_MOBILENET}{_DEEPER}",
            ),
            (
                "MobileNetV2, RNNPoolLayer + last layer RNNPool",
                "_rnnpool_final",
                2.7e6,
                0.260e9,
                95.60,
                f"{_BLOCK} {_MOBILENET}",
            ),
        ],
    )
    densenet = rows(
        "densenet121",
        _TEN,
        [
            ("DenseNet121, base network", "", 6.96e6, 2.83e9, 95.40, ""),
            (
                "DenseNet121, last layer RNNPool",
                "_final",
                7.41e6,
                3.05e9,
                95.40,
                "MAdds: the claimed 0.22G for the final RNNPool are ten times its 0.022G.",
            ),
            ("DenseNet121, average pooling", "_average", 5.59e6, 0.71e9, 92.80, _DENSENET),
            ("DenseNet121, max pooling", "_max", 5.59e6, 0.71e9, 93.40, _DENSENET),
            ("DenseNet121, strided convolution", "_strided_conv", 6.38e6, 1.33e9, 93.80, _DENSENET),
            ("DenseNet121, ReNet", "_renet", 6.41e6, 1.35e9, 93.00, _DENSENET),
            ("DenseNet121, RNNPoolLayer", "_rnnpool", 5.60e6, 1.04e9, 94.80, _DENSENET),
            (
                "DenseNet121, RNNPoolLayer + last layer RNNPool",
                "_rnnpool_final",
                6.06e6,
                1.26e9,
                95.00,
                "MAdds: the 0.21G that the paper's RNNPool row lacks and its tenfold final RNNPool "
                "(0.22G) cancel.",
            ),
        ],
    )
    visual_wake_words = rows(
        "visual_wake_words",
        {},
        [
            ("Visual Wake Words, base network", "", 296e3, 53.2e6, 90.20, _WIDTH),
            ("Visual Wake Words, last layer RNNPool", "_final", 300e3, 53.4e6, 91.14, _SLIP),
            ("Visual Wake Words, average pooling", "_average", 255e3, 31.9e6, 86.85, _WIDTH),
            ("Visual Wake Words, max pooling", "_max", 255e3, 31.9e6, 86.92, _WIDTH),
            (
                "Visual Wake Words, strided convolution",
                "_strided_conv",
                264e3,
                39.2e6,
                88.08,
                _WIDTH,
            ),
            ("Visual Wake Words, ReNet", "_renet", 277e3, 46.4e6, 88.10, _WIDTH),
            ("Visual Wake Words, RNNPoolLayer", "_rnnpool", 255e3, 37.7e6, 89.57, _WIDTH),
            (
                "Visual Wake Words, RNNPoolLayer + last layer RNNPool",
                "_rnnpool_final",
                259e3,
                37.9e6,
                89.65,
                _SLIP,
            ),
        ],
    )
    return [*mobilenet, *densenet, *visual_wake_words]


def _table3() -> list[Claim]:
    def row(label, name, ram, params, madds, accuracy, note=""):
        return Claim("3", label, name, {}, params, madds, ram * MB, 4, (accuracy,), note=note)

    return [
        row("MobileNetV1", "mobilenet_v1", 3.06, 4.2e6, 569e6, 69.52),
        row("MobileNetV1-ReNet", "mobilenet_v1_renet", 0.77, 4.2e6, 487e6, 66.90),
        row("MobileNetV1-RNNPool", "mobilenet_v1_rnnpool", 0.77, 4.1e6, 417e6, 69.39),
        row(
            "MobileNetV2",
            "mobilenet_v2",
            2.29,
            3.4e6,
            300e6,
            71.81,
            "Parameters: as Sandler et al. print them; without BatchNorm they are 3.47M.",
        ),
        row("MobileNetV2-ReNet", "mobilenet_v2_renet", 0.24, 3.6e6, 296e6, 66.72, _BLOCK),
        row(
            "MobileNetV2-RNNPool",
            "mobilenet_v2_rnnpool",
            0.24,
            3.2e6,
            226e6,
            70.14,
            f"{_BLOCK} {_MOBILENET}",
        ),
    ]


def _faces() -> list[Claim]:
    measure = "MAP, easy, medium, hard; with at most 3 faces"

    def row(letter, ram, params, madds, accuracy, note="", bytes_per_element=4):
        return Claim(
            "4",
            f"RNNPool-Face-{letter}",
            f"face_{letter.lower()}",
            {"outputs": "levels"},
            params,
            madds,
            ram,
            bytes_per_element,
            accuracy,
            measure,
            note,
        )

    return [
        row("C", 6.44 * MB, 1.52e6, 1.80e9, (0.92, 0.89, 0.70, 0.95, 0.94, 0.92)),
        row(
            "B",
            1.76 * MB,
            1.12e6,
            1.18e9,
            (0.87, 0.84, 0.67, 0.91, 0.90, 0.88),
            "Table 12 as printed; its patches are not stated, 8 is Face-C's.",
        ),
        row(
            "A",
            1.17 * MB,
            0.06e6,
            0.10e9,
            (0.77, 0.75, 0.53, 0.81, 0.79, 0.77),
            "The last row of Table 13 alone has 76K weights, so it is not the network of 0.06M.",
        ),
        row(
            "Quant",
            225 * KB,
            0.07e6,
            0.12e9,
            (0.80, 0.78, 0.53, 0.84, 0.83, 0.81),
            "MAdds: with 8 units, as Table 14 and EdgeML's code have; the text says 4 (106M).",
            1,
        ),
        Claim(
            "5",
            "RNNPool-Face-M4",
            "face_m4",
            {"outputs": "levels"},
            None,
            70e6,
            188 * KB,
            1,
            (0.58,),
            "MAP on SCUT-HEAD",
            "Counted dense; with the sparse matrices of RNNPool that the paper has it is 54M.",
        ),
    ]


def _table16() -> list[Claim]:
    fewer = "The paper leaves the first block with 32 input channels; with them it is {:.1f}M."
    unexplained = "RNNPool has {}M of it; we found no reading of Appendix H that gives 0.17G."
    rows = (
        ("(a)", "mobilenet_v2_rnnpool", 94.4, 0.24, 0.23e9, _BLOCK),
        ("(b)", "mobilenet_v2_rnnpool_patch8", 94.0, 0.24, 0.24e9, _BLOCK),
        ("(c)", "mobilenet_v2_rnnpool_patch4", 93.2, 0.24, 0.22e9, _BLOCK),
        ("(d)", "mobilenet_v2_rnnpool_hidden8", 92.8, 0.14, 0.21e9, fewer.format(208.2)),
        ("(e)", "mobilenet_v2_rnnpool_hidden32", 95.0, 0.43, 0.29e9, fewer.format(293.5)),
        ("(f)", "mobilenet_v2_rnnpool_deeper", 94.0, 0.14, 0.17e9, unexplained.format("22.0")),
        (
            "(g)",
            "mobilenet_v2_rnnpool_deeper_twice",
            93.2,
            0.19,
            0.17e9,
            unexplained.format("29.8"),
        ),
    )
    return [
        Claim("16", label, name, _TEN, None, madds, ram * MB, 4, (accuracy,), note=note)
        for label, name, accuracy, ram, madds, note in rows
    ]


def _table18() -> list[Claim]:
    cells = (
        "{} The paper adds 20.15M, the products with U, {} to FastGRNN's 226M; {} has {} times "
        f"FastGRNN's matrices, W included. {_MOBILENET}"
    )
    return [
        Claim("18", label, name, _TEN, 2.0e6, madds, accuracy=(accuracy,), note=note)
        for label, name, madds, accuracy, note in (
            (
                "LSTM",
                "mobilenet_v2_rnnpool_lstm",
                266e6,
                93.4,
                cells.format(_BLOCK, "twice", "an LSTM", "four"),
            ),
            (
                "GRU",
                "mobilenet_v2_rnnpool_gru",
                246e6,
                93.0,
                cells.format(_BLOCK, "once", "a GRU", "three"),
            ),
            ("FastGRNN", "mobilenet_v2_rnnpool", 226e6, 94.4, f"{_BLOCK} {_MOBILENET}"),
        )
    ]


def _text() -> list[Claim]:
    """Section 4; of Figure 3, whose points have no figures, what §5.2 and its caption say."""
    intermediate = "densenet121_rnnpool_intermediate"
    figure = [
        Claim(
            "Figure 3",
            f"MobileNetV2-0.35 with RNNPool, {size}×{size}",
            "visual_wake_words_rnnpool_final",
            {"input_shape": (size, size, 3)},
            peak_ram=33.68 * KB if size == 224 else None,
            bytes_per_element=1,
            accuracy=(89.65,) if size == 224 else (),
        )
        for size in (96, 128, 160, 192, 224)
    ]
    base = [
        Claim(
            "Figure 3",
            f"MobileNetV2-0.35, {size}×{size}",
            "visual_wake_words",
            {"input_shape": (size, size, 3)},
            peak_ram={96: 40 * KB, 224: 250 * KB}.get(size),
            bytes_per_element=1,
            accuracy=(90.20,) if size == 224 else (),
        )
        for size in (96, 128, 160, 192, 224)
    ]
    return [
        Claim(
            "§4",
            "DenseNet121-RNNPool, all poolings",
            intermediate,
            _TEN,
            madds=2.83e9 / 2,
            peak_ram=3.06 * MB / 4,
            note='"about 2× and 4× lower compute and RAM" than DenseNet121.',
        ),
        Claim(
            "§4",
            "DenseNet121-RNNPool, all poolings, 24 dense layers dropped",
            f"{intermediate}_short",
            _TEN,
            madds=0.79e9,
            peak_ram=0.43 * MB,
            accuracy=(94.2,),
        ),
        *figure,
        *base,
    ]


CLAIMS: tuple[Claim, ...] = (
    *_table1(),
    *_table2(),
    *_table3(),
    *_faces(),
    *_table16(),
    *_table18(),
    *_text(),
)

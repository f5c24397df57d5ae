"""Every classification network of the paper's tables, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rnnpool_tf.models.densenet121 import densenet121
from rnnpool_tf.models.efficientnet_b0 import efficientnet_b0
from rnnpool_tf.models.googlenet import googlenet
from rnnpool_tf.models.mobilenet_v1 import mobilenet_v1
from rnnpool_tf.models.mobilenet_v2 import mobilenet_v2
from rnnpool_tf.models.resnet18 import resnet18
from rnnpool_tf.models.visual_wake_words import visual_wake_words

BUILDERS = {
    builder.__name__: builder
    for builder in (
        visual_wake_words,
        mobilenet_v2,
        mobilenet_v1,
        resnet18,
        densenet121,
        efficientnet_b0,
        googlenet,
    )
}


@dataclass(frozen=True)
class Network:
    """One network.

    Attributes:
        family: Name of its builder, in `BUILDERS`.
        description: What it is, in a line.
        arguments: Of the builder, beside its defaults.
    """

    family: str
    description: str
    arguments: dict = field(default_factory=dict)

    @property
    def builder(self) -> Callable:
        """Its builder."""
        return BUILDERS[self.family]


_TITLES = {
    "visual_wake_words": "Visual Wake Words, MobileNetV2-0.35",
    "mobilenet_v2": "MobileNetV2",
    "mobilenet_v1": "MobileNetV1",
    "resnet18": "ResNet18",
    "densenet121": "DenseNet121",
    "efficientnet_b0": "EfficientNet-B0",
    "googlenet": "GoogLeNet",
}
_POOLINGS = {
    "none": "the whole network, nothing replaced",
    "rnnpool": "RNNPool in place of the first stages",
    "rnnpool_gru": "RNNPool of GRUs in place of the first stages",
    "rnnpool_lstm": "RNNPool of LSTMs in place of the first stages",
    "renet": "ReNet in place of the first stages",
    "strided_conv": "one strided convolution in place of the first stages",
    "max": "max-pooling and a 1×1 convolution in place of the first stages",
    "average": "average pooling and a 1×1 convolution in place of the first stages",
}
# Families with the rows of Table 2, and the others with what Tables 1 and 3 have of them.
_ALTERNATIVES = ("renet", "strided_conv", "max", "average")
_OPERATORS = {
    "visual_wake_words": ("none", "rnnpool", *_ALTERNATIVES),
    "mobilenet_v2": ("none", "rnnpool", "rnnpool_gru", "rnnpool_lstm", *_ALTERNATIVES),
    "mobilenet_v1": ("none", "rnnpool", "renet"),
    "resnet18": ("none", "rnnpool"),
    "densenet121": ("none", "rnnpool", *_ALTERNATIVES),
    "efficientnet_b0": ("none", "rnnpool"),
    "googlenet": ("none", "rnnpool"),
}


def _networks() -> dict[str, Network]:
    networks = {}
    for family, poolings in _OPERATORS.items():
        for pooling in poolings:
            name = family if pooling == "none" else f"{family}_{pooling}"
            description = f"{_TITLES[family]}: {_POOLINGS[pooling]}"
            networks[name] = Network(family, description, {"pooling": pooling})
        if "average" in poolings:  # Table 2
            networks[f"{family}_final"] = Network(
                family,
                f"{_TITLES[family]}: the whole network, RNNPool for the final average",
                {"pooling": "none", "final_pooling": "rnnpool"},
            )
            networks[f"{family}_rnnpool_final"] = Network(
                family,
                f"{_TITLES[family]}: RNNPool in place of the first stages and of the final average",
                {"pooling": "rnnpool", "final_pooling": "rnnpool"},
            )
    title = f"{_TITLES['mobilenet_v2']}-RNNPool"
    for suffix, what, arguments in (
        ("patch8", "patch 8 (Table 16 b)", {"pool_size": 8}),
        ("patch4", "patch 4 (Table 16 c)", {"pool_size": 4}),
        ("hidden8", "8 units (Table 16 d)", {"hidden": 8}),
        ("hidden32", "32 units (Table 16 e)", {"hidden": 32}),
        (
            "deeper",
            "stride 8, patch 12, one stage more replaced (Table 16 f)",
            {"replace": "deeper"},
        ),
        (
            "deeper_twice",
            "two RNNPools, strides 4 and 2, one stage more replaced (Table 16 g)",
            {"replace": "deeper_twice"},
        ),
    ):
        networks[f"mobilenet_v2_rnnpool_{suffix}"] = Network(
            "mobilenet_v2", f"{title}: {what}", {"pooling": "rnnpool", **arguments}
        )
    everywhere = {
        "pooling": "rnnpool",
        "transition_pooling": "rnnpool",
        "final_pooling": "rnnpool",
    }
    networks["densenet121_rnnpool_intermediate"] = Network(
        "densenet121",
        "DenseNet121-RNNPool: RNNPool for T2's, T3's and the final average, too (§4)",
        everywhere,
    )
    networks["densenet121_rnnpool_intermediate_short"] = Network(
        "densenet121",
        "DenseNet121-RNNPool: the same, 14 layers of D3 and 10 of D4 dropped (§4)",
        {**everywhere, "dropped_layers": (14, 10)},
    )
    return networks


# Names begin with the family; what follows is what differs from the network as it was published.
NETWORKS = _networks()


def build(name: str, **overrides):
    """Builds a network.

    Args:
        name: A name in `NETWORKS`.
        **overrides: Arguments of the family's builder, such as `input_shape` and `num_classes`;
            they win over those of `NETWORKS`.

    Returns:
        A `keras.Model`.

    Raises:
        ValueError: No such network, no such argument, or what the builder raises.

    Example:

    >>> from rnnpool_tf.models import build
    >>> build("mobilenet_v2_rnnpool", input_shape=(96, 96, 3), num_classes=10).output_shape
    (None, 10)
    """
    if not isinstance(name, str) or name not in NETWORKS:
        raise ValueError(f"`name` must be one of {', '.join(NETWORKS)}. Received: name={name!r}")
    network = NETWORKS[name]
    known = ("input_shape", "num_classes", *network.builder.__kwdefaults__)
    for argument in overrides:
        if argument not in known:
            raise ValueError(
                f"arguments of '{name}' must be among {', '.join(known)}. Received: {argument}"
            )
    return network.builder(**{**network.arguments, **overrides})

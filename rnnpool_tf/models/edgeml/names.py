"""Which of EdgeML's PyTorch parameters belong to which layer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

RNNPOOL = "rnn_model"

# A Keras layer's name and the prefix of its parameters.
Pairs = Iterator[tuple[str, str]]


def prefixes(model) -> Pairs:
    """Yields the name of every layer with parameters, and what its parameters' names begin with.

    Args:
        model: One of the networks that EdgeML has too, of any sizes.

    Raises:
        ValueError: Another model, or one whose layers are wrapped or renamed.
    """
    if model.name not in _NETWORKS:
        raise ValueError(
            f"`model` must be one of EdgeML's networks: {', '.join(_NETWORKS)}. "
            f"Received: '{model.name}'"
        )
    names = {layer.name for layer in model.layers}
    pairs = dict(_NETWORKS[model.name](names))
    left_over = {layer.name for layer in model.layers if layer.weights} ^ set(pairs)
    if left_over:
        raise ValueError(
            "`model` must be as its builder makes it, not wrapped for pruning or quantised. "
            f"Received: '{model.name}', which differs in '{min(left_over)}'"
        )
    yield from pairs.items()


def _visual_wake_words(names: set[str]) -> Pairs:
    yield from _convolution("stem", "features_init", 0)
    yield "pool", RNNPOOL
    yield from _blocks(names, "features")
    count = sum(name.endswith("_project") for name in names)
    yield from _convolution("last", f"features.{count}", 0)
    yield "logits", "classifier.1"


def _face(*stem: str) -> Callable[[set[str]], Pairs]:
    """A detector, from the prefixes of the convolutions in front of its RNNPool."""

    def pairs(names: set[str]) -> Pairs:
        for name, prefix in zip(("stem", "stem2"), stem, strict=False):
            yield from _convolution(name, prefix, 0)
        yield "pool", RNNPOOL
        yield from _blocks(names, "mob")
        for level, norm in enumerate(("L2Norm3_3", "L2Norm4_3", "L2Norm5_3")):
            yield f"l2_{level}", norm
        for head in ("loc", "conf"):
            yield from _heads(names, head)

    return pairs


def _heads(names: set[str], head: str) -> Pairs:
    """The convolutions of the levels in one list; those that reduce in front come first in it."""
    reduce = f"{head}0_reduce"
    offset = int(reduce in names)
    if offset:
        yield from _convolution(reduce, f"{head}.0", 0)
    for level in itertools.count():
        if f"{head}{level}" not in names:
            return
        yield f"{head}{level}", f"{head}.{level + offset}"


def _blocks(names: set[str], prefix: str) -> Pairs:
    """Inverted residuals; one without expansion has its parts numbered from its depthwise."""
    for block in itertools.count(1):
        if f"block{block}_project" not in names:
            return
        conv = f"{prefix}.{block - 1}.conv"
        parts = [
            name for name in (f"block{block}_expand", f"block{block}_depthwise") if name in names
        ]
        for index, name in enumerate(parts):
            yield from _convolution(name, f"{conv}.{index}", 0)
        yield from _convolution(f"block{block}_project", conv, len(parts))


def _convolution(name: str, prefix: str, index: int) -> Pairs:
    """A convolution and the BatchNorm that follows it in the same list."""
    yield name, f"{prefix}.{index}"
    yield f"{name}_bn", f"{prefix}.{index + 1}"


_NETWORKS = {
    "visual_wake_words_rnnpool": _visual_wake_words,
    "face_c_rnnpool": _face(),
    "face_quant_rnnpool": _face("conv_top.0", "conv_top.1"),
    "face_m4_rnnpool": _face("conv"),
    "face_qvga_rnnpool": _face("conv"),
}

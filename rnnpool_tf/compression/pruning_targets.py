"""Which weights of a model `prune()` prunes, how many of each, and in which pattern."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rnnpool_tf._keras import keras
from rnnpool_tf.compression.patterns import (
    TWO_OF_FOUR,
    TWO_OF_FOUR_SPARSITY,
    UNSTRUCTURED,
    check_pattern,
)
from rnnpool_tf.layers import RNNPoolLayer

#: Zeros of the paper's sparse face model (M4): 50 % of W1, 70 % of U1, W2 and U2.
PAPER_RNNPOOL_SPARSITY = {
    "kernel1": 0.5,
    "recurrent_kernel1": 0.7,
    "kernel2": 0.7,
    "recurrent_kernel2": 0.7,
}


@dataclass(frozen=True)
class Choice:
    """What `prune()` was asked for; its arguments of the same names."""

    sparsity: float
    rnnpool_sparsity: float | str | Mapping[str, float] | None
    layer_sparsity: Mapping[str, float]
    pattern: str
    layer_pattern: Mapping[str, str]
    prune_stem: bool
    prune_depthwise: bool


@dataclass(frozen=True)
class Target:
    """What becomes of one weight tensor: its fraction of zeros, above 0, and their pattern."""

    sparsity: float
    pattern: str


def targets(model, choice: Choice) -> dict[str, dict[str, Target]]:
    """Returns {layer name: {attribute name: target}}; layers that stay dense have none.

    Raises:
        ValueError: A number out of its range, an unknown layer, matrix or pattern, a sparsity that
            a pattern cannot have, or nothing to prune.
    """
    _check(model, choice)
    stem = next((x.name for x in model.layers if type(x) is keras.layers.Conv2D), None)
    chosen = {}
    for layer in model.layers:
        fractions = _fractions(layer, choice, is_stem=layer.name == stem)
        if fractions is not None:
            pattern = _pattern(layer, choice)
            chosen[layer.name] = {
                name: _target(layer.name, fraction, pattern)
                for name, fraction in fractions.items()
                if fraction > 0
            }
    if not any(chosen.values()):
        raise ValueError(
            f"prune() found nothing to prune in '{model.name}': no Conv2D, Dense or RNNPool layer "
            f"with a sparsity above 0. Received: sparsity={choice.sparsity}, "
            f"rnnpool_sparsity={choice.rnnpool_sparsity}"
        )
    return chosen


def check_fraction(name: str, value) -> None:
    """Raises ValueError unless `value`, the argument `name`, is a fraction of zeros."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1:
        raise ValueError(
            f"`{name}` must be a fraction of zeros, 0 <= {name} < 1. Received: {name}={value!r}"
        )


def _check(model, choice: Choice) -> None:
    check_fraction("sparsity", choice.sparsity)
    check_pattern("pattern", choice.pattern)
    names = {layer.name for layer in model.layers}
    for argument, check in (("layer_sparsity", check_fraction), ("layer_pattern", check_pattern)):
        for name, value in getattr(choice, argument).items():
            check(f"{argument}[{name!r}]", value)
            if name not in names:
                raise ValueError(
                    f"`{argument}` must name layers of '{model.name}'. Received: {name!r}"
                )


def _fractions(layer, choice: Choice, is_stem: bool) -> dict[str, float] | None:
    """{attribute: fraction of zeros}; None for a layer that cannot be pruned."""
    own, layers = choice.layer_sparsity.get(layer.name), keras.layers
    if isinstance(layer, RNNPoolLayer):
        wanted = own if own is not None else choice.rnnpool_sparsity
        return _rnnpool_fractions(choice.sparsity if wanted is None else wanted)
    if type(layer) in (layers.Conv2D, layers.Dense):
        default = 0.0 if is_stem and not choice.prune_stem else choice.sparsity
        return {"kernel": default if own is None else own}
    if type(layer) is layers.DepthwiseConv2D:
        default = choice.sparsity if choice.prune_depthwise else 0.0
        return {"depthwise_kernel": default if own is None else own}
    for argument in ("layer_sparsity", "layer_pattern"):
        if layer.name in getattr(choice, argument):
            raise ValueError(
                f"`{argument}` must name Conv2D, DepthwiseConv2D, Dense or RNNPool layers. "
                f"Received: '{layer.name}', a {type(layer).__name__}"
            )
    return None


def _rnnpool_fractions(wanted) -> dict[str, float]:
    if isinstance(wanted, str):
        if wanted != "paper":
            raise ValueError(
                "`rnnpool_sparsity` must be a number, a mapping or 'paper'. "
                f"Received: rnnpool_sparsity={wanted!r}"
            )
        return PAPER_RNNPOOL_SPARSITY
    if not isinstance(wanted, Mapping):
        check_fraction("rnnpool_sparsity", wanted)
        return dict.fromkeys(PAPER_RNNPOOL_SPARSITY, wanted)
    for name, value in wanted.items():
        if name not in PAPER_RNNPOOL_SPARSITY:
            raise ValueError(
                f"`rnnpool_sparsity` must name matrices out of {list(PAPER_RNNPOOL_SPARSITY)}. "
                f"Received: {name!r}"
            )
        check_fraction(f"rnnpool_sparsity[{name!r}]", value)
    return {name: wanted[name] for name in PAPER_RNNPOOL_SPARSITY if name in wanted}


def _pattern(layer, choice: Choice) -> str:
    if type(layer) is not keras.layers.DepthwiseConv2D:
        return choice.layer_pattern.get(layer.name, choice.pattern)
    own = choice.layer_pattern.get(layer.name, UNSTRUCTURED)
    if own != UNSTRUCTURED:
        raise ValueError(
            "`layer_pattern` must be '1x1' for a DepthwiseConv2D, each of whose outputs has a "
            f"single input channel. Received: layer_pattern[{layer.name!r}]={own!r}"
        )
    return own


def _target(layer: str, fraction: float, pattern: str) -> Target:
    if pattern == TWO_OF_FOUR and fraction != TWO_OF_FOUR_SPARSITY:
        raise ValueError(
            f"the pattern '2:4' means a sparsity of {TWO_OF_FOUR_SPARSITY}; give a layer with "
            f"another one another pattern in `layer_pattern`. Received: {fraction} for '{layer}'"
        )
    return Target(fraction, pattern)

"""In what pattern the zeros of a weight tensor lie, found by looking.

Groups run along the last axis, the inputs of a unit, as `rnnpool_tf.compression.prune` makes them.
"""

from __future__ import annotations

import numpy as np

DENSE, UNSTRUCTURED, PAIRS, TWO_OF_FOUR = "dense", "unstructured", "1x2", "2:4"

_DENSE_FROM = 0.9
# Rounding to int8 turns a few more weights into zeros, whose neighbours live on.
_PAIRS_FROM = 0.8
# Sparser tensors often have two zeros in every four by chance.
_TWO_OF_FOUR_FROM = 0.4


def find_pattern(weights: np.ndarray, groups: bool = True) -> str:
    """Names the pattern of a tensor's zeros.

    Args:
        weights: [..., inputs].
        groups: False where the last axis is not one of inputs, as in depthwise convolutions.

    Returns:
        "dense" from a density of 0.9 on; "1x2" where zeros come in pairs (0, 1), (2, 3), …, far
        more often than chance would have it; "2:4" where no four neighbours have more than two
        weights that are not zero and 0.4 of all weights are not; "unstructured" else.
    """
    alive = weights != 0
    if not alive.size or alive.mean() >= _DENSE_FROM:
        return DENSE
    if not groups:
        return UNSTRUCTURED
    units = alive.reshape(-1, alive.shape[-1])
    units = units[units.any(axis=1)]  # a dead unit is all zeros in every pattern
    if _paired(units) >= _PAIRS_FROM:
        return PAIRS
    whole = units[:, : units.shape[1] // 4 * 4].reshape(-1, 4)
    if whole.size and whole.mean() >= _TWO_OF_FOUR_FROM and (whole.sum(axis=1) <= 2).all():
        return TWO_OF_FOUR
    return UNSTRUCTURED


def _paired(units: np.ndarray) -> float:
    """How much more often than by chance the partner of a zero is one: 0 as chance, 1 always."""
    pairs = units[:, : units.shape[1] // 2 * 2].reshape(-1, 2)
    zeros = (~pairs).sum()
    chance = (~pairs).mean() if pairs.size else 1.0
    if zeros == 0 or chance == 1:
        return 0.0
    return (2 * (~pairs).all(axis=1).sum() / zeros - chance) / (1 - chance)

"""Which weights may become zero together: single ones, pairs, or two of every four.

Groups run along the inputs of a unit, the axis that a product sums over, so that a kernel can read
the inputs that belong to a group side by side: the last axis but one of the kernels of Dense
[inputs, units], of Conv2D [height, width, inputs, filters] and of RNNPool's matrices [in, out].
"""

from __future__ import annotations

import tensorflow as tf

UNSTRUCTURED, PAIRS, TWO_OF_FOUR = "1x1", "1x2", "2:4"
PATTERNS = (UNSTRUCTURED, PAIRS, TWO_OF_FOUR)

#: The one sparsity of "2:4".
TWO_OF_FOUR_SPARSITY = 0.5


def check_pattern(name: str, value) -> None:
    """Raises ValueError unless `value`, the argument `name`, is a pattern."""
    if value not in PATTERNS:
        raise ValueError(f"`{name}` must be one of {PATTERNS}. Received: {name}={value!r}")


def pair_magnitudes(weights: tf.Tensor) -> tf.Tensor:
    """Sums of magnitudes of the pairs (0, 1), (2, 3), … of inputs.

    Args:
        weights: [..., inputs, units].

    Returns:
        [..., ceil(inputs / 2), units]; the last input of an odd number is a pair of one.
    """
    groups = _groups(tf.abs(weights), 2, [0.0] * (weights.shape[-2] % 2))
    return tf.reduce_sum(groups, axis=-2)


def spread_pairs(mask: tf.Tensor, inputs: int) -> tf.Tensor:
    """The mask of weights [..., inputs, units] from the mask of their pairs."""
    return tf.repeat(mask, 2, axis=-2)[..., :inputs, :]


def two_of_four_mask(weights: tf.Tensor) -> tf.Tensor:
    """Keeps the two largest magnitudes of every four inputs; of equal ones the first.

    Args:
        weights: [..., inputs, units]. Of the last inputs of a number that 4 does not divide, half
            are kept, rounded up.

    Returns:
        1 where a weight is kept and 0 elsewhere, of the shape and type of `weights`.
    """
    inputs = weights.shape[-2]
    rest = inputs % 4
    # Two of each group of four win: an infinite filler takes the place that the rest must not.
    winners = 2 - (rest + 1) // 2
    fillers = [float("inf")] * winners + [-1.0] * (4 - rest - winners) if rest else []
    groups = tf.linalg.matrix_transpose(_groups(tf.abs(weights), 4, fillers))
    chosen = tf.math.top_k(groups, 2).indices
    kept = tf.reduce_sum(tf.one_hot(chosen, 4, dtype=weights.dtype), axis=-2)
    shape = [*weights.shape[:-2], inputs + len(fillers), weights.shape[-1]]
    return tf.reshape(tf.linalg.matrix_transpose(kept), shape)[..., :inputs, :]


def _groups(values: tf.Tensor, size: int, fillers: list[float]) -> tf.Tensor:
    """[..., inputs, units] as [..., groups, size, units], `fillers` appended to the inputs."""
    *outer, inputs, units = values.shape
    filler = tf.reshape(tf.constant(fillers, values.dtype), [len(fillers), 1])
    filler = tf.broadcast_to(filler, [*outer, len(fillers), units])
    shape = [*outer, (inputs + len(fillers)) // size, size, units]
    return tf.reshape(tf.concat([values, filler], axis=-2), shape)

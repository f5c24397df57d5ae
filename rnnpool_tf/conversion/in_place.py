"""Which operators may write their output over the input they read, in TFLite Micro's arena."""

from __future__ import annotations

import numpy as np

from rnnpool_tf.conversion.flatbuffer import Graph, schema
from rnnpool_tf.conversion.fusion import fused_operators


def in_place_offset(graph: Graph, operator: schema.OperatorT) -> int | None:
    """How far the output of an operator may start behind its input and overlap it, in bytes.

    The fused operators promise it; of the builtin ones int8 L2_NORMALIZATION may, because TFLite
    Micro's only kernel for it walks pixel by pixel: it sums up a pixel's squares and then writes
    every value after reading it.

    Args:
        graph: A model.
        operator: Any of its operators.

    Returns:
        The largest allowed (address of output 0 − address of input 0); smaller ones, negative ones
        included, are allowed too. None: the two must not overlap.

    Raises:
        ValueError: A fused operator does not keep to its format.
    """
    if graph.name_of(operator) == "L2_NORMALIZATION":
        return 0 if graph.dtype(int(operator.inputs[0])) == np.int8 else None
    return fused_operators.in_place_offset(graph, operator)

"""The last step of every conversion: does the file hold what the model promised?

The converter fails silently: an RNNPool layer that it does not recognise is expanded into hundreds
of operators, without a word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.conversion.fusion.fused_operators import inverted_residuals, rnnpool_layers
from rnnpool_tf.conversion.rnnpool_op import RNNPoolOperator, RNNPoolShape


def verify(
    data: bytes, expected: Sequence[tuple[str, RNNPoolShape]], quantized: bool
) -> list[RNNPoolOperator]:
    """Checks that a finished .tflite file has exactly one operator per call of an RNNPool layer.

    The operator is RNNPool, or ConvRNNPool where the layer is fused with what feeds it.

    Args:
        data: The file.
        expected: (layer, shape) of every call of an RNNPool layer in the model.
        quantized: Whether the operators must be int8.

    Returns:
        The operators, in execution order.

    Raises:
        ValueError: A layer has no operator or one of another shape, an operator, fused ones
            included, does not keep to its format, or float32 and int8 are mixed up.
    """
    graph = Graph.from_bytes(data)
    found = rnnpool_layers(graph)
    inverted_residuals(graph)
    missing = Counter(shape for _, shape in expected)
    missing.subtract(Counter(operator.shape for operator in found))
    if any(missing.values()):
        raise ValueError(
            f"the converted model must have one RNNPool operator for each of {len(expected)} "
            f"layer calls: {_list(expected)}. Received: {len(found)} operators: "
            f"{_list([(operator.layer, operator.shape) for operator in found])}"
        )
    kind = "int8" if quantized else "float32"
    for operator in found:
        if operator.quantized != quantized:
            raise ValueError(
                f"the RNNPool operator of layer '{operator.layer}' must be {kind}. Received: "
                f"{'int8' if operator.quantized else 'float32'}"
            )
    return found


def _list(pools: Sequence[tuple[str, RNNPoolShape]]) -> str:
    return "; ".join(f"'{layer}' ({shape})" for layer, shape in pools) or "none"

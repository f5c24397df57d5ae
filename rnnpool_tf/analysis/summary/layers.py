"""What every operator of a .tflite file stores, and what the whole file is made of."""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from rnnpool_tf.analysis.summary.weights import (
    BIAS,
    HEADER,
    OTHER,
    PARAMETERS,
    WEIGHTS,
    Weights,
    constants_of,
    read_weights,
    stored_bytes,
)
from rnnpool_tf.analysis.tflite_counts import operator_name
from rnnpool_tf.conversion.flatbuffer import Graph, schema
from rnnpool_tf.conversion.fusion.fused_operators import inverted_residuals, rnnpool_layers
from rnnpool_tf.conversion.model_bytes import as_bytes

_LENGTH = 4  # of a vector, in front of it
_SCALE, _ZERO_POINT = 4, 8
_TABLE = 2 / 3  # of a stage's parameters: multiplier and shift; the rest is bias


@dataclass(frozen=True)
class Layer:
    """An operator.

    Attributes:
        name: Name of the layer it came from, as far as the file tells.
        operator: Its type.
        output_shape: Shape of its first output.
        weights: Its weight tensors.
        bias_bytes: Bytes of biases.
        quantization_bytes: Bytes of scales and zero points of its constants and outputs, and of
            multipliers and shifts in fused operators.
        other_bytes: Bytes of its other constants: axes, paddings, shapes.
    """

    name: str
    operator: str
    output_shape: tuple[int, ...]
    weights: tuple[Weights, ...]
    bias_bytes: int
    quantization_bytes: int
    other_bytes: int


@dataclass(frozen=True)
class Summary:
    """A .tflite file. Constants that operators share count for each of them in `layers` and once
    in the totals.

    Attributes:
        layers: Its operators, in the order of execution.
        bytes: Size of the file.
        gzip_bytes: Size after `gzip -9`, which is about what an update over the air sends.
        weights: Weights that the layers have.
        nonzero: How many of them are not zero.
        weights_bytes: Bytes of weights.
        bias_bytes: Bytes of biases.
        quantization_bytes: Bytes of scales and zero points of all tensors, and of multipliers and
            shifts in fused operators.
        names_bytes: Bytes of names of tensors.
        rest_bytes: Everything else: shapes, operators and their options, references, alignment.
    """

    layers: tuple[Layer, ...]
    bytes: int
    gzip_bytes: int
    weights: int
    nonzero: int
    weights_bytes: int
    bias_bytes: int
    quantization_bytes: int
    names_bytes: int
    rest_bytes: int

    @property
    def density(self) -> float:
        """Fraction of weights that are not zero."""
        return self.nonzero / max(self.weights, 1)


def summarize(data: bytes) -> Summary:
    """Looks into a .tflite file, float32 or int8, fused or not, with RNNPool layers or without.

    Args:
        data: The file.

    Raises:
        ValueError: Not the bytes of a TFLite model, damaged, or an operator of this package does
            not keep to its format.

    Example:

    >>> summary = summarize(Path("vww.tflite").read_bytes())
    >>> print(summary.weights_bytes, summary.density)
    """
    graph = Graph.from_bytes(data)
    rnnpool_layers(graph)  # refuse what the operators would refuse
    inverted_residuals(graph)
    layers = tuple(_layer(graph, operator) for operator in graph.operators)
    sizes = _constant_bytes(graph)
    sizes["quantization"] += sum(_parameter_bytes(tensor) for tensor in graph.tensors)
    sizes["names"] = sum(_name_bytes(tensor) for tensor in graph.tensors)
    return Summary(
        layers,
        len(data),
        len(gzip.compress(data, 9, mtime=0)),
        sum(weights.count for layer in layers for weights in layer.weights),
        sum(weights.nonzero for layer in layers for weights in layer.weights),
        sizes[WEIGHTS],
        sizes[BIAS],
        sizes["quantization"],
        sizes["names"],
        len(data) - sum(sizes.values()),
    )


def _layer(graph: Graph, operator: schema.OperatorT) -> Layer:
    constants = constants_of(graph, operator)
    outputs = [int(index) for index in operator.outputs]
    parameters = _bytes_in_role(graph, constants, PARAMETERS)
    table = round(parameters * _TABLE)
    described = {constant.tensor for constant in constants} | set(outputs)
    return Layer(
        operator_name(graph, operator),
        graph.name_of(operator),
        graph.shape(outputs[0]) if outputs else (),
        tuple(read_weights(graph, c, operator) for c in constants if c.role == WEIGHTS),
        _bytes_in_role(graph, constants, BIAS) + parameters - table,
        table + sum(_parameter_bytes(graph.tensors[index]) for index in described),
        _bytes_in_role(graph, constants, OTHER),
    )


def _bytes_in_role(graph: Graph, constants, role: str) -> int:
    return sum(stored_bytes(graph, c.tensor) for c in constants if c.role == role)


def _constant_bytes(graph: Graph) -> dict[str, int]:
    """Bytes of weights, biases and tables, every buffer counted once."""
    roles = {}
    for operator in graph.operators:
        for constant in constants_of(graph, operator):
            roles.setdefault(graph.tensors[constant.tensor].buffer, constant.role)
    sizes = {WEIGHTS: 0, BIAS: 0, "quantization": 0}
    for buffer, role in roles.items():
        size = len(as_bytes(graph.model.buffers[buffer].data))
        if role == PARAMETERS:
            table = round(size * _TABLE)
            sizes["quantization"] += table
            sizes[BIAS] += size - table
        elif role != OTHER:
            sizes[WEIGHTS if role == HEADER else role] += size
    return sizes


def _parameter_bytes(tensor: schema.TensorT) -> int:
    """Scales and zero points of a tensor, with the lengths of their vectors."""
    if tensor.quantization is None:
        return 0
    vectors = ((tensor.quantization.scale, _SCALE), (tensor.quantization.zeroPoint, _ZERO_POINT))
    return sum(_LENGTH + size * len(v) for v, size in vectors if v is not None)


def _name_bytes(tensor: schema.TensorT) -> int:
    return 0 if tensor.name is None else _LENGTH + len(tensor.name) + 1  # and a zero at the end

"""The constants of an operator: which of them are weights, and how those are stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpool_tf.analysis.summary.patterns import find_pattern
from rnnpool_tf.conversion.decode_forms import DECODE, describe
from rnnpool_tf.conversion.flatbuffer import NO_TENSOR, Graph, schema
from rnnpool_tf.conversion.fusion.fused_operators import CONV_RNNPOOL, INVERTED_RESIDUAL
from rnnpool_tf.conversion.model_bytes import as_bytes
from rnnpool_tf.conversion.packed_matrix import PACKABLE, unpack_matrix
from rnnpool_tf.conversion.rnnpool_op import CONSTANTS, MATRICES, OP_NAME

WEIGHTS, HEADER, BIAS, PARAMETERS, OTHER = "weights", "header", "bias", "parameters", "other"

_KERNELS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_STAGES = ("expand", "depthwise", "project")
_DEPTHWISE_RANK = 3  # of weights in fused operators


@dataclass(frozen=True)
class Constant:
    """A constant input of an operator.

    Attributes:
        tensor: Its index in the model.
        role: `WEIGHTS`; `HEADER`, of weights that are compressed; `BIAS`; `PARAMETERS`, bias,
            multiplier and shift per channel of a stage in a fused operator; or `OTHER`.
        name: Of its role, where an operator has several of a kind: "kernel1", "expand", ….
        grouped: Whether the last axis of weights is one of inputs.
    """

    tensor: int
    role: str
    name: str = ""
    grouped: bool = True


@dataclass(frozen=True)
class Weights:
    """A weight tensor.

    Attributes:
        name: Which of the operator's weights it is, where there are several.
        count: Values that it stands for.
        nonzero: How many of them are not zero.
        bytes: What it takes in the file.
        scheme: "float32", "int8 per channel", "int8 per tensor", the same with ", packed pairs",
            "bitmask", "lookup table", …
        pattern: "dense", "unstructured", "1x2" or "2:4"; "" where the values are not looked into.
    """

    name: str
    count: int
    nonzero: int
    bytes: int
    scheme: str
    pattern: str

    @property
    def density(self) -> float:
        """Fraction of weights that are not zero."""
        return self.nonzero / max(self.count, 1)


def constants_of(graph: Graph, operator: schema.OperatorT) -> list[Constant]:
    """The constant inputs of an operator, in order."""
    roles = _ROLES.get(graph.name_of(operator), _other_roles)(graph, operator)
    found = zip(operator.inputs, roles, strict=False)
    return [
        Constant(int(index), *role)
        for index, role in found
        if index != NO_TENSOR and role and graph.has_data(int(index))
    ]


def stored_bytes(graph: Graph, index: int) -> int:
    """Bytes of a constant in the file."""
    return len(as_bytes(graph.model.buffers[graph.tensors[index].buffer].data))


def read_weights(graph: Graph, constant: Constant, operator: schema.OperatorT) -> Weights:
    """Looks into a weight tensor.

    This is where the way that a tensor is stored gets its name.

    Raises:
        ValueError: Its bytes do not match its shape and type.
    """
    if graph.name_of(operator) == DECODE:
        return _read_encoded(graph, constant, operator)
    values = _values(graph, constant.tensor)
    scheme = _scheme(graph, constant, operator)
    if constant.name in PACKABLE and values.ndim == 1 and values.dtype == np.int8:
        values, scheme = unpack_matrix(values), f"{scheme}, packed pairs"
    return Weights(
        constant.name,
        values.size,
        int(np.count_nonzero(values)),
        stored_bytes(graph, constant.tensor),
        scheme,
        find_pattern(values, constant.grouped) if values.ndim else "",
    )


def _scheme(graph: Graph, constant: Constant, operator: schema.OperatorT) -> str:
    dtype = str(graph.dtype(constant.tensor))
    in_stage = graph.name_of(operator) in (CONV_RNNPOOL, INVERTED_RESIDUAL)
    if in_stage and constant.name not in CONSTANTS:
        return f"{dtype} per channel"  # by the stage's parameters, not the tensor's
    quantization = graph.tensors[constant.tensor].quantization
    scales = 0 if quantization is None or quantization.scale is None else len(quantization.scale)
    if scales == 0:
        return dtype
    return f"{dtype} per {'tensor' if scales == 1 else 'channel'}"


def _values(graph: Graph, index: int) -> np.ndarray:
    expected, found = graph.bytes_of(index), stored_bytes(graph, index)
    if expected != found:
        raise ValueError(
            f"the weights '{graph.tensor_name(index)}' must take as many bytes as their shape and "
            f"type say. Received: {found} bytes for {graph.shape(index)}, "
            f"TensorType {graph.tensors[index].type}"
        )
    return graph.constant(index)


def _read_encoded(graph: Graph, constant: Constant, operator: schema.OperatorT) -> Weights:
    position = [int(index) for index in operator.inputs].index(constant.tensor)
    output = int(operator.outputs[position // 2])
    about = _values(graph, int(operator.inputs[position + 1]))
    encoded = _values(graph, constant.tensor)
    count = int(np.prod(graph.shape(output)))
    form, nonzero = describe(encoded, about, count)
    return Weights(constant.name, count, nonzero, encoded.size + about.size, form, "")


def _kernel_roles(graph: Graph, operator: schema.OperatorT) -> list:
    depthwise = graph.name_of(operator) == "DEPTHWISE_CONV_2D"
    return [(), (WEIGHTS, "", not depthwise), (BIAS,)]


def _pool_roles(first: int) -> list:
    matrices = {name: (WEIGHTS, name) for name in MATRICES.values()}
    return [()] * first + [matrices.get(name, (BIAS,)) for name in CONSTANTS]


def _rnnpool_roles(graph: Graph, operator: schema.OperatorT) -> list:
    return _pool_roles(1)


def _conv_rnnpool_roles(graph: Graph, operator: schema.OperatorT) -> list:
    convolutions = (len(operator.inputs) - len(CONSTANTS)) // 2  # without ζ and ν, with the map
    roles = [()]
    for number in range(convolutions):
        rank = len(graph.shape(int(operator.inputs[len(roles)])))
        roles += [(WEIGHTS, f"conv{number}", rank != _DEPTHWISE_RANK), (PARAMETERS,)]
    return roles + _pool_roles(0)


def _block_roles(graph: Graph, operator: schema.OperatorT) -> list:
    stages = [[(WEIGHTS, name, name != "depthwise"), (PARAMETERS,)] for name in _STAGES]
    return [(), *(role for stage in stages for role in stage)]


def _decode_roles(graph: Graph, operator: schema.OperatorT) -> list:
    pairs = len(operator.inputs) // 2
    return [(WEIGHTS, "", False), (HEADER,)] * pairs


def _other_roles(graph: Graph, operator: schema.OperatorT) -> list:
    return [(OTHER,)] * len(operator.inputs)


_ROLES = {
    **dict.fromkeys(_KERNELS, _kernel_roles),
    OP_NAME: _rnnpool_roles,
    CONV_RNNPOOL: _conv_rnnpool_roles,
    INVERTED_RESIDUAL: _block_roles,
    DECODE: _decode_roles,
}

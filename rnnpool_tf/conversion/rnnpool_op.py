"""The RNNPool operator as it stands in a .tflite file: reading it, and checking it.

Inputs, by index: 0 the map [N, H, W, k]; 1 to 4 kernel [h1, k], recurrent kernel [h1, h1], gate
bias and update bias [h1] of RNN1; 5 to 8 the same of RNN2, [h2, h1], [h2, h2], [h2], [h2]; 9, in
float models that train them, ζ and ν [2, 2]. All but the map are constants. Options: a flexbuffer
map with `pool_height`, `pool_width`, `stride_height`, `stride_width`, `padding`, `version` (1 or
2) and, in version 2 only, perhaps `gates`, "smooth" or "piecewise_linear"; without it they are
smooth.

In int8 models the map and the matrices are int8, the biases int32 in steps of 2^-26, the output
int8 in steps of 1/128; `rnnpool_tf.integer` specifies the arithmetic. From version 2 on their
matrices may be packed (`rnnpool_tf.conversion.packed_matrix`): one dimension and one scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flatbuffers import flexbuffers

from rnnpool_tf.conversion.flatbuffer import Graph, Quantization, schema
from rnnpool_tf.conversion.model_bytes import as_bytes
from rnnpool_tf.conversion.packed_matrix import unpack_matrix
from rnnpool_tf.gates import SMOOTH, gates_kind
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer.cell import (
    BIAS_BITS,
    MAX_WIDENED_WEIGHTS,
    InputFormat,
    IntegerCell,
    prepare,
)

OP_NAME = "RNNPool"
OP_VERSION = 1
EXTENDED_VERSION = 2  # the first with the option `gates` and with packed matrices
VERSIONS = (OP_VERSION, EXTENDED_VERSION)
CONSTANTS = (
    "kernel1",
    "recurrent_kernel1",
    "bias_gate1",
    "bias_update1",
    "kernel2",
    "recurrent_kernel2",
    "bias_gate2",
    "bias_update2",
    "zeta_nu",
)
MATRICES = {1: "kernel1", 2: "recurrent_kernel1", 5: "kernel2", 6: "recurrent_kernel2"}
BIAS_QUANTIZATION = Quantization(2.0**-BIAS_BITS, 0)
OUTPUT_QUANTIZATION = Quantization(1 / 128, 0)

_GEOMETRY_OPTIONS = ("pool_height", "pool_width", "stride_height", "stride_width")


@dataclass(frozen=True)
class RNNPoolShape:
    """What tells one RNNPool operator from another: geometry and sizes.

    Attributes:
        geometry: Patch size, strides and padding.
        channels: k, of the map.
        hidden1: Units of RNN1.
        hidden2: Units of RNN2.
        zeta_nu: Whether it has ζ and ν as an input.
        gates: "smooth" or "piecewise_linear".
    """

    geometry: Geometry
    channels: int
    hidden1: int
    hidden2: int
    zeta_nu: bool = False
    gates: str = SMOOTH

    def __str__(self) -> str:
        (ph, pw), (sh, sw) = self.geometry.pool_size, self.geometry.strides
        return (
            f"patch {ph}x{pw}, strides {sh}x{sw}, padding {self.geometry.padding}, "
            f"{self.channels} channels, hidden {self.hidden1}/{self.hidden2}"
            + (", trained zeta and nu" if self.zeta_nu else "")
            + ("" if self.gates == SMOOTH else ", piecewise linear gates")
        )


@dataclass(frozen=True)
class RNNPoolOperator:
    """One RNNPool operator of a graph, checked.

    Attributes:
        layer: Name of the layer it came from, as far as the file tells.
        shape: Geometry and sizes.
        quantized: True for int8, False for float32.
        operator: The schema's object.
    """

    layer: str
    shape: RNNPoolShape
    quantized: bool
    operator: schema.OperatorT


def rnnpool_operators(graph: Graph) -> list[RNNPoolOperator]:
    """Reads and checks every RNNPool operator of a model, in execution order.

    Raises:
        ValueError: One of them does not keep to the format described above; the message names the
            layer.
    """
    return [read_rnnpool(graph, op) for op in graph.operators if graph.name_of(op) == OP_NAME]


def read_rnnpool(graph: Graph, operator: schema.OperatorT) -> RNNPoolOperator:
    """Reads and checks one RNNPool operator.

    Raises:
        ValueError: As `rnnpool_operators`.
    """
    layer = layer_name(graph, operator)
    try:
        return _read(graph, operator, layer)
    except ValueError as error:
        raise ValueError(f"RNNPool operator of layer '{layer}': {error}") from error


def layer_name(graph: Graph, operator: schema.OperatorT, first: int = 1) -> str:
    """Name of the Keras layer an RNNPool operator came from, read off the names of its weights.

    The converter names constants after their path in the model, "model/pool/transpose_1".

    Args:
        graph: The model.
        operator: An operator with an RNNPool layer's constants.
        first: Position of the first of them among its inputs.
    """
    constants = [] if operator.inputs is None else operator.inputs[first:]
    matrices = [int(constants[index - 1]) for index in MATRICES if index <= len(constants)]
    paths = [graph.tensor_name(index).split(";")[0].split("/")[:-1] for index in matrices]
    common = [parts[0] for parts in zip(*paths, strict=False) if len(set(parts)) == 1]
    return common[-1] if common else graph.tensor_name(int(operator.outputs[0]))


def read_options(operator: schema.OperatorT) -> dict[str, int | float | str]:
    """Options of a custom operator, a flexbuffer map.

    Raises:
        ValueError: The options are missing or not such a map.
    """
    raw = as_bytes(operator.customOptions)
    try:
        options = flexbuffers.Loads(raw)
    except Exception as error:  # damaged bytes fail in any way
        raise ValueError(f"its options are damaged. Received: {raw!r}") from error
    if not isinstance(options, dict):
        raise ValueError(f"its options must be a map. Received: {options!r}")
    return options


def read_geometry(operator: schema.OperatorT) -> Geometry:
    """Geometry of an RNNPool operator.

    Raises:
        ValueError: An option is missing or malformed, or the operator has another version.
    """
    options = read_options(operator)
    for name in (*_GEOMETRY_OPTIONS, "padding", "version"):
        if name not in options:
            raise ValueError(f"the option `{name}` is missing. Received: {sorted(options)}")
    if options["version"] not in VERSIONS:
        raise ValueError(
            f"RNNPool version {options['version']} is not supported; "
            f"this package knows versions {VERSIONS[0]} to {VERSIONS[-1]}"
        )
    height, width, vertical, horizontal = (options[name] for name in _GEOMETRY_OPTIONS)
    return Geometry((height, width), (vertical, horizontal), options["padding"])


def packed_matrices(graph: Graph, constants: Sequence[int]) -> frozenset[str]:
    """Which matrices of an RNNPool layer are packed.

    Args:
        graph: The model.
        constants: Indices of the layer's constants, in the order of `CONSTANTS`.
    """
    return frozenset(
        name
        for position, name in MATRICES.items()
        if position <= len(constants)
        and graph.dtype(constants[position - 1]) == np.int8
        and len(graph.shape(constants[position - 1])) == 1
    )


def require_packed_version(
    graph: Graph, operator: schema.OperatorT, constants: Sequence[int]
) -> frozenset[str]:
    """As `packed_matrices`; raises ValueError if the operator's version knows none."""
    packed = packed_matrices(graph, constants)
    version = read_options(operator)["version"]
    if packed and version < EXTENDED_VERSION:
        raise ValueError(
            f"packed matrices need version {EXTENDED_VERSION} of the operator. "
            f"Received: version {version} with packed {sorted(packed)}"
        )
    return packed


def read_gates(operator: schema.OperatorT) -> str:
    """Kind of gates of an RNNPool operator whose version is known.

    Raises:
        ValueError: There is no such kind, or this version has no others than smooth ones.
    """
    options = read_options(operator)
    if "gates" not in options:
        return SMOOTH
    if options["version"] < EXTENDED_VERSION:
        raise ValueError(
            f"the option `gates` must be missing in version {options['version']}. "
            f"Received: gates={options['gates']!r}"
        )
    return gates_kind(options["gates"])


def read_cells(
    graph: Graph, constants: Sequence[int], pixels: Quantization, channels: int, gates: str
) -> tuple[IntegerCell, IntegerCell]:
    """Reads and checks the eight constants of an int8 RNNPool layer.

    Args:
        graph: The model.
        constants: Indices of their tensors, in the order of `CONSTANTS`.
        pixels: Quantisation of the map.
        channels: Of the map.
        gates: "smooth" or "piecewise_linear".

    Returns:
        RNN1 and RNN2.

    Raises:
        ValueError: A constant has another type, shape or scale, or the arithmetic cannot hold it.
    """
    values = _read_constants(graph, constants, channels)
    _check_packed(graph, constants, values)
    for position, index in enumerate(constants, start=1):
        name = CONSTANTS[position - 1]
        matrix = position in MATRICES
        _require_dtype(graph, index, name, np.int8 if matrix else np.int32)
        if not matrix and graph.quantization(index) != BIAS_QUANTIZATION:
            raise ValueError(
                f"`{name}` must have the scale 2^-{BIAS_BITS} and zero point 0. "
                f"Received: {graph.quantization(index)}"
            )
    cell1, cell2 = (
        _cell(graph, constants[i : i + 4], list(values.values())[i : i + 4], gates) for i in (0, 4)
    )
    # Loading the model on a device proves the same; better to refuse here.
    prepare(cell1, InputFormat.pixels(pixels.scale, pixels.zero_point))
    prepare(cell2, InputFormat.states())
    return cell1, cell2


def _read(graph: Graph, operator: schema.OperatorT, layer: str) -> RNNPoolOperator:
    geometry = read_geometry(operator)
    inputs = [int(index) for index in operator.inputs]
    if len(inputs) not in (9, 10):
        raise ValueError(f"it must have 9 or 10 inputs. Received: {len(inputs)}")
    if len(graph.shape(inputs[0])) != 4:
        raise ValueError(
            f"the map must have four dimensions. Received: shape={graph.shape(inputs[0])}"
        )
    channels = graph.shape(inputs[0])[3]
    require_packed_version(graph, operator, inputs[1:])
    constants = _read_constants(graph, inputs[1:], channels)
    shape = RNNPoolShape(
        geometry,
        channels,
        constants["kernel1"].shape[0],
        constants["kernel2"].shape[0],
        "zeta_nu" in constants,
        read_gates(operator),
    )
    quantized = graph.dtype(inputs[0]) == np.int8
    if quantized:
        _check_int8(graph, inputs, int(operator.outputs[0]), shape.gates)
    else:
        names = ("the map", *constants, "the output")
        for name, index in zip(names, [*inputs, int(operator.outputs[0])], strict=True):
            _require_dtype(graph, index, name, np.float32)
    return RNNPoolOperator(layer, shape, quantized, operator)


def _read_constants(graph: Graph, indices: Sequence[int], channels: int) -> dict[str, np.ndarray]:
    constants, packed = {}, packed_matrices(graph, indices)
    for name, index in zip(CONSTANTS, indices, strict=False):
        constants[name] = graph.constant(index)
        if constants[name] is None:
            raise ValueError(f"`{name}` must be constant. Received: it is computed")
        if name in packed:
            constants[name] = _unpack(name, constants[name])
    # A matrix without dimensions has no rows either.
    k, (h1, h2) = channels, ((*constants[f"kernel{i}"].shape, 0)[0] for i in (1, 2))
    expected = ((h1, k), (h1, h1), (h1,), (h1,), (h2, h1), (h2, h2), (h2,), (h2,), (2, 2))
    for (name, value), wanted in zip(constants.items(), expected, strict=False):
        if value.shape != wanted:
            raise ValueError(f"`{name}` must have shape {wanted}. Received: shape={value.shape}")
    return constants


def _unpack(name: str, stream: np.ndarray) -> np.ndarray:
    try:
        return unpack_matrix(stream)
    except ValueError as error:
        raise ValueError(f"`{name}`: {error}") from error


def _check_int8(graph: Graph, inputs: list[int], output: int, gates: str) -> None:
    if len(inputs) != 9:
        raise ValueError("int8 operators have no ζ and ν. Received: 10 inputs")
    check_output(graph, output)
    pixels = graph.quantization(inputs[0])
    if pixels is None:
        raise ValueError("the map must have one scale and zero point. Received: none")
    read_cells(graph, inputs[1:], pixels, graph.shape(inputs[0])[-1], gates)


def check_output(graph: Graph, output: int) -> None:
    """Raises ValueError unless a tensor can be the output of an int8 RNNPool layer."""
    _require_dtype(graph, output, "the output", np.int8)
    if graph.quantization(output) != OUTPUT_QUANTIZATION:
        raise ValueError(
            "the output must have the scale 1/128 and zero point 0. "
            f"Received: {graph.quantization(output)}"
        )


def _check_packed(graph: Graph, constants: Sequence[int], values: dict[str, np.ndarray]) -> None:
    """What the operator requires of packed matrices beyond their format."""
    for name in packed_matrices(graph, constants):
        index = constants[CONSTANTS.index(name)]
        if graph.quantization(index) is None:
            raise ValueError(f"`{name}` is packed and must have one scale")
        units, inputs = values[f"kernel{name[-1]}"].shape
        if units * (inputs + units) <= MAX_WIDENED_WEIGHTS:
            raise ValueError(
                f"`{name}` must not be packed: packed matrices are for cells of more than "
                f"{MAX_WIDENED_WEIGHTS} weights. Received: {units * (inputs + units)}"
            )


def _cell(
    graph: Graph, inputs: Sequence[int], values: Sequence[np.ndarray], gates: str
) -> IntegerCell:
    kernel, recurrent, bias_gate, bias_update = values
    scales = []
    for index in inputs[:2]:
        quantization = graph.tensors[index].quantization
        if quantization is None or quantization.scale is None:
            raise ValueError(f"matrices must have scales. Received: '{graph.tensor_name(index)}'")
        scales.append(quantization.scale)
    return IntegerCell(kernel, scales[0], recurrent, scales[1], bias_gate, bias_update, gates)


def _require_dtype(graph: Graph, index: int, name: str, dtype: type) -> None:
    if graph.dtype(index) != dtype:
        hint = "; rebuild the model without mixed precision" if dtype is np.float32 else ""
        raise ValueError(f"{name} must be {np.dtype(dtype)}{hint}. Received: {graph.dtype(index)}")

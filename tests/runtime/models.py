"""Models with RNNPool operators, written tensor by tensor, so that any detail can be made wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from rnnpool_tf.gates import SMOOTH
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer import IntegerCell

BIAS_SCALE = 2.0**-26
OUTPUT_SCALE = 1 / 128
INPUT, OUTPUT = "input", "output"
CELL_TENSORS = ("W", "U", "gate_bias", "update_bias")
WEIGHTS = tuple(f"{name}{cell}" for cell in (1, 2) for name in CELL_TENSORS)

_TYPES = {
    np.dtype(name): getattr(schema.TensorType, name.upper())
    for name in ("float32", "int8", "uint8", "int16", "int32", "int64")
}


@dataclass(frozen=True)
class Tensor:
    """A tensor of the file; with `data` a constant."""

    shape: tuple[int, ...]
    dtype: type = np.float32
    data: np.ndarray | None = None
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    dimension: int = 0


@dataclass(frozen=True)
class Node:
    """An RNNPool operator: its tensors by name, in the operator's order, and its options."""

    tensors: dict[str, Tensor]
    options: bytes
    name: str = "RNNPool"
    outputs: tuple[str, ...] = (OUTPUT,)

    def change(self, tensor: str, **changes) -> Node:
        """This node with one tensor changed."""
        return replace(
            self, tensors={**self.tensors, tensor: replace(self.tensors[tensor], **changes)}
        )

    def without(self, tensor: str) -> Node:
        """This node with one input left out at its place."""
        return replace(self, tensors={**self.tensors, tensor: None})


def options(geometry: Geometry, version: int = 1, **others) -> bytes:
    """The operator's options; `others` adds keys, or removes them with None."""
    values = {
        "pool_height": geometry.pool_size[0],
        "pool_width": geometry.pool_size[1],
        "stride_height": geometry.strides[0],
        "stride_width": geometry.strides[1],
        "padding": geometry.padding,
        "version": version,
        **others,
    }
    return bytes(flexbuffers.Dumps({k: v for k, v in values.items() if v is not None}))


def gates_options(gates: str) -> dict[str, int | str]:
    """What the options say about version and gates."""
    return {} if gates == SMOOTH else {"version": 2, "gates": gates}


def constant(values: np.ndarray, scales=(), dimension: int = 0) -> Tensor:
    """A constant, symmetric where it has scales."""
    scales = tuple(float(scale) for scale in np.ravel(scales))
    return Tensor(values.shape, values.dtype.type, values, scales, (0,) * len(scales), dimension)


def int8_node(
    input_shape: tuple[int, ...],
    input_scale: float,
    input_zero_point: int,
    cell1: IntegerCell,
    cell2: IntegerCell,
    geometry: Geometry,
) -> Node:
    """The operator in int8; `input_shape` is [n, h, w, k]."""
    tensors = {
        INPUT: Tensor(input_shape, np.int8, None, (input_scale,), (input_zero_point,)),
    }
    for number, cell in ((1, cell1), (2, cell2)):
        tensors[f"W{number}"] = constant(cell.kernel_q, cell.kernel_scale)
        tensors[f"U{number}"] = constant(cell.recurrent_q, cell.recurrent_scale)
        tensors[f"gate_bias{number}"] = constant(cell.bias_gate_q26, BIAS_SCALE)
        tensors[f"update_bias{number}"] = constant(cell.bias_update_q26, BIAS_SCALE)
    shape = (input_shape[0], *geometry.output_size(*input_shape[1:3]), 4 * cell2.units)
    tensors[OUTPUT] = Tensor(shape, np.int8, None, (OUTPUT_SCALE,), (0,))
    return Node(tensors, options(geometry, **gates_options(cell1.gates)))


def float_node(
    input_shape: tuple[int, ...],
    cell1: tuple[np.ndarray, ...],
    cell2: tuple[np.ndarray, ...],
    geometry: Geometry,
    zeta_nu: np.ndarray | None = None,
    gates: str = SMOOTH,
) -> Node:
    """The operator in float32; a cell is (W [h, k], U [h, h], gate bias [h], update bias [h])."""
    tensors = {INPUT: Tensor(input_shape)}
    for number, cell in ((1, cell1), (2, cell2)):
        for name, values in zip(CELL_TENSORS, cell, strict=True):
            tensors[f"{name}{number}"] = constant(np.asarray(values, np.float32))
    if zeta_nu is not None:
        tensors["zeta_nu"] = constant(np.asarray(zeta_nu, np.float32))
    shape = (input_shape[0], *geometry.output_size(*input_shape[1:3]), 4 * len(cell2[2]))
    tensors[OUTPUT] = Tensor(shape)
    return Node(tensors, options(geometry, **gates_options(gates)))


@dataclass
class _File:
    tensors: list[schema.TensorT] = field(default_factory=list)
    buffers: list[schema.BufferT] = field(default_factory=lambda: [schema.BufferT()])

    def add(self, name: str, tensor: Tensor, open_batch: bool) -> int:
        written = schema.TensorT()
        written.name = name
        written.shape = list(tensor.shape)
        if open_batch and tensor.data is None:
            written.shapeSignature = [-1, *tensor.shape[1:]]
        written.type = _TYPES[np.dtype(tensor.dtype)]
        if tensor.scales or tensor.zero_points:
            written.quantization = schema.QuantizationParametersT()
            written.quantization.scale = list(tensor.scales)
            written.quantization.zeroPoint = list(tensor.zero_points)
            written.quantization.quantizedDimension = tensor.dimension
        written.buffer = 0
        if tensor.data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(tensor.data).tobytes(), np.uint8)
            written.buffer = len(self.buffers)
            self.buffers.append(buffer)
        self.tensors.append(written)
        return len(self.tensors) - 1


def build(*nodes: Node, open_batch: bool = True) -> bytes:
    """A model in which each node's output is the next node's input.

    Variables among a node's other inputs are further inputs of the model.

    Args:
        nodes: the operators, in order.
        open_batch: mark the first dimension of inputs and outputs as open.
    """
    file = _File()
    graph = schema.SubGraphT()
    graph.operators = []
    graph.inputs, graph.outputs = [], []
    previous = None
    codes = sorted({node.name for node in nodes})
    for number, node in enumerate(nodes):
        indices = {}
        for name, tensor in node.tensors.items():
            if tensor is None:
                indices[name] = -1
            elif name == INPUT and previous is not None:
                indices[name] = previous
            else:
                indices[name] = file.add(f"{name}_{number}", tensor, open_batch)
        operator = schema.OperatorT()
        operator.opcodeIndex = codes.index(node.name)
        operator.inputs = [i for name, i in indices.items() if name not in node.outputs]
        operator.outputs = [indices[name] for name in node.outputs]
        operator.customOptions = np.frombuffer(node.options, np.uint8)
        graph.operators.append(operator)
        for name, tensor in node.tensors.items():
            is_variable = tensor is not None and tensor.data is None
            if is_variable and name not in node.outputs and (name != INPUT or previous is None):
                graph.inputs.append(indices[name])
        previous = indices[node.outputs[-1]]
    graph.outputs = [previous]
    graph.tensors = file.tensors
    return _pack(graph, file.buffers, codes)


def _custom_code(name: str) -> schema.OperatorCodeT:
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    code.customCode = name
    code.version = 1
    return code


def _pack(graph: schema.SubGraphT, buffers: list[schema.BufferT], codes: list[str]) -> bytes:
    model = schema.ModelT()
    model.version = 3
    model.operatorCodes = [_custom_code(name) for name in codes]
    model.subgraphs = [graph]
    model.buffers = buffers
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())

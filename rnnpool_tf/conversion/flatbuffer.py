"""Reading, changing and writing .tflite files: the one module that every pass goes through.

`Graph` wraps the object form of the TFLite schema (plain Python objects, a list of tensors, a list
of operators in execution order) with what a pass needs: names of operators, who produces and who
consumes a tensor, constants as NumPy arrays, new tensors and operators, removal of what is no
longer used. `Graph.to_bytes` renumbers everything and puts every constant on a 16-byte boundary,
where microcontrollers can read it with wide loads straight from flash.

>>> graph = Graph.from_bytes(Path("model.tflite").read_bytes())
>>> [graph.name_of(operator) for operator in graph.operators]
['CONV_2D', 'RNNPool', 'MEAN', 'FULLY_CONNECTED']
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from rnnpool_tf.conversion import plan_metadata
from rnnpool_tf.conversion.model_bytes import as_bytes, pack, unpack

NO_TENSOR = -1  # an optional input that is not given

_BUILTIN_NAMES = {
    code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")
}
_TENSOR_TYPES = {
    np.dtype(name): getattr(schema.TensorType, name.upper())
    for name in (
        "float16",
        "float32",
        "float64",
        "int8",
        "uint8",
        "int16",
        "int32",
        "int64",
        "bool",
    )
}
_DTYPES = {code: dtype for dtype, code in _TENSOR_TYPES.items()}
# `deprecatedBuiltinCode` is a byte; higher codes put this in it (schema.fbs).
_PLACEHOLDER_FOR_GREATER_CODES = 127


class Quantization(NamedTuple):
    """Per-tensor quantisation: real value = scale · (q − zero_point)."""

    scale: float
    zero_point: int


class Graph:
    """A .tflite model being read or changed; operators and tensors are those of its main subgraph.

    Attributes:
        model: The schema's object form of the whole model.
        subgraph: Its first subgraph.
    """

    def __init__(self, model: schema.ModelT):
        self.model = model
        self.subgraph = model.subgraphs[0]

    @classmethod
    def from_bytes(cls, data: bytes) -> Graph:
        """Reads a .tflite file.

        Raises:
            ValueError: Not a TFLite model, truncated, or with references that lead nowhere.
        """
        return cls(unpack(bytes(data)))

    @property
    def tensors(self) -> list[schema.TensorT]:
        """Tensors by index."""
        return self.subgraph.tensors

    @property
    def operators(self) -> list[schema.OperatorT]:
        """Operators in execution order."""
        return self.subgraph.operators

    @property
    def inputs(self) -> list[int]:
        """Indices of the model's inputs."""
        return [int(index) for index in _list(self.subgraph.inputs)]

    @property
    def outputs(self) -> list[int]:
        """Indices of the model's outputs."""
        return [int(index) for index in _list(self.subgraph.outputs)]

    def name_of(self, operator: schema.OperatorT) -> str:
        """Name of an operator's type: "CONV_2D", or the custom code."""
        return code_name(self.model.operatorCodes[operator.opcodeIndex])

    def tensor_name(self, index: int) -> str:
        """Name of a tensor; "" when it has none."""
        return _text(self.tensors[index].name)

    def shape(self, index: int) -> tuple[int, ...]:
        """Shape of a tensor; dimensions that the model leaves open are 1 (TFLite's convention)."""
        shape = self.tensors[index].shape
        return () if shape is None else tuple(int(size) for size in shape)

    def dtype(self, index: int) -> np.dtype:
        """NumPy type of a tensor.

        Raises:
            ValueError: A type that NumPy does not have.
        """
        code = self.tensors[index].type
        if code not in _DTYPES:
            raise ValueError(
                f"tensor '{self.tensor_name(index)}' has a type without NumPy "
                f"equivalent. Received: TensorType {code}"
            )
        return _DTYPES[code]

    def bytes_of(self, index: int) -> int | None:
        """Bytes of a tensor's values; None for a type that NumPy does not have."""
        dtype = _DTYPES.get(self.tensors[index].type)
        return None if dtype is None else math.prod(self.shape(index)) * dtype.itemsize

    def quantization(self, index: int) -> Quantization | None:
        """Per-tensor quantisation, or None when the tensor has none or has one per channel."""
        parameters = self.tensors[index].quantization
        if parameters is None or parameters.scale is None or len(parameters.scale) != 1:
            return None
        zero_points = parameters.zeroPoint
        zero_point = 0 if zero_points is None or len(zero_points) == 0 else int(zero_points[0])
        return Quantization(float(parameters.scale[0]), zero_point)

    def scales(self, index: int) -> np.ndarray | None:
        """Scales of a tensor, float32, one or one per channel; None when it has none."""
        parameters = self.tensors[index].quantization
        if parameters is None or parameters.scale is None or len(parameters.scale) == 0:
            return None
        return np.asarray(parameters.scale, np.float32)

    def has_data(self, index: int) -> bool:
        """Whether a tensor is constant: its values are in the file."""
        data = self.model.buffers[self.tensors[index].buffer].data
        return data is not None and len(data) > 0

    def constant(self, index: int) -> np.ndarray | None:
        """Value of a constant tensor, or None for a tensor that is computed or fed."""
        if not self.has_data(index):
            return None
        data = self.model.buffers[self.tensors[index].buffer].data
        return np.frombuffer(as_bytes(data), self.dtype(index)).reshape(self.shape(index))

    def producers(self) -> dict[int, schema.OperatorT]:
        """Which operator writes each tensor."""
        return {int(out): operator for operator in self.operators for out in operator.outputs}

    def consumers(self) -> dict[int, list[schema.OperatorT]]:
        """Which operators read each tensor, in execution order."""
        readers: dict[int, list[schema.OperatorT]] = {}
        for operator in self.operators:
            for index in dict.fromkeys(input_indices(operator)):
                readers.setdefault(index, []).append(operator)
        return readers

    def add_tensor(
        self,
        name: str,
        shape: Sequence[int],
        dtype: np.dtype | type,
        quantization: Quantization | None = None,
        like: int | None = None,
    ) -> int:
        """Adds a computed tensor.

        Args:
            name: Its name.
            shape: Its shape.
            dtype: Its NumPy type.
            quantization: Per-tensor quantisation.
            like: Index of a tensor whose open dimensions (dynamic batch) to take over.

        Returns:
            Its index.
        """
        tensor = schema.TensorT()
        tensor.name = name.encode()
        tensor.shape = np.asarray(shape, np.int32)
        tensor.type = _TENSOR_TYPES[np.dtype(dtype)]
        tensor.hasRank = True
        if like is not None:
            tensor.shapeSignature = self.tensors[like].shapeSignature
        self.tensors.append(tensor)
        index = len(self.tensors) - 1
        if quantization is not None:
            self.set_quantization(index, quantization)
        return index

    def add_constant(
        self, name: str, value: np.ndarray, quantization: Quantization | None = None
    ) -> int:
        """Adds a constant tensor with the value, shape and type of an array; returns its index."""
        index = self.add_tensor(name, value.shape, value.dtype, quantization)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(value).tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        self.tensors[index].buffer = len(self.model.buffers) - 1
        return index

    def set_quantization(self, index: int, quantization: Quantization) -> None:
        """Gives a tensor a per-tensor quantisation."""
        self.set_scales(index, np.array([quantization.scale]), quantization.zero_point)

    def set_scales(self, index: int, scales: np.ndarray, zero_point: int = 0) -> None:
        """Gives a tensor one scale, or one for every row (its first dimension)."""
        parameters = schema.QuantizationParametersT()
        parameters.scale = np.asarray(scales, np.float32)
        parameters.zeroPoint = np.full(len(scales), zero_point, np.int64)
        self.tensors[index].quantization = parameters

    def make_operator(
        self,
        name: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        version: int = 1,
        like: schema.OperatorT | None = None,
    ) -> schema.OperatorT:
        """Makes an operator, not yet in the graph; put it where it belongs in `operators`.

        Args:
            name: Name of a builtin operator ("DEQUANTIZE") or a custom code.
            inputs: Tensor indices.
            outputs: Tensor indices.
            version: Version of the operator's type.
            like: Operator whose options to take over.
        """
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code_index(name, version)
        operator.inputs = np.asarray(inputs, np.int32)
        operator.outputs = np.asarray(outputs, np.int32)
        if like is not None:
            operator.builtinOptionsType = like.builtinOptionsType
            operator.builtinOptions = like.builtinOptions
            operator.customOptions = like.customOptions
        return operator

    def replace_tensors(self, replacement: dict[int, int]) -> None:
        """Makes every reader of a tensor, model outputs included, read another one instead."""
        for operator in self.operators:
            operator.inputs = _renumber(operator.inputs, replacement)
        self.subgraph.outputs = _renumber(self.subgraph.outputs, replacement)
        for signature in self._signatures():
            for entry in signature.outputs or ():
                entry.tensorIndex = replacement.get(int(entry.tensorIndex), entry.tensorIndex)

    def order_outputs(self) -> None:
        """Puts the outputs in the order of their names in the model's signature.

        TensorFlow's converter shuffles them; "output_2", as SavedModels name the third of a list,
        comes before "output_10".
        """
        entries = [entry for signature in self._signatures() for entry in signature.outputs or ()]
        if sorted(int(entry.tensorIndex) for entry in entries) != sorted(self.outputs):
            return  # no signature, or several: nothing says what the order should be
        entries.sort(key=lambda entry: _natural(_text(entry.name)))
        self.subgraph.outputs = np.array([int(entry.tensorIndex) for entry in entries], np.int32)

    def remove_unused(self, names: Iterable[str]) -> None:
        """Removes operators of the named types whose results nobody reads, repeatedly."""
        names = set(names)
        while True:
            needed = set(self.outputs)
            for operator in self.operators:
                needed.update(input_indices(operator))
            kept = [
                operator
                for operator in self.operators
                if self.name_of(operator) not in names
                or any(int(out) in needed for out in operator.outputs)
            ]
            if len(kept) == len(self.operators):
                return
            self.subgraph.operators = kept

    def to_bytes(self, arena_offsets: Mapping[int, int] | None = None) -> bytes:
        """Drops unused tensors, buffers and operator types and writes the model.

        Equal constants share one buffer; every buffer begins at a multiple of 16 bytes.

        Args:
            arena_offsets: Offsets of tensors in TFLite Micro's arena, in bytes, by their index in
                `tensors`: written as the model's offline memory plan. A plan that the model had is
                dropped in any case, as it was made for other tensors or another order.
        """
        new_index = self._compact_tensors()
        offsets = {new_index[old]: offset for old, offset in (arena_offsets or {}).items()}
        plan_metadata.replace_offsets(self.model, offsets)
        self._compact_buffers()
        self._compact_codes()
        return pack(self.model)

    def _signatures(self) -> list[schema.SignatureDefT]:
        return [s for s in self.model.signatureDefs or () if s.subgraphIndex == 0]

    def _code_index(self, name: str, version: int) -> int:
        for index, code in enumerate(self.model.operatorCodes):
            if code_name(code) == name and code.version == version:
                return index
        code = schema.OperatorCodeT()
        code.version = version
        code.builtinCode = getattr(schema.BuiltinOperator, name, schema.BuiltinOperator.CUSTOM)
        code.deprecatedBuiltinCode = min(code.builtinCode, _PLACEHOLDER_FOR_GREATER_CODES)
        if code.builtinCode == schema.BuiltinOperator.CUSTOM:
            code.customCode = name.encode()
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1

    def _compact_tensors(self) -> dict[int, int]:
        used = set(self.inputs) | set(self.outputs)
        for signature in self._signatures():
            entries = [*(signature.inputs or ()), *(signature.outputs or ())]
            used.update(int(entry.tensorIndex) for entry in entries)
        for operator in self.operators:
            used.update(input_indices(operator))
            used.update(int(index) for index in operator.outputs)
            used.update(int(index) for index in _list(operator.intermediates) if index >= 0)
        order = sorted(used)
        new_index = {old: new for new, old in enumerate(order)}
        self.subgraph.tensors = [self.tensors[old] for old in order]
        self.subgraph.inputs = _renumber(self.subgraph.inputs, new_index)
        self.subgraph.outputs = _renumber(self.subgraph.outputs, new_index)
        for operator in self.operators:
            operator.inputs = _renumber(operator.inputs, new_index)
            operator.outputs = _renumber(operator.outputs, new_index)
            if operator.intermediates is not None:
                operator.intermediates = _renumber(operator.intermediates, new_index)
        for signature in self._signatures():
            for entry in [*(signature.inputs or ()), *(signature.outputs or ())]:
                entry.tensorIndex = new_index[int(entry.tensorIndex)]
        return new_index

    def _compact_buffers(self) -> None:
        # Buffer 0 is empty by definition of the schema and stands for "no data".
        kept = [schema.BufferT()]
        known: dict[bytes, int] = {b"": 0}

        def keep(old: int) -> int:
            data = as_bytes(self.model.buffers[old].data)
            if data not in known:
                known[data] = len(kept)
                kept.append(self.model.buffers[old])
            return known[data]

        for subgraph in self.model.subgraphs:
            for tensor in subgraph.tensors:
                tensor.buffer = keep(tensor.buffer)
        for entry in self.model.metadata or ():
            entry.buffer = keep(entry.buffer)
        self.model.buffers = kept
        self.model.metadataBuffer = None  # superseded by `metadata`, points to old numbers

    def _compact_codes(self) -> None:
        operators = [op for subgraph in self.model.subgraphs for op in subgraph.operators or ()]
        used = sorted({operator.opcodeIndex for operator in operators})
        new_index = {old: new for new, old in enumerate(used)}
        self.model.operatorCodes = [self.model.operatorCodes[old] for old in used]
        for operator in operators:
            operator.opcodeIndex = new_index[operator.opcodeIndex]


def input_indices(operator: schema.OperatorT) -> list[int]:
    """Tensors that an operator reads, without optional inputs that are not given."""
    return [int(index) for index in _list(operator.inputs) if index != NO_TENSOR]


def code_name(code: schema.OperatorCodeT) -> str:
    """Name of an operator type: the builtin's, or the custom code."""
    if code.customCode is not None:
        return _text(code.customCode)
    # Files older than the 32-bit field have the code in the deprecated byte only.
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    return _BUILTIN_NAMES.get(number, f"BUILTIN_{number}")


def _renumber(indices: np.ndarray | None, new_index: dict[int, int]) -> np.ndarray:
    return np.array([new_index.get(int(i), int(i)) for i in _list(indices)], np.int32)


def _list(vector) -> Sequence:
    return () if vector is None else vector


def _natural(name: str) -> list:
    """Sorts digits by their value: every other piece of the split is a number."""
    return [int(part) if i % 2 else part for i, part in enumerate(re.split(r"(\d+)", name))]


def _text(name: bytes | str | None) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else name or ""

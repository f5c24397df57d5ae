"""The bytes of a .tflite file to the objects of its schema, and back with aligned constants."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

FILE_IDENTIFIER = b"TFL3"
ALIGNMENT = 16
_OPTIONAL = -1  # stands for an optional input that is not given

_Kind = schema.BuiltinOperator
# Operators that this package looks into, which have an output, and the inputs they have at least.
_LEAST_INPUTS = {
    b"ConvRNNPool": 1,
    b"InvertedResidual": 1,
    b"RNNPool": 1,
    _Kind.ADD: 2,
    _Kind.AVERAGE_POOL_2D: 1,
    _Kind.CONV_2D: 2,
    _Kind.DEPTHWISE_CONV_2D: 2,
    _Kind.FULLY_CONNECTED: 2,
    _Kind.L2_NORMALIZATION: 1,
    _Kind.MAX_POOL_2D: 1,
    _Kind.MEAN: 2,
    _Kind.PAD: 2,
    _Kind.PADV2: 3,
    _Kind.REDUCE_MAX: 2,
    _Kind.REDUCE_MIN: 2,
    _Kind.SUM: 2,
}
# Those of them that cannot run without options.
_NEED_OPTIONS = (_Kind.AVERAGE_POOL_2D, _Kind.CONV_2D, _Kind.DEPTHWISE_CONV_2D, _Kind.MAX_POOL_2D)


def is_tflite(path: Path) -> bool:
    """Whether a path leads to a .tflite file, by its first bytes."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(8)[4:] == FILE_IDENTIFIER


def unpack(data: bytes) -> schema.ModelT:
    """Reads a .tflite file.

    Raises:
        ValueError: Not a TFLite model, truncated, or with references that lead nowhere.
    """
    if data[4:8] != FILE_IDENTIFIER:
        raise ValueError(
            "the data must be a .tflite model, which has 'TFL3' as its bytes 4 to 7. "
            f"Received: {len(data)} bytes with {data[4:8]!r} there"
        )
    try:
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(data, 0))
        _check_references(model)
    # A damaged file makes the generated reader fail in any way: struct.error, IndexError, …
    except Exception as error:
        raise ValueError(
            "the .tflite model is truncated or damaged. "
            f"Received: {len(data)} bytes ({type(error).__name__}: {error})"
        ) from error
    return model


def pack(model: schema.ModelT) -> bytes:
    """Writes a .tflite file in which every buffer begins at a multiple of 16 bytes."""
    model.buffers = [_AlignedBuffer(buffer.data) for buffer in model.buffers]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=FILE_IDENTIFIER)
    return bytes(builder.Output())


def as_bytes(data) -> bytes:
    """Bytes of a vector of the schema's object form; None gives none."""
    return b"" if data is None else np.asarray(data, np.uint8).tobytes()


class _AlignedBuffer(schema.BufferT):
    """A buffer whose bytes begin at a multiple of `ALIGNMENT` in the finished file."""

    def Pack(self, builder):
        data = as_bytes(self.data)
        if data:
            builder.StartVector(1, len(data), ALIGNMENT)
            builder.head -= len(data)
            builder.Bytes[builder.head : builder.head + len(data)] = data
            vector = builder.EndVector()
        schema.BufferStart(builder)
        if data:
            schema.BufferAddData(builder, vector)
        return schema.BufferEnd(builder)


def _check_references(model: schema.ModelT) -> None:
    if not model.subgraphs or not model.buffers:
        raise IndexError("no subgraph or no buffers")
    for entry in model.metadata or ():
        _ = model.buffers[entry.buffer]
    for subgraph in model.subgraphs:
        subgraph.tensors, subgraph.operators = subgraph.tensors or [], subgraph.operators or []
        for tensor in subgraph.tensors:
            _ = model.buffers[tensor.buffer]
        written = [vector for vector in (subgraph.inputs, subgraph.outputs) if vector is not None]
        read = []
        for operator in subgraph.operators:
            _check_operator(operator, model.operatorCodes[operator.opcodeIndex])
            written.append(operator.outputs)
            read.append(operator.inputs)
        tensors = set(range(len(subgraph.tensors)))
        if not (_members(written) <= tensors and _members(read) <= tensors | {_OPTIONAL}):
            raise IndexError("a tensor index leads nowhere")


def _check_operator(operator: schema.OperatorT, code: schema.OperatorCodeT) -> None:
    if operator.inputs is None or operator.outputs is None:
        raise IndexError("an operator has no inputs or no outputs")
    # Files older than the 32-bit field have the code in the deprecated byte only.
    kind = code.customCode or max(code.builtinCode, code.deprecatedBuiltinCode)
    if kind not in _LEAST_INPUTS:
        return
    if len(operator.inputs) < _LEAST_INPUTS[kind] or not len(operator.outputs):
        raise IndexError("an operator lacks inputs or outputs")
    if kind in _NEED_OPTIONS and operator.builtinOptions is None:
        raise IndexError("an operator lacks its options")


def _members(vectors: list[np.ndarray]) -> set[int]:
    return {int(index) for vector in vectors for index in vector}

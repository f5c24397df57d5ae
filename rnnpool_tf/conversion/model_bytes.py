"""The bytes of a .tflite file to the objects of its schema, and back with aligned constants."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

FILE_IDENTIFIER = b"TFL3"
ALIGNMENT = 16
_OPTIONAL = -1  # stands for an optional input that is not given


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
        vectors = [subgraph.inputs, subgraph.outputs]
        for operator in subgraph.operators or ():
            _ = model.operatorCodes[operator.opcodeIndex]
            vectors += [operator.inputs, operator.outputs]
        for tensor in subgraph.tensors or ():
            _ = model.buffers[tensor.buffer]
        indices = {int(index) for vector in vectors if vector is not None for index in vector}
        if not indices <= {_OPTIONAL, *range(len(subgraph.tensors or ()))}:
            raise IndexError("a tensor index leads nowhere")

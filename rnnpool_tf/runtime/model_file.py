"""A .tflite file: read it, make sure that it is whole, and say what its tensors are."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rnnpool_tf.runtime.flatbuffer_reader import DamagedModelError, FlatbufferReader, Schema
from rnnpool_tf.runtime.plan_check import check_plan

_IDENTIFIER = b"TFL3"
_CUSTOM = 32  # BuiltinOperator.CUSTOM
_PLACEHOLDER = 127  # deprecated_builtin_code of operators whose number needs more than a byte

# Bits of an element, by TensorType; text and handles have none.
_BITS = {
    0: 32, 1: 16, 2: 32, 3: 8, 4: 64, 6: 8, 7: 16, 8: 64, 9: 8, 10: 64, 11: 128, 12: 64, 15: 32,
    16: 16, 17: 4, 18: 16, 19: 2, 20: 4, 21: 8, 22: 8,
}  # fmt: skip
_LAST_TYPE = 22

# Operator options that contain more than numbers, by BuiltinOptions.
_OPTIONS_WITH_VECTORS = {
    3: [(1, "columns", "[i]", ()), (2, "dimensions", "[i]", ())],  # ConcatEmbeddings
    8: [(5, "quantization", "bytes", ())],  # FullyConnected
    17: [(0, "new_shape", "[i]", ())],  # Reshape
    30: [(0, "squeeze_dims", "[i]", ())],  # Squeeze
    111: [(0, "container", "string", ""), (1, "shared_name", "string", "")],  # VarHandle
    115: [(0, "boundaries", "[f]", ())],  # Bucketize
}

_SCHEMA: Schema = {
    "Model": [
        (0, "version", "I", 0),
        (1, "operator_codes", "[@OperatorCode]", ()),
        (2, "subgraphs", "[@SubGraph]", ()),
        (3, "description", "string", ""),
        (4, "buffers", "[@Buffer]", ()),
        (5, "metadata_buffer", "[i]", ()),
        (6, "metadata", "[@Metadata]", ()),
        (7, "signature_defs", "[@SignatureDef]", ()),
    ],
    "OperatorCode": [
        (0, "deprecated_builtin_code", "b", 0),
        (1, "custom_code", "string", None),
        (2, "version", "i", 1),
        (3, "builtin_code", "i", 0),
    ],
    "SubGraph": [
        (0, "tensors", "[@Tensor]", ()),
        (1, "inputs", "[i]", None),
        (2, "outputs", "[i]", None),
        (3, "operators", "[@Operator]", ()),
        (4, "name", "string", ""),
    ],
    "Tensor": [
        (0, "shape", "[i]", ()),
        (1, "type", "b", 0),
        (2, "buffer", "I", 0),
        (3, "name", "string", ""),
        (4, "quantization", "@Quantization", None),
        (5, "is_variable", "B", 0),
        (6, "sparsity", "@Sparsity", None),
        (7, "shape_signature", "[i]", ()),
        (9, "variant_tensors", "[@VariantSubType]", ()),
    ],
    "Quantization": [
        (0, "min", "[f]", ()),
        (1, "max", "[f]", ()),
        (2, "scale", "[f]", ()),
        (3, "zero_point", "[q]", ()),
        (4, "details_type", "B", 0),
        (6, "quantized_dimension", "i", 0),
    ],
    "Sparsity": [
        (0, "traversal_order", "[i]", ()),
        (1, "block_map", "[i]", ()),
        (2, "dim_metadata", "[@DimensionMetadata]", ()),
    ],
    "DimensionMetadata": [
        (0, "format", "b", 0),
        (1, "dense_size", "i", 0),
        (2, "segments_type", "B", 0),
        (3, "segments", "@Table", None),
        (4, "indices_type", "B", 0),
        (5, "indices", "@Table", None),
    ],
    "VariantSubType": [(0, "shape", "[i]", ()), (1, "type", "b", 0)],
    "Operator": [
        (0, "opcode_index", "I", 0),
        (1, "inputs", "[i]", None),
        (2, "outputs", "[i]", None),
        (3, "options_type", "B", 0),
        (4, "options", "position", None),
        (5, "custom_options", "bytes", None),
        (7, "mutating_variable_inputs", "bytes", None),
        (8, "intermediates", "[i]", ()),
        (9, "large_options_offset", "Q", 0),
        (10, "large_options_size", "Q", 0),
        (11, "options2_type", "B", 0),
    ],
    "Buffer": [(0, "data", "bytes", None), (1, "offset", "Q", 0), (2, "size", "Q", 0)],
    "Metadata": [(0, "name", "string", ""), (1, "buffer", "I", 0)],
    "SignatureDef": [
        (0, "inputs", "[@TensorMap]", ()),
        (1, "outputs", "[@TensorMap]", ()),
        (2, "signature_key", "string", ""),
        (4, "subgraph_index", "I", 0),
    ],
    "TensorMap": [(0, "name", "string", ""), (1, "tensor_index", "I", 0)],
    "Table": [],
    **{f"Options{number}": fields for number, fields in _OPTIONS_WITH_VECTORS.items()},
}


@dataclass(frozen=True)
class ModelFile:
    """A model that has been read and found whole.

    Attributes:
        data: the file.
        tensors_bytes: what all tensors that are not constants take together, in bytes.
        custom_operators: names of the custom operators used.
        inputs: names of the main graph's inputs.
        outputs: names of its outputs.
        smallest_scale: of all quantised tensors that are not constants; infinite without any.
    """

    data: bytes
    tensors_bytes: int
    custom_operators: tuple[str, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    smallest_scale: float


def read_model(model: str | os.PathLike | bytes | bytearray) -> ModelFile:
    """Reads a model and checks that no engine can be led outside of it.

    Checked: every table, vector and text lies within the file; every index leads to an existing
    tensor, buffer or operator; constants are as large as their shapes; quantisation vectors match.
    Whether an operator accepts its tensors is its own business.

    Args:
        model: path of a .tflite file, or its bytes.

    Raises:
        ValueError: not a TensorFlow Lite file, or one that is truncated or damaged.
        FileNotFoundError: no such file.
        TypeError: `model` is something else.

    Example::

        read_model("model.tflite").custom_operators  # ("RNNPool",)
    """
    if isinstance(model, (str, os.PathLike)):
        name, data = f"{os.fspath(model)!r}", Path(model).read_bytes()
    elif isinstance(model, (bytes, bytearray, memoryview)):
        name, data = "the given model", bytes(model)
    else:
        raise TypeError(
            "`model` must be the path of a .tflite file or its bytes. "
            f"Received: {type(model).__name__}"
        )
    if data[4:8] != _IDENTIFIER:
        raise ValueError(
            f"{name} is not a TensorFlow Lite file: bytes 4 to 7 must be {_IDENTIFIER!r}. "
            f"Received: {data[4:8]!r} in {len(data)} bytes"
        )
    try:
        reader = FlatbufferReader(data, _SCHEMA)
        return _check_model(data, reader, reader.root("Model"))
    except DamagedModelError as error:
        raise ValueError(
            f"{name} is truncated or damaged: {error}. Received: {len(data)} bytes"
        ) from error


def _check(condition: bool, sentence: str) -> None:
    if not condition:
        raise DamagedModelError(sentence)


def _check_model(data: bytes, reader: FlatbufferReader, model: dict[str, Any]) -> ModelFile:
    _check(model["version"] == 3, f"its version must be 3, not {model['version']}")
    _check(len(model["subgraphs"]) > 0, "it has no graph")
    _check(len(model["buffers"]) > 0, "it has no buffers")
    buffers = [_buffer_size(data, buffer) for buffer in model["buffers"]]
    for metadata in model["metadata"]:
        _check(metadata["buffer"] < len(buffers), "its metadata name a missing buffer")
    check_plan(data, model)
    total = 0
    for graph in model["subgraphs"]:
        total += _check_graph(data, reader, graph, model["operator_codes"], buffers)
    for signature in model["signature_defs"]:
        _check(signature["subgraph_index"] < len(model["subgraphs"]), "a signature has no graph")
        count = len(model["subgraphs"][signature["subgraph_index"]]["tensors"])
        for entry in [*signature["inputs"], *signature["outputs"]]:
            _check(entry["tensor_index"] < count, "a signature names a missing tensor")
    custom = [c["custom_code"] for c in model["operator_codes"] if _builtin_code(c) == _CUSTOM]
    _check(None not in custom, "a custom operator has no name")
    main = model["subgraphs"][0]
    inputs, outputs = (
        tuple(main["tensors"][index]["name"] for index in main[kind])
        for kind in ("inputs", "outputs")
    )
    return ModelFile(data, total, tuple(custom), inputs, outputs, _smallest_scale(model, buffers))


def _smallest_scale(model: dict[str, Any], buffers: list[int]) -> float:
    """The smallest scale of maps; a scale that is no number is taken as 0."""
    scales = [
        scale
        for graph in model["subgraphs"]
        for tensor in graph["tensors"]
        if not buffers[tensor["buffer"]] and tensor["quantization"] is not None
        for scale in tensor["quantization"]["scale"]
    ]
    return min((0.0 if math.isnan(scale) else scale for scale in scales), default=math.inf)


def _builtin_code(code: dict[str, Any]) -> int:
    """Old files have the operator's number in one byte only."""
    if code["deprecated_builtin_code"] == _PLACEHOLDER:
        return code["builtin_code"]
    return max(code["deprecated_builtin_code"], code["builtin_code"])


def _buffer_size(data: bytes, buffer: dict[str, Any]) -> int:
    if buffer["data"] is not None:
        return buffer["data"][1]
    if buffer["offset"] > 1:  # contents behind the FlatBuffer, for files above 2 GB
        _check(buffer["offset"] + buffer["size"] <= len(data), "a buffer ends outside the file")
        return buffer["size"]
    return 0


def _check_graph(data, reader, graph, codes, buffers) -> int:
    """Checks one graph; returns the bytes of its tensors that are not constants."""
    tensors = graph["tensors"]

    def check_indices(indices, what: str, lowest: int = 0) -> None:
        valid = all(lowest <= index < len(tensors) for index in indices)
        _check(valid, f"{what} names a missing tensor")

    _check_ends(graph, "a graph")
    check_indices(graph["inputs"], "the graph's input")
    check_indices(graph["outputs"], "the graph's output")
    for operator in graph["operators"]:
        _check(operator["opcode_index"] < len(codes), "an operator is not in the list of operators")
        _check_ends(operator, "an operator")
        check_indices(operator["inputs"], "an operator's input", lowest=-1)
        check_indices(operator["outputs"], "an operator's output")
        check_indices(operator["intermediates"], "an operator's intermediate", lowest=-1)
        _check_options(data, reader, operator, codes[operator["opcode_index"]])
    return sum(_check_tensor(tensor, buffers) for tensor in tensors)


def _check_ends(table: dict[str, Any], what: str) -> None:
    """TFLite Micro follows both vectors without asking whether they are there."""
    for name in ("inputs", "outputs"):
        _check(table[name] is not None, f"{what} has no {name}")


def _check_options(data, reader, operator, code) -> None:
    _check(operator["options2_type"] == 0, "an operator of StableHLO cannot be run")
    options = operator["options"]
    if options is not None:
        # Numbers need no more than a table that lies within the file.
        kind = operator["options_type"]
        reader.table(options, f"Options{kind}" if kind in _OPTIONS_WITH_VECTORS else "Table")
    if operator["large_options_offset"] > 1:
        end = operator["large_options_offset"] + operator["large_options_size"]
        _check(end <= len(data), "an operator's options end outside the file")
    if _builtin_code(code) != _CUSTOM:
        # A builtin operator without options is legal, options of another operator are not; which
        # belong together is the engines' knowledge, and they check it.
        _check(operator["custom_options"] is None, "a builtin operator has custom options")


def _check_tensor(tensor: dict[str, Any], buffers: list[int]) -> int:
    """Checks one tensor; returns its bytes unless it is a constant."""
    name = tensor["name"]
    _check(0 <= tensor["type"] <= _LAST_TYPE, f"tensor {name!r} is of an unknown type")
    _check(tensor["buffer"] < len(buffers), f"tensor {name!r} names a missing buffer")
    shape = [1 if size == -1 else size for size in tensor["shape"]]
    _check(all(size >= 0 for size in shape), f"tensor {name!r} has a negative size")
    bits = _BITS.get(tensor["type"], 0)
    size = (math.prod(shape) * bits + 7) // 8
    _check(size < 2**31, f"tensor {name!r} is too large")
    stored = buffers[tensor["buffer"]]
    if stored and bits and tensor["sparsity"] is None:
        _check(stored == size, f"constant {name!r} has {stored} bytes in place of {size}")
    quantization = tensor["quantization"]
    if quantization is not None and quantization["details_type"] == 0:
        scales, zero_points = quantization["scale"], quantization["zero_point"]
        _check(
            len(zero_points) in (0, len(scales)),
            f"tensor {name!r} has {len(scales)} scales and {len(zero_points)} zero points",
        )
        # Old converters number the dimension of a bias as that of its filter; it has only one.
        dimension = 0 if len(shape) == 1 else quantization["quantized_dimension"]
        _check(
            len(scales) <= 1 or (0 <= dimension < len(shape) and shape[dimension] == len(scales)),
            f"tensor {name!r} has {len(scales)} scales, which is not its size in dimension "
            f"{dimension}",
        )
    return 0 if stored else size

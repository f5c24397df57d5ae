"""Weights of a .tflite file in TFLite Micro's compressed forms, unpacked by its DECODE operator.

A compressed tensor is two constants, the encoded values and sixteen or more bytes about them, that
an operator with the custom code "TFLM_DECODE" in front of the tensor's reader turns into the
original values, in the arena: the file shrinks, the arena grows by the largest unpacked tensors
that live at a time, and every inference unpacks them anew. TFLite Micro has three forms:

* bitmask ("pruning"): a bit per value, the first in the highest bit, 1 where the value is not the
  zero point; then the values that are not, in order;
* lookup table: indices of 1 to 7 bits, the first in the highest bits, into the sorted values;
* Huffman codes, for which Xtensa cores have instructions; not written here.

Its Python package writes the second form only (the others raise "not yet implemented"); its
interpreter reads all of them. Weights of the operators of this package stay as they are: those read
them in flash, before the first inference. LiteRT does not have the operator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpool_tf.conversion.memory_plan import has_plan, with_plan
from rnnpool_tf.conversion.flatbuffer import Graph, schema

DECODE = "TFLM_DECODE"
BITMASK, LOOKUP_TABLE = "bitmask", "lookup table"

_FORM_CODES = {LOOKUP_TABLE: 0, BITMASK: 2}
_VERSION = 1
_HEADER = 16
_WHOLE_TENSOR = 0xF0  # one lookup table, not one per channel
_LARGEST_INDEX_BITS = 7
# The operator, its three tensors and its buffers take about this much of the file.
_OVERHEAD = 300
# Inputs of the operators whose kernels read them at inference only.
_WEIGHTS_INPUT = 1
_READERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@dataclass(frozen=True)
class Encoded:
    """A tensor's values in one of the forms.

    Attributes:
        form: `BITMASK` or `LOOKUP_TABLE`.
        values: uint8, the encoded values.
        about: uint8, what DECODE needs to know.
    """

    form: str
    values: np.ndarray
    about: np.ndarray

    @property
    def bytes(self) -> int:
        return self.values.size + self.about.size


@dataclass(frozen=True)
class CompressedTensor:
    """What became of one tensor: its name, its form, its bytes before and after."""

    name: str
    form: str
    before: int
    after: int


def compressed(data: bytes) -> tuple[bytes, list[CompressedTensor]]:
    """Compresses the int8 weights of convolutions and fully connected layers where that saves.

    Args:
        data: A .tflite file.

    Returns:
        The smaller file, with a memory plan if it had one, and the tensors compressed; `data`
        itself where nothing is to be gained.

    Raises:
        ValueError: Not the bytes of a TFLite model, or damaged.

    Example:

    >>> smaller, tensors = compressed(Path("vww.tflite").read_bytes())
    """
    graph = Graph.from_bytes(data)
    done = []
    for operator in list(graph.operators):
        index = _weights(graph, operator)
        if index is None:
            continue
        encoded = best_form(graph.constant(index))
        before = graph.bytes_of(index)
        if encoded is not None and encoded.bytes + _OVERHEAD < before:
            done.append(
                CompressedTensor(graph.tensor_name(index), encoded.form, before, encoded.bytes)
            )
            _decode_before(graph, operator, index, encoded)
    smaller = graph.to_bytes()
    if not done or len(smaller) >= len(data):
        return data, []
    return (with_plan(smaller) if has_plan(data) else smaller), done


def best_form(weights: np.ndarray) -> Encoded | None:
    """The smallest form of int8 values, in the order of the file; None for no values."""
    if not weights.size:
        return None
    forms = [bitmask(weights), lookup_table(weights)]
    return min((form for form in forms if form is not None), key=lambda form: form.bytes)


def bitmask(weights: np.ndarray) -> Encoded:
    """A bit for every int8 value, and the values that are not 0."""
    flat = weights.ravel()
    about = _header(BITMASK, [])
    return Encoded(
        BITMASK, np.packbits(flat != 0), np.concatenate([about, flat[flat != 0].view(np.uint8)])
    )


def lookup_table(weights: np.ndarray) -> Encoded | None:
    """Indices into the sorted values; None where there are more than 128."""
    table, indices = np.unique(weights.ravel(), return_inverse=True)
    bits = max(int(table.size - 1).bit_length(), 1)
    if bits > _LARGEST_INDEX_BITS:
        return None
    digits = np.unpackbits(indices.astype(np.uint8).reshape(-1, 1), axis=1)[:, 8 - bits :]
    about = _header(LOOKUP_TABLE, [_WHOLE_TENSOR | bits, table.size])
    return Encoded(
        LOOKUP_TABLE, np.packbits(digits.ravel()), np.concatenate([about, table.view(np.uint8)])
    )


def _header(form: str, parameters: list[int]) -> np.ndarray:
    header = np.zeros(_HEADER, np.uint8)
    header[:2] = _FORM_CODES[form], _VERSION
    header[4 : 5 + len(parameters)] = _VERSION, *parameters
    return header


def _weights(graph: Graph, operator: schema.OperatorT) -> int | None:
    """Index of an operator's weights if they may be compressed."""
    if graph.name_of(operator) not in _READERS:
        return None
    index = int(operator.inputs[_WEIGHTS_INPUT])
    tensor = graph.tensors[index]
    users = sum(other.buffer == tensor.buffer for other in graph.tensors)
    readers = len(graph.consumers()[index])
    if not graph.has_data(index) or graph.dtype(index) != np.int8 or (users, readers) != (1, 1):
        return None
    parameters = tensor.quantization
    if parameters is None or parameters.scale is None or parameters.zeroPoint is None:
        return None
    # DECODE finds channels along the first and the last axis only.
    axes = (0, len(graph.shape(index)) - 1)
    if np.any(parameters.zeroPoint) or parameters.quantizedDimension not in axes:
        return None
    return index


def _decode_before(graph: Graph, operator: schema.OperatorT, index: int, encoded: Encoded) -> None:
    # Names take room in the file, and the weights' own one tells it all.
    inputs = [graph.add_constant("", part) for part in (encoded.values, encoded.about)]
    output = graph.add_tensor(graph.tensor_name(index), graph.shape(index), np.int8)
    graph.tensors[output].quantization = graph.tensors[index].quantization
    decode = graph.make_operator(DECODE, inputs, [output])
    graph.operators.insert(graph.operators.index(operator), decode)
    operator.inputs = np.array([output if i == index else i for i in operator.inputs], np.int32)

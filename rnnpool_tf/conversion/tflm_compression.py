"""Weights of a .tflite file compressed for TFLite Micro, whose DECODE operator unpacks them.

The operator, custom code "TFLM_DECODE", stands in front of the compressed weights' reader and
writes the original values into the arena: the file shrinks, the arena has to hold the unpacked
weights of a layer while that runs, and every inference unpacks them anew.

TFLite Micro's Python package writes one form, the lookup table (for the others it raises "not yet
implemented"); its interpreter reads the bitmask as well, which is the form for sparse weights, so
this module writes the forms itself. Weights of the operators of this package stay as they are:
those read them in flash, before the first inference. LiteRT does not have the operator.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnnpool_tf.conversion.decode_forms import DECODE, Encoded, best_form
from rnnpool_tf.conversion.flatbuffer import Graph, schema
from rnnpool_tf.conversion.memory_plan import has_plan, with_plan

# The operator, its three tensors and its buffers take about this much of the file.
_OVERHEAD = 300
_TRIALS = 3
# Inputs of the operators whose kernels read them at inference only.
_WEIGHTS_INPUT = 1
_READERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


@dataclass(frozen=True)
class CompressedTensor:
    """What became of one tensor: its name, its form, its bytes before and after."""

    name: str
    form: str
    before: int
    after: int


@dataclass(frozen=True)
class Compression:
    """A compressed file.

    Attributes:
        data: The file; the one given where nothing is to be gained.
        tensors: The tensors compressed, in the order of their readers.
        arena: Bytes of TFLite Micro's arena in use, before and after; None if it was not run.
    """

    data: bytes
    tensors: tuple[CompressedTensor, ...]
    arena: tuple[int, int] | None = None


def compress(data: bytes) -> Compression:
    """Compresses weights, as `compressed`, and checks that TFLite Micro computes the same bytes.

    Args:
        data: An int8 .tflite file.

    Raises:
        ValueError: Not the bytes of a TFLite model, or damaged; its interpreter is not installed,
            or refuses the model.
        RuntimeError: The outputs differ, which nothing known makes happen.

    Example:

    >>> smaller = compress(Path("vww.tflite").read_bytes()).data
    """
    result = compressed(data)
    if not result.tensors:
        return result
    from rnnpool_tf.runtime.arena_probe import check_survives
    from rnnpool_tf.runtime.engines import start
    from rnnpool_tf.runtime.model_file import read_model

    check_survives(result.data)
    engines = [start(read_model(version), "tflm") for version in (data, result.data)]
    rng = np.random.default_rng(0)
    for _ in range(_TRIALS):
        inputs = [_noise(rng, details) for details in engines[0].inputs]
        outputs = (engine.invoke(inputs) for engine in engines)
        for before, after in zip(*outputs, strict=True):
            if before.tobytes() != after.tobytes():
                raise RuntimeError("the compressed model must compute the same bytes, and does not")
    before, after = (engine.arena_use().total for engine in engines)
    return replace(result, arena=(before, after))


def compressed(data: bytes) -> Compression:
    """Compresses the int8 weights of convolutions and fully connected layers where that saves.

    Args:
        data: A .tflite file.

    Returns:
        The smaller file, with a memory plan if it had one; not run yet.

    Raises:
        ValueError: Not the bytes of a TFLite model, or damaged.
    """
    graph = Graph.from_bytes(data)
    done = []
    for operator in list(graph.operators):
        index = _weights(graph, operator)
        encoded = None if index is None else best_form(graph.constant(index))
        if encoded is None or encoded.bytes + _OVERHEAD >= graph.bytes_of(index):
            continue
        name, before = graph.tensor_name(index), graph.bytes_of(index)
        done.append(CompressedTensor(name, encoded.form, before, encoded.bytes))
        _decode_before(graph, operator, index, encoded)
    if not done:
        return Compression(data, ())
    smaller = graph.to_bytes()
    return Compression(with_plan(smaller) if has_plan(data) else smaller, tuple(done))


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
    # DECODE finds channels along the first and the last axis, a single one along the first only.
    axes = (0,) if len(parameters.scale) == 1 else (0, len(graph.shape(index)) - 1)
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


def _noise(rng: np.random.Generator, details) -> np.ndarray:
    if details.dtype.kind == "f":
        return rng.normal(size=details.shape).astype(details.dtype)
    limits = np.iinfo(details.dtype)
    return rng.integers(limits.min, limits.max, details.shape, details.dtype, endpoint=True)

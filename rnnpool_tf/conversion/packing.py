"""Packs the matrices of RNNPool layers that have many zeros, where that is smaller and faster.

Only large cells read their weights from flash as they stand there, so only their matrices can be
packed (`rnnpool_tf.conversion.packed_matrix`). A cell of up to 2,048 weights is prepared in RAM,
where a pair of weights costs 1.6 instructions, less than it takes to find one. Packing changes no
result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from flatbuffers import flexbuffers

from rnnpool_tf.conversion.flatbuffer import Graph, schema
from rnnpool_tf.conversion.fusion.fused_operators import rnnpool_layers
from rnnpool_tf.conversion.packed_matrix import pack_matrix
from rnnpool_tf.conversion.rnnpool_op import (
    EXTENDED_VERSION,
    MATRICES,
    RNNPoolOperator,
    RNNPoolShape,
    read_options,
)
from rnnpool_tf.integer.cell import MAX_WIDENED_WEIGHTS

PACKINGS = ("auto", "none")
# Share of pairs that are not zero from which on the packed form takes more instructions on a
# Cortex-M4, measured by `rnnpool bench m4 --sparse`.
FASTER_BELOW = {
    "kernel1": 1.0,
    "recurrent_kernel1": 0.80,
    "kernel2": 1.0,
    "recurrent_kernel2": 0.85,
}
_POOL_CONSTANTS = 8


@dataclass(frozen=True)
class PackingNote:
    """One matrix that was looked at.

    Attributes:
        layer: Name of the RNNPool layer.
        matrix: "kernel1", "recurrent_kernel1", "kernel2" or "recurrent_kernel2".
        packed: Whether it was packed.
        pair_density: Share of its pairs of weights that are not zero.
        detail: What that saves, or why it stays dense.
    """

    layer: str
    matrix: str
    packed: bool
    pair_density: float
    detail: str

    def __str__(self) -> str:
        return f"{'packed' if self.packed else 'dense'} {self.matrix} of '{self.layer}': " + (
            f"{self.pair_density:.0%} of the pairs are non-zero, {self.detail}"
        )


def check_packing(pack: str) -> None:
    """Raises ValueError unless `pack` is one of the choices."""
    if pack not in PACKINGS:
        raise ValueError(f"`pack` must be one of {PACKINGS}. Received: pack={pack!r}")


def pack(graph: Graph) -> list[PackingNote]:
    """Packs matrices of the int8 RNNPool layers of a model, fused or not, in place.

    Returns:
        A note for every matrix of a large cell that was not packed already, and for matrices of
        small cells that would be sparse enough.

    Raises:
        ValueError: An RNNPool operator does not keep to its format.

    Example:

    >>> graph = Graph.from_bytes(Path("model.tflite").read_bytes())
    >>> for note in pack(graph):
    ...     print(note)
    packed kernel1 of 'last': 30% of the pairs are non-zero, 12,100 bytes in place of 25,600
    """
    notes = []
    for pool in rnnpool_layers(graph):
        if pool.quantized:
            found = _pack_layer(graph, pool)
            notes += found
            if any(note.packed for note in found):
                _set_version(pool.operator)
    return notes


def pair_density(matrix: np.ndarray) -> float:
    """Share of the pairs of neighbouring columns (0 and 1, 2 and 3, …) that are not both zero."""
    rows, columns = matrix.shape
    padded = np.pad(matrix, ((0, 0), (0, columns % 2)))
    return float(padded.reshape(rows, -1, 2).any(axis=2).mean())


def _pack_layer(graph: Graph, pool: RNNPoolOperator) -> list[PackingNote]:
    notes = []
    inputs = np.array(pool.operator.inputs, np.int32)  # those of a file cannot be changed
    first = len(inputs) - _POOL_CONSTANTS
    for position, name in MATRICES.items():
        place = first + position - 1
        index = int(inputs[place])
        values = graph.constant(index)
        if values.ndim == 1:  # packed already
            continue
        density = pair_density(values)
        limit = FASTER_BELOW[name]
        stream = pack_matrix(values)
        sizes = f"{stream.size:,} bytes in place of {values.size:,}"
        packed = False
        if not is_large(pool.shape, name):
            if density >= limit or stream.size >= values.size:
                continue
            detail = f"but cells of up to {MAX_WIDENED_WEIGHTS:,} weights are faster dense"
        elif graph.quantization(index) is None:
            detail = "but it has more than one scale"
        elif stream.size >= values.size:
            detail = f"packed it would take {sizes}"
        elif density >= limit:
            detail = f"packed is faster below {limit:.0%}"
        else:
            packed, detail = True, sizes
            inputs[place] = graph.add_constant(
                graph.tensor_name(index), stream, graph.quantization(index)
            )
        notes.append(PackingNote(pool.layer, name, packed, density, detail))
    pool.operator.inputs = inputs
    return notes


def is_large(shape: RNNPoolShape, matrix: str) -> bool:
    """Whether a matrix belongs to a cell whose matrices can be packed."""
    if matrix.endswith("1"):
        inputs, units = shape.channels, shape.hidden1
    else:
        inputs, units = shape.hidden1, shape.hidden2
    return units * (inputs + units) > MAX_WIDENED_WEIGHTS


def _set_version(operator: schema.OperatorT) -> None:
    options = read_options(operator)
    options["version"] = max(options["version"], EXTENDED_VERSION)
    operator.customOptions = np.frombuffer(flexbuffers.Dumps(options), np.uint8)

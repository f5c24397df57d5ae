"""What TFLite Micro puts into the shared part of its arena: every buffer, its size, its lifetime.

Time is counted as TFLite Micro's planner counts it: 0 before the first operator, then one step per
operator, so operator i runs at time i + 1. Inputs live from 0, outputs of the model to the end,
every other tensor from the operator that writes it to the last that reads it, scratch buffers while
their operator runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rnnpool_tf.conversion.flatbuffer import Graph, input_indices, schema
from rnnpool_tf.conversion.scratch import UnknownScratchError, scratch_bytes

ALIGNMENT = 16

# (number of an operator's input, number of its output) → the largest difference of their addresses
# with which they may overlap.
Overlaps = Mapping[tuple[int, int], int]

# What an operator promises: the largest difference (address of its output − of its first input) at
# which the two may overlap, in bytes; every smaller one is allowed too. None: they must not.
InPlaceRule = Callable[[Graph, schema.OperatorT], "int | None"]


@dataclass(frozen=True)
class Buffer:
    """One buffer of the arena.

    Attributes:
        name: The tensor's name, or the operator's for scratch.
        kind: What it is for.
        bytes: Its content.
        first: Time from which it is in use.
        last: Last time at which it is in use.
        tensor: Index of the tensor; None for scratch.
    """

    name: str
    kind: Literal["input", "activation", "output", "scratch"]
    bytes: int
    first: int
    last: int
    tensor: int | None = None

    @property
    def size(self) -> int:
        """Bytes that it takes: rounded up to the arena's alignment."""
        return aligned(self.bytes)

    def lives_at(self, time: int) -> bool:
        """Whether it is in use at this time."""
        return self.first <= time <= self.last

    def meets(self, other: Buffer) -> bool:
        """Whether there is a time at which both are in use."""
        return self.first <= other.last and other.first <= self.last


def aligned(size: int) -> int:
    """The next multiple of the arena's alignment."""
    return -(-size // ALIGNMENT) * ALIGNMENT


def buffers_of(graph: Graph) -> list[Buffer]:
    """All buffers of a model, in the order in which TFLite Micro's planner gets them.

    Raises:
        UnknownScratchError: What an operator needs is not known (see `scratch_bytes`), or the size
            of a tensor's type, or the model has several subgraphs.
    """
    if len(graph.model.subgraphs) != 1:
        raise UnknownScratchError(
            "the model must have one subgraph for its memory to be planned. "
            f"Received: {len(graph.model.subgraphs)} subgraphs"
        )
    first, last = _lifetimes(graph)
    found = [
        Buffer(
            graph.tensor_name(index), _kind(graph, index), size, first[index], last[index], index
        )
        for index in sorted(first)
        if (size := _bytes(graph, index)) > 0
    ]
    for time, operator in enumerate(graph.operators, start=1):
        name = graph.name_of(operator)
        sizes = scratch_bytes(graph, operator)
        found += [Buffer(name, "scratch", size, time, time) for size in sizes]
    return found


def overlaps_of(
    graph: Graph, buffers: Sequence[Buffer], rule: InPlaceRule
) -> dict[tuple[int, int], int]:
    """Which outputs may overlap the input that dies in their operator.

    Args:
        graph: The model.
        buffers: Its buffers.
        rule: What its operators promise.

    Returns:
        (position of the input, of the output in `buffers`) → the largest value of the output's
        offset minus the input's, in bytes, a multiple of 16, at which they may overlap. Every
        smaller value is allowed too.
    """
    positions = {buffer.tensor: i for i, buffer in enumerate(buffers) if buffer.tensor is not None}
    found = {}
    for time, operator in enumerate(graph.operators, start=1):
        distance = rule(graph, operator)
        if distance is None:
            continue
        read, written = int(operator.inputs[0]), int(operator.outputs[0])
        x, y = positions.get(read), positions.get(written)
        if x is None or y is None:  # a constant or a variable
            continue
        dies = buffers[x].last == time and read not in graph.outputs
        if dies and buffers[y].first == time and input_indices(operator).count(read) == 1:
            found[x, y] = distance // ALIGNMENT * ALIGNMENT
    return found


def _lifetimes(graph: Graph) -> tuple[dict[int, int], dict[int, int]]:
    first = dict.fromkeys(graph.inputs, 0)
    last = dict.fromkeys(graph.inputs, 0)
    for time, operator in enumerate(graph.operators, start=1):
        outputs = [int(index) for index in operator.outputs]
        for index in outputs:
            first.setdefault(index, time)
        for index in [*input_indices(operator), *outputs]:
            if index in first:  # others are constants
                last[index] = time
    for index in graph.outputs:
        first.setdefault(index, len(graph.operators))
        last[index] = len(graph.operators)
    return first, last


def _bytes(graph: Graph, index: int) -> int:
    """What a tensor takes of the shared arena: nothing, for constants and variables."""
    tensor = graph.tensors[index]
    if tensor.isVariable or graph.has_data(index):
        return 0
    size = graph.bytes_of(index)
    if size is None:
        raise UnknownScratchError(
            f"the size of '{graph.tensor_name(index)}' is not known. Received: TensorType "
            f"{tensor.type}"
        )
    return size


def _kind(graph: Graph, index: int) -> str:
    if index in graph.inputs:
        return "input"
    return "output" if index in graph.outputs else "activation"

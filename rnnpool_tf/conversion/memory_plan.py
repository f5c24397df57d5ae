"""Where the tensors of a model lie in TFLite Micro's arena, and a better plan for them.

TFLite Micro plans its arena when a model is loaded: the largest buffer first, each into the lowest
gap (`MemoryPlan.kind == "greedy"`). That can waste memory, and it never lets an operator's output
overlap its dying input. A model may bring a plan of its own as metadata, which TFLite Micro then
follows; `with_plan` writes one where it wins. Nothing but addresses changes: the outputs are the
same to the last bit, and TensorFlow Lite ignores the metadata.

>>> report = plan(Graph.from_bytes(data))
>>> print(report.greedy.head, report.offline.head, report.in_place_bound)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rnnpool_tf.conversion import placement, plan_metadata
from rnnpool_tf.conversion.buffers import Buffer, buffers_of, overlaps_of
from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.conversion.in_place import in_place_offset
from rnnpool_tf.conversion.scratch import UnknownScratchError

PLANS = ("greedy", "offline")


@dataclass(frozen=True)
class MemoryPlan:
    """A placement of a model's buffers.

    Attributes:
        kind: "greedy": as TFLite Micro places them by itself; "offline": by the model's metadata.
        buffers: The buffers.
        offsets: Their offsets from the start of the arena, in bytes.
    """

    kind: Literal["greedy", "offline"]
    buffers: tuple[Buffer, ...]
    offsets: tuple[int, ...]

    @property
    def head(self) -> int:
        """Bytes of arena that activations and scratch buffers take."""
        return placement.peak(self.buffers, self.offsets)

    def tensor_offsets(self) -> dict[int, int]:
        """Offset of every tensor of the plan, by its index."""
        pairs = zip(self.buffers, self.offsets, strict=True)
        return {buffer.tensor: offset for buffer, offset in pairs if buffer.tensor is not None}


@dataclass(frozen=True)
class PlanReport:
    """What planning can save.

    Attributes:
        greedy: What TFLite Micro does by itself.
        offline: The best plan found, as TFLite Micro will carry it out.
        bound: Bytes that are in use at the worst time: no placement takes less, as long as no
            buffers overlap.
        in_place_bound: The same where outputs may overlap their inputs.
    """

    greedy: MemoryPlan
    offline: MemoryPlan
    bound: int
    in_place_bound: int

    @property
    def wins(self) -> bool:
        """Whether the plan takes less than TFLite Micro's own."""
        return self.offline.head < self.greedy.head

    @property
    def wasted(self) -> int:
        """Bytes that TFLite Micro's own plan takes beyond the bound without overlaps."""
        return self.greedy.head - self.bound


def plan(graph: Graph) -> PlanReport:
    """Plans a model's memory; the graph is not changed.

    Raises:
        UnknownScratchError: It has an operator whose scratch memory is not known, or several
            subgraphs.
    """
    buffers = buffers_of(graph)
    overlaps = overlaps_of(graph, buffers, in_place_offset)
    offsets = placement.improved(buffers, overlaps)
    fixed = {i: offsets[i] for i, buffer in enumerate(buffers) if buffer.tensor is not None}
    # Scratch buffers cannot be fixed: TFLite Micro finds gaps for them when it loads the model.
    carried_out = placement.greedy(buffers, fixed)
    return PlanReport(
        _plan("greedy", buffers, placement.greedy(buffers)),
        _plan("offline", buffers, carried_out),
        max(placement.live_bytes(buffers), default=0),
        max(placement.live_bytes(buffers, overlaps), default=0),
    )


def plan_in_file(graph: Graph) -> MemoryPlan:
    """How TFLite Micro will place the buffers of a model as it is, with the plan it brings, if any.

    Raises:
        ValueError: The model's own plan is malformed.
        UnknownScratchError: As `plan`.
    """
    buffers = buffers_of(graph)
    given = plan_metadata.read_offsets(graph.model)
    fixed = {i: given[b.tensor] for i, b in enumerate(buffers) if b.tensor in given}
    return _plan("offline" if fixed else "greedy", buffers, placement.greedy(buffers, fixed))


def greedy_plan(graph: Graph) -> MemoryPlan:
    """How TFLite Micro would place the buffers of a model that brings no plan.

    Raises:
        UnknownScratchError: As `plan`.
    """
    buffers = buffers_of(graph)
    return _plan("greedy", buffers, placement.greedy(buffers))


def with_plan(data: bytes) -> bytes:
    """Gives a .tflite file a memory plan if that takes less arena than TFLite Micro's own.

    A plan that it had before is replaced or removed. To be called last: writing a changed graph
    drops the plan.

    Raises:
        ValueError: Not a TFLite model, or a damaged one.
    """
    graph = Graph.from_bytes(data)
    try:
        report = plan(graph)
    except UnknownScratchError:
        return graph.to_bytes()
    return graph.to_bytes(report.offline.tensor_offsets() if report.wins else None)


def has_plan(data: bytes) -> bool:
    """Whether a .tflite file brings a memory plan.

    Raises:
        ValueError: Not a TFLite model, or a damaged one; or its plan is malformed.
    """
    return bool(plan_metadata.read_offsets(Graph.from_bytes(data).model))


def _plan(kind: str, buffers: list[Buffer], offsets: list[int]) -> MemoryPlan:
    return MemoryPlan(kind, tuple(buffers), tuple(offsets))

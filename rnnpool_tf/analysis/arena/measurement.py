"""Measuring a model in TensorFlow Lite Micro's own interpreter."""

from __future__ import annotations

from dataclasses import dataclass

from rnnpool_tf.analysis.arena.variants import Variant
from rnnpool_tf.conversion import memory_plan
from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.conversion.memory_plan import MemoryPlan, PlanReport
from rnnpool_tf.conversion.scratch import UnknownScratchError
from rnnpool_tf.runtime.arena_probe import check_survives, smallest_arena
from rnnpool_tf.runtime.engines import start
from rnnpool_tf.runtime.model_file import read_model
from rnnpool_tf.runtime.streamed import StreamedRuntime

# What a tensor's and an operator's descriptor shrink by where pointers have 32 bits: 24 to 12 bytes
# and 64 to 32.
_TENSOR_SAVES = 12
_OPERATOR_SAVES = 32


@dataclass(frozen=True)
class Measured:
    """A model's RAM, in bytes.

    Attributes:
        name: Of the variant.
        operators: Their names, in execution order.
        smallest: Smallest arena in which the model runs here, found by trying.
        total: What stays allocated of it: `arena_used_bytes`.
        head: Of `total`: activations and scratch buffers. The same on every machine, up to scratch
            buffers of optimised kernels.
        tail: Of `total`: persistent data, on this machine with its 64-bit pointers.
        tail_32_bit_estimate: An estimate of `tail` on a 32-bit machine, rather too high:
            descriptors of tensors and operators are half as large there; other pointers are left
            as they are.
        beside: Memory beside the arena: of a streamed model, the stream object.
        plan: Where everything lies; None if an operator's scratch memory is not known.
        report: What planning can save, likewise.
    """

    name: str
    operators: tuple[str, ...]
    smallest: int
    total: int
    head: int
    tail: int
    tail_32_bit_estimate: int
    beside: int
    plan: MemoryPlan | None
    report: PlanReport | None

    @property
    def ram(self) -> int:
        """All RAM for running the model: the smallest arena and what stands beside it."""
        return self.smallest + self.beside


def measure(variant: Variant) -> Measured:
    """Runs a variant in ever smaller arenas; takes a few seconds.

    Raises:
        ValueError: TensorFlow Lite Micro refuses the model, aborts on it or is not installed; or a
            pair does not belong together.
        RuntimeError: The arena's map, as computed, is not as large as the measured one.
    """
    beside = 0
    model = read_model(variant.data)
    check_survives(variant.data)
    if variant.header is not None:
        pair = StreamedRuntime(variant.header, variant.data, engine="tflm")
        beside = pair.total_bytes - pair.arena_breakdown["total"]
    use = start(model, "tflm").arena_use()
    graph = Graph.from_bytes(variant.data)
    plan, report = _plans(graph)
    if plan is not None and plan.head != use.head:
        raise RuntimeError(
            f"the arena's map of '{variant.name}' should take {use.head} bytes, as measured. "
            f"Received: {plan.head} bytes"
        )
    saved = _TENSOR_SAVES * len(graph.tensors) + _OPERATOR_SAVES * len(graph.operators)
    return Measured(
        name=variant.name,
        operators=tuple(graph.name_of(operator) for operator in graph.operators),
        smallest=smallest_arena(variant.data, use.total),
        total=use.total,
        head=use.head,
        tail=use.tail,
        tail_32_bit_estimate=use.tail - saved,
        beside=beside,
        plan=plan,
        report=report,
    )


def _plans(graph: Graph) -> tuple[MemoryPlan | None, PlanReport | None]:
    try:
        return memory_plan.plan_in_file(graph), memory_plan.plan(graph)
    except UnknownScratchError:
        return None, None

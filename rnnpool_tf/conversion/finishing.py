"""What every file goes through at the end: fusion, packing, order of operators, memory plan."""

from __future__ import annotations

from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.conversion.fusion.passes import check_choice
from rnnpool_tf.conversion.fusion.passes import fuse as fuse_graph
from rnnpool_tf.conversion.fusion.report import FusionNote
from rnnpool_tf.conversion.memory_plan import PLANS, has_plan, with_plan
from rnnpool_tf.conversion.operator_order import reorder
from rnnpool_tf.conversion.packing import PackingNote, check_packing
from rnnpool_tf.conversion.packing import pack as pack_graph

Note = FusionNote | PackingNote


def fuse_model(data: bytes, fuse: str = "all", plan: str = "offline", pack: str = "auto") -> bytes:
    """Fuses operators of an int8 .tflite model, with RNNPool layers or without.

    Args:
        data: The file.
        fuse: "stem", "blocks", "all" or "none"; see `rnnpool_tf.conversion.fuse`.
        plan: "offline" or "greedy"; see `rnnpool_tf.convert`.
        pack: "auto" or "none"; see `rnnpool_tf.convert`.

    Returns:
        The fused file, its operators in the order that needs the least memory; `data` itself where
        nothing can be fused, packed or planned better. It computes the same bytes.

    Raises:
        ValueError: Not the bytes of a TFLite model, or damaged; `fuse`, `plan` or `pack` is none
            of the above.

    Example:

    >>> fused = fuse_model(Path("mobilenet_v2.tflite").read_bytes())
    """
    return fuse_file(data, fuse, plan, pack)[0]


def fuse_file(data: bytes, fuse: str, plan: str, pack: str = "auto") -> tuple[bytes, list[Note]]:
    """As `fuse_model`; tells what was fused and packed and what was not, and why, as well."""
    check_choices(fuse, plan, pack)
    if not isinstance(data, (bytes, bytearray)):
        raise ValueError(f"`data` must be the bytes of a .tflite file. Received: data={data!r}")
    finished, notes = finish(Graph.from_bytes(data), fuse, plan, pack)
    gained = any(note.fused if isinstance(note, FusionNote) else note.packed for note in notes)
    gained = gained or has_plan(finished)
    gained = gained or (plan == "greedy" and has_plan(data))  # then it loses its plan
    return (finished if gained else data), notes


def finish(graph: Graph, fuse: str, plan: str, pack: str = "auto") -> tuple[bytes, list[Note]]:
    """Fuses a graph, packs its matrices, orders its operators and writes it, with a memory plan if
    that wins.

    Returns:
        The file, and what was fused and packed and what was not.
    """
    notes: list[Note] = [*fuse_graph(graph, fuse)]
    if pack == "auto":
        notes += pack_graph(graph)
    reorder(graph)
    data = graph.to_bytes()
    return (with_plan(data) if plan == "offline" else data), notes


def check_choices(fuse: str, plan: str, pack: str = "auto") -> None:
    """Raises ValueError unless all are among their choices."""
    check_choice(fuse)
    check_packing(pack)
    if plan not in PLANS:
        raise ValueError(f"`plan` must be one of {PLANS}. Received: plan={plan!r}")

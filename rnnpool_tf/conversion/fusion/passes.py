"""`fuse()`: all passes, on a graph."""

from __future__ import annotations

from rnnpool_tf.conversion.flatbuffer import Graph, schema
from rnnpool_tf.conversion.fusion import blocks, mean, stem
from rnnpool_tf.conversion.fusion.report import FusionNote

_PASSES = {
    "none": (),
    "stem": (stem.run,),
    "blocks": (blocks.run,),
    "all": (stem.run, blocks.run, mean.run),
}
CHOICES = tuple(_PASSES)
_NOTHING = {
    "stem": "it has no convolutions that feed RNNPool",
    "blocks": "it has no inverted residuals",
    "all": "it has no convolutions that feed RNNPool, no inverted residuals and no MEAN of a map",
}


def fuse(graph: Graph, what: str = "all") -> list[FusionNote]:
    """Fuses operators of an int8 model, in place; its results do not change in any byte.

    Args:
        graph: The model. Float32 models stay as they are.
        what: "stem" (convolutions with the RNNPool layer they feed), "blocks" (inverted residuals),
            "all" (both, and MEAN over a whole map to AVERAGE_POOL_2D), or "none".

    Returns:
        What was fused and what was not, and why, in the order of the passes.

    Raises:
        ValueError: `what` is none of these.

    Example:

    >>> graph = Graph.from_bytes(Path("model.tflite").read_bytes())
    >>> for note in fuse(graph):
    ...     print(note)
    fused stem 'pool': 3x3 stride 2 -> RNNPool
    """
    check_choice(what)
    if what != "none" and not _has_int8_maps(graph):
        return [FusionNote("model", "", False, "it is not int8")]
    notes = [note for run in _PASSES[what] for note in run(graph)]
    if what != "none" and not notes:
        return [FusionNote("model", "", False, _NOTHING[what])]
    return notes


def _has_int8_maps(graph: Graph) -> bool:
    outputs = (int(index) for operator in graph.operators for index in operator.outputs)
    return any(graph.tensors[index].type == schema.TensorType.INT8 for index in outputs)


def check_choice(what: str) -> None:
    """Raises ValueError unless `what` is one of the choices of `fuse`."""
    if what not in _PASSES:
        raise ValueError(
            f"`fuse` must be one of {', '.join(map(repr, CHOICES))}. Received: fuse={what!r}"
        )

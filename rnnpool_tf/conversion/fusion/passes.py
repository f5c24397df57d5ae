"""`fuse()`: all passes, on a graph; `fuse_model()`: on the bytes of a file."""

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
    fused stem 'pool': 3x3 stride 2 -> RNNPool; the model's input is in front of it
    """
    check_choice(what)
    if what != "none" and not _has_int8_maps(graph):
        return [FusionNote("model", "", False, "it is not int8")]
    return [note for run in _PASSES[what] for note in run(graph)]


def fuse_model(data: bytes, what: str = "all") -> bytes:
    """Fuses operators of an int8 .tflite model, with RNNPool layers or without.

    Args:
        data: The file.
        what: See `fuse`.

    Returns:
        The fused file; `data` itself where nothing can be fused.

    Raises:
        ValueError: Not a TFLite model, or damaged.

    Example:

    >>> fused = fuse_model(Path("mobilenet_v2.tflite").read_bytes())
    """
    return fuse_and_report(data, what)[0]


def fuse_and_report(data: bytes, what: str) -> tuple[bytes, list[FusionNote]]:
    """`fuse_model`, and what `fuse` says."""
    graph = Graph.from_bytes(data)
    notes = fuse(graph, what)
    if not any(note.fused for note in notes):
        return data, notes
    return graph.to_bytes(), notes


def _has_int8_maps(graph: Graph) -> bool:
    outputs = (int(index) for operator in graph.operators for index in operator.outputs)
    return any(graph.tensors[index].type == schema.TensorType.INT8 for index in outputs)


def check_choice(what: str) -> None:
    """Raises ValueError unless `what` is one of the choices of `fuse`."""
    if what not in _PASSES:
        raise ValueError(
            f"`fuse` must be one of {', '.join(map(repr, CHOICES))}. Received: fuse={what!r}"
        )

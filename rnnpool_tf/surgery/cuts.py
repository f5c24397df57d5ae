"""Where a model can be cut: the tensors that everything behind them is computed from."""

from __future__ import annotations

from dataclasses import dataclass

from rnnpool_tf.surgery.graph import Graph, size, size_text


@dataclass(frozen=True)
class Cut:
    """A place where a single tensor separates what is before from what is behind.

    Attributes:
        end: The layer that makes the tensor: a span may end with it.
        start: A layer that takes it: a span may start with it. None at the end of the model.
        shape: (height, width, channels) of the tensor, or shorter, without the batch.
    """

    end: str
    start: str | None
    shape: tuple[int | None, ...]


class Cuts(tuple):
    """Cuts in the order of computation; prints as a table."""

    def __str__(self) -> str:
        rows = [("a span may end with", "size", "and the next may start with")]
        rows += [(cut.end, size_text(cut.shape), cut.start or "-") for cut in self]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )


def suggest_spans(model) -> Cuts:
    """The places where spans for `replace_with_rnnpool` can begin and end.

    A span runs from the `start` of one cut to the `end` of a later one. RNNPool fits where the
    first tensor is a map and the second is a smaller map whose height and width divide the first's,
    or a vector.

    Args:
        model: Functional or sequential Keras model. With several inputs, cuts are listed from
            where the last of them has come in.

    Returns:
        The cuts, in the order of computation; `print()` shows a table.

    Raises:
        ValueError: Another kind of model, or one whose input is not known yet.

    Example:

    >>> model = keras.Sequential([
    ...     keras.Input((32, 32, 3)),
    ...     keras.layers.Conv2D(8, 3, strides=2, padding="same", name="stem"),
    ...     keras.layers.MaxPooling2D(4, name="pool"),
    ...     keras.layers.Flatten(name="flat"),
    ... ])
    >>> [(cut.end, cut.shape, cut.start) for cut in suggest_spans(model)][1:]
    [('stem', (16, 16, 8), 'pool'), ('pool', (4, 4, 8), 'flat'), ('flat', (128,), None)]
    """
    graph = Graph(model)
    return Cuts(_cut(graph, index) for index in cut_indices(graph))


def cut_indices(graph: Graph) -> list[int]:
    """The steps after which a single tensor is still needed."""
    last_use = {id(t): index for index, step in enumerate(graph.steps) for t in step.inputs}
    cuts, live = [], set()
    for index, step in enumerate(graph.steps):
        live |= {id(tensor) for tensor in step.outputs}
        # Outputs of the model may leave anywhere before or behind a span.
        live = {tensor for tensor in live if last_use.get(tensor, -1) > index}
        made = {id(tensor) for tensor in step.outputs}
        if len(made) == 1 and (live == made or index == len(graph.steps) - 1):
            cuts.append(index)
    return cuts


def _cut(graph: Graph, index: int) -> Cut:
    tensor = graph.steps[index].outputs[0]
    readers = graph.readers(tensor)
    start = graph.steps[readers[0]].name if readers else None
    return Cut(graph.steps[index].name, start, size(tensor))

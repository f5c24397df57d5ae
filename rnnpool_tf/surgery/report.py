"""What a replacement saves."""

from __future__ import annotations

from dataclasses import dataclass

from rnnpool_tf.analysis.model_summary import ModelSummary

_TITLES = ("", "before", "after", "after/before")


@dataclass(frozen=True)
class Report:
    """A model before and after; prints as a table.

    Attributes:
        before: Summary of the model as it was.
        after: Summary of the model with RNNPool.
        replaced: The span in words.
        by: The new layers in words.
    """

    before: ModelSummary
    after: ModelSummary
    replaced: str
    by: str

    @property
    def rows(self) -> tuple[tuple[str, int, int], ...]:
        """(what, before, after): parameters, MAdds with `W·x` once per pixel, bytes of RAM by the
        paper's convention, and the least bytes of RAM without computing anything twice, with the
        image in memory and with an image that arrives row by row."""
        return tuple(
            (name, value(self.before), value(self.after)) for name, value in _FIGURES.items()
        )

    def __str__(self) -> str:
        cells = [_TITLES]
        for name, before, after in self.rows:
            cells.append(
                (name, f"{before:,}", f"{after:,}", f"{after / before:.2f}" if before else "–")
            )
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        table = (
            row[0].ljust(widths[0])
            + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], widths[1:], strict=True))
            for row in cells
        )
        return "\n".join([f"replaced  {self.replaced}", f"by        {self.by}", *table])


_FIGURES = {
    "parameters": lambda model: model.count.params,
    "MAdds per image": lambda model: model.count.madds_shared,
    "RAM, paper's convention": lambda model: model.paper.bytes,
    "RAM, lower bound": lambda model: model.bounds.resident.bytes,
    "  image row by row": lambda model: model.bounds.streamed.bytes,
}

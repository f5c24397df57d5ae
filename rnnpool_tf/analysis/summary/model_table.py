"""Layers and totals of one model or two, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from rnnpool_tf.analysis.model_summary import LayerSummary, ModelSummary
from rnnpool_tf.analysis.summary.measured import Arena

LAYER_HEADER = (
    "layer", "kind", "output", "parameters", "MAdds", "shared W·x", "executed", "output bytes",
)  # fmt: skip
_TEXT_COLUMNS = 3  # aligned to the left
_GAP = "  "


def shown_layers(summary: ModelSummary, everything: bool) -> list[LayerSummary]:
    """All layers, or those with parameters or MAdds that are more than normalisation."""
    return [
        layer
        for layer in summary.layers
        if everything or layer.madds or (layer.parameters and "BatchNorm" not in layer.kind)
    ]


def layer_rows(summary: ModelSummary, everything: bool) -> list[tuple[str, ...]]:
    """A row of cells per layer, in the columns of `LAYER_HEADER`."""
    return [
        (
            layer.name,
            layer.kind,
            "x".join(map(str, layer.output_shape)),
            *(
                f"{value:,}"
                for value in (
                    layer.parameters,
                    layer.madds,
                    layer.madds_shared,
                    layer.madds_executed,
                    layer.activation_bytes,
                )
            ),
        )
        for layer in shown_layers(summary, everything)
    ]


def total_rows(summaries: Sequence[ModelSummary], arenas: Sequence[Arena | None]) -> list[tuple]:
    """(label, a cell for each model) for everything that counts for a whole model."""
    rows = [
        ("parameters", [f"{one.count.params:,}" for one in summaries]),
        ("MAdds, every patch from scratch", [f"{one.count.madds:,}" for one in summaries]),
        ("MAdds, W·x once per pixel (paper)", [f"{one.count.madds_shared:,}" for one in summaries]),
        ("MAdds, as executed", [f"{one.count.madds_executed:,}" for one in summaries]),
        ("bytes of an element of a map", [str(one.element_bytes) for one in summaries]),
        ("largest map, bytes", [f"{one.largest_map_bytes:,}" for one in summaries]),
        ("peak RAM by the paper's convention", [f"{one.paper.bytes:,}" for one in summaries]),
        ("  where: kind of block", [one.peak.kind for one in summaries]),
        ("  from map to map", [one.paper.where for one in summaries]),
        ("  layers", [_first_and_last(one.peak.layers) for one in summaries]),
        (
            "least RAM, image resident (bound)",
            [f"{one.bounds.resident.bytes:,}" for one in summaries],
        ),
        (
            "least RAM, image row by row (bound)",
            [f"{one.bounds.streamed.bytes:,}" for one in summaries],
        ),
    ]
    if any(arena is not None for arena in arenas):
        values = ["–" if a is None or a.bytes is None else f"{a.bytes:,}" for a in arenas]
        rows.append(("arena in TensorFlow Lite Micro, measured", values))
    return rows


def as_text(
    summaries: Sequence[ModelSummary], arenas: Sequence[Arena | None], everything: bool
) -> str:
    """The layers of the first model; the totals of all; what the arenas are those of."""
    first = summaries[0]
    parts = [_aligned([LAYER_HEADER, *layer_rows(first, everything)], _TEXT_COLUMNS)]
    hidden = len(first.layers) - len(shown_layers(first, everything))
    if hidden:
        parts.append(
            f"{hidden} layers without MAdds, batch normalisation among them, are not listed (--all "
            "lists them); they count in the totals."
        )
    names = [("", *(one.name for one in summaries))]
    totals = [(label, *cells) for label, cells in total_rows(summaries, arenas)]
    parts.append(_aligned([*names, *totals], 1))
    for one, arena in zip(summaries, arenas, strict=True):
        if arena is not None:
            parts.append(f"arena of {one.name}: {arena.what}")
    return "\n\n".join(parts)


def as_json(summary: ModelSummary, arena: Arena | None) -> dict:
    """Everything about a model, for programs."""
    described = {
        "name": summary.name,
        "parameters": summary.count.params,
        "madds": summary.count.madds,
        "madds_shared": summary.count.madds_shared,
        "madds_executed": summary.count.madds_executed,
        "element_bytes": summary.element_bytes,
        "largest_map_bytes": summary.largest_map_bytes,
        "paper_convention": asdict(summary.paper) | {"block": summary.peak.kind},
        "lower_bounds": asdict(summary.bounds),
        "blocks": [
            {
                "kind": block.kind,
                "input": str(block.before),
                "output": str(block.after),
                "bytes": block.elements * summary.element_bytes,
                "layers": list(block.layers),
            }
            for block in summary.blocks
        ],
        "layers": [asdict(layer) for layer in summary.layers],
    }
    if arena is not None:
        described["arena"] = asdict(arena)
    return described


def _first_and_last(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} … {names[-1]}"


def _aligned(rows: Sequence[Sequence[str]], left: int) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        _GAP.join(
            f"{cell:<{width}}" if column < left else f"{cell:>{width}}"
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )

"""A summary as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from rnnpool_tf.analysis.model_summary import ModelSummary
from rnnpool_tf.analysis.summary.charts import MEMORY_TITLE, memory_panels, scatters
from rnnpool_tf.analysis.summary.measured import Arena
from rnnpool_tf.analysis.summary.model_table import LAYER_HEADER, layer_rows, total_rows
from rnnpool_tf.analysis.summary.results import Result
from rnnpool_tf.analysis.summary.svg import memory_chart, scatter_chart

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; max-width: 980px; margin: 2em auto;
       padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: .2em .7em; border-bottom: 1px solid #e4e4e4; text-align: right; }
th { border-bottom: 1px solid #888; }
th.left, td.left { text-align: left; }
.scroll { overflow-x: auto; }
svg { max-width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: #333; }
svg .title { font-size: 14px; font-weight: 600; } svg .axis { font-size: 12px; }
svg .label { font-size: 12px; } svg .peak { font-size: 12px; font-weight: 600; }
svg .middle { text-anchor: middle; } svg .end { text-anchor: end; }
svg .rule { stroke: #e4e4e4; } svg .base { stroke: #888; }
p.note { color: #555; font-size: 13px; }
"""
_NOTES = (
    "Orange-red: the block that needs the most. Each bar is a block, with its output below it. The "
    "image, and what a stem makes of it in front of RNNPool, count nothing; an inverted residual "
    "counts input and output, RNNPool its output, any other layer the larger of the two "
    "(Saha et al., 2020, appendix E.2).",
    "Bounds: the least memory of any schedule that computes nothing twice (appendix D). They and "
    "the paper's convention count maps only; a measured arena holds everything that the "
    "interpreter needs.",
)


def as_page(
    summaries: Sequence[ModelSummary],
    arenas: Sequence[Arena | None],
    results: Sequence[Result],
    everything: bool,
) -> str:
    """Totals, charts and layers of one model or two.

    Args:
        summaries: The models.
        arenas: Their measurements, None where there is none.
        results: Measured results to draw; none: no such charts.
        everything: Whether layers without MAdds are listed.
    """
    title = " and ".join(one.name for one in summaries)
    totals = [(label, *cells) for label, cells in total_rows(summaries, arenas)]
    parts = [
        f"<h1>{escape(title)}</h1>",
        _table(("", *(one.name for one in summaries)), totals, 1),
        *(
            _note(f"Arena of {one.name}: {arena.what}.")
            for one, arena in zip(summaries, arenas, strict=True)
            if arena is not None
        ),
        f"<h2>{escape(MEMORY_TITLE)}</h2>",
        memory_chart(memory_panels(summaries)),
        *map(_note, _NOTES),
    ]
    if results:
        parts.append("<h2>Accuracy against cost</h2>")
        parts += [scatter_chart(chart) for chart in scatters(results)]
    for one in summaries:
        parts.append(f"<h2>Layers of {escape(one.name)}</h2>")
        parts.append(_table(LAYER_HEADER, layer_rows(one, everything), 3))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return (
            "<tr>"
            + "".join(
                f'<{tag} class="left">{escape(cell)}</{tag}>'
                if column < left
                else f"<{tag}>{escape(cell)}</{tag}>"
                for column, cell in enumerate(cells)
            )
            + "</tr>"
        )

    body = "\n".join(line(row, "td") for row in rows)
    return f'<div class="scroll"><table>\n{line(header, "th")}\n{body}\n</table></div>'


def _note(text: str) -> str:
    return f'<p class="note">{escape(text)}</p>'

"""Tables of networks: the paper's figures and ours, side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from rnnpool_tf.analysis.reproduce.claims import TABLES, Claim, Table
from rnnpool_tf.analysis.reproduce.counting import summary_of
from rnnpool_tf.analysis.reproduce.printed import read

# Differences up to this are taken for roundings and details; a larger one has a note.
TOLERANCE = 0.02
QUANTITIES = ("parameters", "madds", "ram")


@dataclass(frozen=True)
class Compared:
    """One figure of a row.

    Attributes:
        quantity: "parameters", "madds" or "ram".
        printed: The paper's, as printed.
        value: Ours, in units or bytes.
        text: Ours in the paper's form.
        difference: (ours − paper's) / paper's; 0 where ours rounds to what is printed.
    """

    quantity: str
    printed: str
    value: int
    text: str
    difference: float

    @property
    def agrees(self) -> bool:
        """Whether the difference is at most 2 %."""
        return abs(self.difference) <= TOLERANCE


@dataclass(frozen=True)
class Row:
    """A claim and what became of it; `figures` are those that the paper prints."""

    claim: Claim
    figures: tuple[Compared, ...]


def rows_of(name: str, progress: Callable[[str], None] = lambda _: None) -> list[Row]:
    """Counts the networks of a table.

    Args:
        name: In `TABLES`.
        progress: Told the name of every network before it is built.
    """
    table = TABLES[name]
    rows = []
    for claim in table.claims:
        progress(claim.network)
        summary = summary_of(claim.network, tuple((table.arguments | claim.arguments).items()))
        ours = {
            "parameters": summary.count.params,
            "madds": summary.count.madds_shared,
            "ram": summary.paper.bytes,
        }
        rows.append(Row(claim, tuple(_compared(claim, key, ours[key]) for key in _printed(claim))))
    return rows


def as_text(name: str, rows: list[Row]) -> str:
    """The table for people."""
    table = TABLES[name]
    head = ["", *_heads(rows), table.score + " (paper)", "notes"]
    body = [[row.claim.label, *_cells(table, row), row.claim.accuracy] for row in rows]
    for line, row in zip(body, rows, strict=True):
        line.append(" ".join(row.claim.notes))
    lines = [f"Table {name}: {table.title}", "", *_aligned([head, *body]), ""]
    for letter, note in table.notes.items():
        lines += textwrap.wrap(f"{letter}  {note}", 100, subsequent_indent="   ")
    return "\n".join([*lines, "", _EXPLANATION, _ABSENT.format(data=table.data)])


def as_json(name: str, rows: list[Row]) -> dict:
    """The table for programs."""
    table = TABLES[name]
    return {
        "table": name,
        "title": table.title,
        "rows": [
            {
                "label": row.claim.label.strip(),
                "network": row.claim.network,
                "accuracy_paper": row.claim.accuracy,
                "notes": [table.notes[letter] for letter in row.claim.notes],
                **{
                    figure.quantity: {
                        "paper": figure.printed,
                        "ours": figure.value,
                        "difference": round(figure.difference, 4),
                    }
                    for figure in row.figures
                },
            }
            for row in rows
        ],
    }


_EXPLANATION = """\
The paper's figure, ours, and the difference, "=" where ours rounds to what is printed. MAdds count
W·x once per pixel and summary; RAM is by appendix E.2: maps only, no image, no weights."""
_ABSENT = "The accuracies are the paper's: measuring them again takes {data}."
_HEADS = {"parameters": "parameters", "madds": "MAdds", "ram": "peak RAM"}


def _printed(claim: Claim) -> list[str]:
    return [key for key in QUANTITIES if getattr(claim, key)]


def _compared(claim: Claim, quantity: str, value: int) -> Compared:
    figure = read(getattr(claim, quantity))
    difference = 0.0 if figure.matches(value) else figure.difference(value)
    return Compared(quantity, figure.text, value, figure.same_form(value), difference)


def _shown(rows: list[Row]) -> list[str]:
    return [key for key in QUANTITIES if any(getattr(row.claim, key) for row in rows)]


def _heads(rows: list[Row]) -> list[str]:
    return [text for key in _shown(rows) for text in (_HEADS[key], "ours", "")]


def _cells(table: Table, row: Row) -> list[str]:
    keys = _shown([Row(claim, ()) for claim in table.claims])
    figures = {figure.quantity: figure for figure in row.figures}
    cells = []
    for key in keys:
        if key not in figures:
            cells += ["", "", ""]
            continue
        figure = figures[key]
        change = "=" if figure.difference == 0 else f"{figure.difference:+.1%}"
        cells += [figure.printed, figure.text, change]
    return cells


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        first, *rest = (
            f"{cell:<{width}}" if position in (0, len(row) - 1) else f"{cell:>{width}}"
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join([first, *rest]).rstrip())
    return lines

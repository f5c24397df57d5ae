"""Measured results of models, for pictures of accuracy against cost."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

COLUMNS = ("name", "accuracy", "ram_bytes", "madds")


@dataclass(frozen=True)
class Result:
    """One model's results: its name, accuracy in per cent, bytes of RAM and MAdds."""

    name: str
    accuracy: float
    ram_bytes: float
    madds: float


def read_results(path: Path) -> list[Result]:
    """Reads a CSV file whose first line names the columns name, accuracy, ram_bytes and madds.

    Raises:
        FileNotFoundError: No such file.
        ValueError: No such columns, no rows, or a value that is not a number above 0.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows, header = list(reader), tuple(reader.fieldnames or ())
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"`--results` must be a CSV file. Received: '{path}' ({error})") from error
    if not set(COLUMNS) <= set(header):
        raise ValueError(
            f"`--results` must have the columns {', '.join(COLUMNS)}. "
            f"Received: '{path}' with {', '.join(header) or 'nothing'}"
        )
    if not rows:
        raise ValueError(f"`--results` must have a row for each model. Received: '{path}', none")
    return [_result(path, number, row) for number, row in enumerate(rows, start=2)]


def _result(path: Path, number: int, row: dict[str, str]) -> Result:
    values = []
    for column in COLUMNS[1:]:
        text = row[column]
        try:
            value = float(text)
        except (TypeError, ValueError):
            value = 0.0
        if not 0 < value < float("inf"):
            raise ValueError(
                f"`--results` must have numbers above 0 in the column {column}. "
                f"Received: {text!r} in line {number} of '{path}'"
            )
        values.append(value)
    return Result(row["name"] or "", *values)

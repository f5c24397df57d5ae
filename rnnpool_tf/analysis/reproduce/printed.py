"""Figures as the paper prints them, "2.20M", "0.24 MB", and ours in the same form."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Of counts and of memory; the paper's kilobytes and megabytes are powers of two.
_UNITS = {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, " KB": 2**10, " MB": 2**20}
_FIGURE = re.compile(r"([0-9]+(?:\.([0-9]+))?)( ?[KMG]?B?)")


@dataclass(frozen=True)
class Figure:
    """A printed figure.

    Attributes:
        text: As printed.
        value: In units or bytes.
        decimals: Digits behind the point.
        unit: "K", "M", "G", " KB", " MB" or "".
    """

    text: str
    value: float
    decimals: int
    unit: str

    def same_form(self, value: float) -> str:
        """Another value with the same unit and one digit more.

        >>> read("0.24 MB").same_form(250_880)
        '0.239 MB'
        """
        return f"{value / _UNITS[self.unit]:.{self.decimals + 1}f}{self.unit}"

    def matches(self, value: float) -> bool:
        """Whether a value rounds to what is printed."""
        return f"{value / _UNITS[self.unit]:.{self.decimals}f}{self.unit}" == self.text

    def difference(self, value: float) -> float:
        """How much larger a value is than the printed one, as a fraction of that."""
        return value / self.value - 1


def read(text: str) -> Figure:
    """Reads a printed figure.

    Raises:
        ValueError: Not of this form.

    >>> read("2.20M").value
    2200000.0
    """
    found = _FIGURE.fullmatch(text)
    if found is None or found[3] not in _UNITS:
        raise ValueError(f"`text` must be a number and a unit, such as '2.20M'. Received: {text!r}")
    return Figure(text, float(found[1]) * _UNITS[found[3]], len(found[2] or ""), found[3])

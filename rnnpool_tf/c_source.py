"""C++ source text of data: arrays, strings, names."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

_LINE = 98


def integers(values: Iterable[int], indent: str = "    ") -> str:
    """Comma-separated integers, filled into lines.

    >>> integers([1, -2, 3])
    '    1, -2, 3'
    """
    lines, line = [], indent
    for value in values:
        item = f"{int(value)},"
        if len(line) + len(item) + 1 > _LINE:
            lines.append(line.rstrip())
            line = indent
        line += item + " "
    lines.append(line.rstrip())
    return "\n".join(lines).rstrip(",")


def hexadecimal(data: bytes | np.ndarray, indent: str = "    ") -> str:
    """Bytes as `0x00, ...`, sixteen to a line."""
    items = [f"0x{byte:02x}" for byte in bytes(data)]
    rows = (items[start : start + 16] for start in range(0, len(items), 16))
    return ",\n".join(indent + ", ".join(row) for row in rows)


def literal(text: str) -> str:
    """A C string literal; whatever is not printable ASCII becomes octal escapes of its UTF-8.

    Octal escapes have three digits at most, so unlike `\\x` they cannot swallow what follows.

    >>> print(literal('a "b" ü'))
    "a \\"b\\" \\303\\274"
    """
    escaped = []
    for byte in text.encode("utf-8"):
        character = chr(byte)
        if character in '"\\?':  # `?` for trigraphs
            escaped.append("\\" + character)
        elif 32 <= byte < 127:
            escaped.append(character)
        else:
            escaped.append(f"\\{byte:03o}")
    return '"' + "".join(escaped) + '"'


def comment(text: str) -> str:
    """Text for one `//` line: a single line of printable characters that ends in no backslash."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split()).rstrip("\\")


def float_literal(value: float) -> str:
    """A float32 literal that reads back to the same float32.

    >>> float_literal(0.5), float_literal(2.0)
    ('0.5f', '2.0f')
    """
    text = np.format_float_positional(np.float32(value), unique=True, trim="0")
    return text + "f"


def identifier(name: str, default: str = "rnnpool_model") -> str:
    """A name that is valid as a sketch, a folder and a C identifier, made from any text.

    >>> identifier("vww 96-int8")
    'vww_96_int8'
    """
    cleaned = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")[:63]
    if not cleaned:
        return default
    return cleaned if cleaned[0].isalpha() else f"model_{cleaned}"[:63]

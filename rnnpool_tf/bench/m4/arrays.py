"""Data of a firmware image: one binary file that the assembler includes, and constants in C++."""

from __future__ import annotations

from pathlib import Path

import numpy as np


class Arrays:
    """Collects arrays and constants for a firmware image.

    Example::

        arrays = Arrays()
        arrays.add(np.zeros(3), "i1")  # reinterpret_cast<const int8_t*>(array0)
    """

    def __init__(self) -> None:
        self._content = bytearray()
        self._places: list[tuple[int, int]] = []
        self._constants: list[str] = []

    def add(self, values, dtype: str) -> str:
        """Takes an array (or bytes); returns a C++ pointer to it."""
        data = (
            values if isinstance(values, bytes) else np.ascontiguousarray(values, dtype).tobytes()
        )
        self._places.append((len(self._content), len(data)))
        self._content += data + bytes(-len(data) % 4)
        kind = {"i1": "int8_t", "<i4": "int32_t", "<f4": "float", "u1": "uint8_t"}[dtype]
        return f"reinterpret_cast<const {kind}*>(array{len(self._places) - 1})"

    def define(self, kind: str, initialiser: str) -> str:
        """Takes a constant of a C++ type; returns a pointer to it."""
        name = f"constant{len(self._constants)}"
        self._constants.append(f"const {kind} {name} = {initialiser};\n")
        return f"&{name}"

    def declarations(self) -> str:
        """C++ declarations of the arrays."""
        return "".join(f"extern const uint8_t array{i}[];\n" for i in range(len(self._places)))

    def constants(self) -> str:
        """C++ definitions of the constants."""
        return "".join(self._constants)

    def write(self, folder: Path) -> None:
        """Writes arrays.S and arrays.bin."""
        (folder / "arrays.bin").write_bytes(self._content)
        lines = ['.section .rodata.cases, "a"', ".balign 16"]
        for i, (start, size) in enumerate(self._places):
            lines += [f".global array{i}", f'array{i}: .incbin "arrays.bin", {start}, {size}']
            lines.append(".balign 4")
        (folder / "arrays.S").write_text("\n".join(lines) + "\n")

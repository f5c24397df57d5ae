"""Reads a FlatBuffer by a schema, checking every access against the bytes that are there.

Engines follow offsets of a model file without asking where they lead. Reading the file here first
turns a truncated or damaged one into a sentence instead of a crash.
"""

from __future__ import annotations

import struct
from typing import Any

# More tables than any model has; a damaged file could otherwise name one table a billion times.
_MAX_TABLES = 1_000_000

# A field is (slot, name, kind, default). Kinds: a struct format character for a scalar; "string";
# "[x]" for a vector of scalars of format x; "[string]"; "@Table"; "[@Table]"; "bytes" for a vector
# of bytes left where it is, as (position, length); "union:..." is read by its owner's rule.
Field = tuple[int, str, str, Any]
Schema = dict[str, list[Field]]


class DamagedModelError(ValueError):
    """The bytes contradict themselves."""


class FlatbufferReader:
    """Turns tables into dictionaries of field name to value.

    Args:
        data: the whole file.
        schema: table name to its fields.
    """

    def __init__(self, data: bytes, schema: Schema):
        self._data = data
        self._schema = schema
        self._tables = 0

    def root(self, name: str) -> dict[str, Any]:
        """Reads the root table, of type `name`."""
        return self.table(self._follow(0), name)

    def table(self, position: int, name: str) -> dict[str, Any]:
        """Reads the table at `position`. Fields the file lacks get their defaults."""
        self._tables += 1
        if self._tables > _MAX_TABLES:
            raise DamagedModelError("it names too many tables")
        vtable, fields, size = self._header(position)
        values: dict[str, Any] = {}
        for slot, field, kind, default in self._schema[name]:
            entry = 4 + 2 * slot
            offset = self._scalar("H", vtable + entry) if entry < fields else 0
            if offset == 0:
                values[field] = default
                continue
            width = struct.calcsize(kind) if len(kind) == 1 else 4
            if offset < 4 or offset + width > size:
                raise DamagedModelError(f"a field of {name} lies outside its table")
            values[field] = self._value(position + offset, kind)
        return values

    def _header(self, position: int) -> tuple[int, int, int]:
        """Position and length of the table's list of fields, and the table's own length."""
        vtable = position - self._scalar("i", position)
        fields = self._scalar("H", vtable)
        size = self._scalar("H", vtable + 2)
        if fields < 4 or fields % 2 or size < 4:
            raise DamagedModelError("a table's list of fields is damaged")
        self._require(vtable, fields)
        self._require(position, size)
        return vtable, fields, size

    def _value(self, position: int, kind: str) -> Any:
        if len(kind) == 1:
            return self._scalar(kind, position)
        target = self._follow(position)
        if kind == "string":
            return self._string(target)
        if kind.startswith("@"):
            return self.table(target, kind[1:])
        if kind == "bytes":
            length = self._scalar("I", target)
            self._require(target + 4, length)
            return target + 4, length
        if kind == "position":
            return target
        return self._vector(target, kind[1:-1])

    def _vector(self, position: int, kind: str) -> list[Any]:
        length = self._scalar("I", position)
        first = position + 4
        if len(kind) == 1:
            self._require(first, length * struct.calcsize(kind))
            return list(struct.unpack_from(f"<{length}{kind}", self._data, first))
        self._require(first, length * 4)
        return [self._value(first + 4 * i, kind) for i in range(length)]

    def _string(self, position: int) -> str:
        length = self._scalar("I", position)
        self._require(position + 4, length + 1)
        if self._data[position + 4 + length] != 0:
            raise DamagedModelError("a text has no end")
        try:
            return self._data[position + 4 : position + 4 + length].decode("utf-8")
        except UnicodeDecodeError:
            raise DamagedModelError("a text is not UTF-8") from None

    def _follow(self, position: int) -> int:
        target = position + self._scalar("I", position)
        if target == position:
            raise DamagedModelError("an offset leads nowhere")
        return target

    def _scalar(self, kind: str, position: int) -> Any:
        self._require(position, struct.calcsize(kind))
        return struct.unpack_from(f"<{kind}", self._data, position)[0]

    def _require(self, position: int, length: int) -> None:
        if position < 0 or position + length > len(self._data):
            raise DamagedModelError("an offset leads outside the file")

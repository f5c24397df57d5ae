"""Numbers and arrays of a front image; `front_image.py` says in which order they come."""

from __future__ import annotations

import math
import struct

import numpy as np

MAGIC = b"RPF1"
VERSION = 1
EXTENDED_VERSION = 2  # the first that states the kind of gates and which matrices are packed
_HEAD = 12  # magic, version, size


class FrontImageWriter:
    """Collects numbers; arrays go behind all of them, and their positions into the numbers."""

    def __init__(self, version: int = VERSION):
        self._version = version
        self._words: list[int | bytes] = []  # bytes: an array, whose position goes here

    def numbers(self, *values: int) -> None:
        """Appends int32 numbers."""
        self._words += [int(value) for value in values]

    def array(self, values: np.ndarray, dtype: str) -> None:
        """Appends the position of an array of type `dtype`."""
        little_endian = np.dtype(dtype).newbyteorder("<")
        self._words.append(np.ascontiguousarray(values, little_endian).tobytes())

    def to_bytes(self) -> bytes:
        """The image: header, numbers, arrays on multiples of 4 bytes."""
        numbers, arrays = [], bytearray()
        start = _HEAD + 4 * len(self._words)
        for word in self._words:
            if isinstance(word, bytes):
                numbers.append(start + len(arrays))
                arrays += word + bytes(-len(word) % 4)
            else:
                numbers.append(word)
        size = start + len(arrays)
        return MAGIC + struct.pack(f"<{2 + len(numbers)}i", self._version, size, *numbers) + arrays


class FrontImageReader:
    """Reads what `FrontImageWriter` has written.

    Attributes:
        version: Of the image.

    Raises:
        ValueError: Not a front image, of another version, or truncated. Methods raise ValueError or
            struct.error where the image ends too early.
    """

    def __init__(self, data: bytes):
        if len(data) < _HEAD or data[:4] != MAGIC:
            raise ValueError(f"`data` must be a front image. Received: {data[:_HEAD]!r}")
        version, size = struct.unpack_from("<2i", data, 4)
        if not VERSION <= version <= EXTENDED_VERSION:
            raise ValueError(
                f"front image version {version} is not supported; this package knows {VERSION} to "
                f"{EXTENDED_VERSION}"
            )
        if size != len(data):
            raise ValueError(f"`data` must have {size} bytes. Received: {len(data)} bytes")
        self.version = version
        self._data = data
        self._next = _HEAD

    def numbers(self, count: int) -> tuple[int, ...]:
        """The next numbers."""
        values = struct.unpack_from(f"<{count}i", self._data, self._next)
        self._next += 4 * count
        return values

    def number(self) -> int:
        """The next number."""
        return self.numbers(1)[0]

    def array(self, dtype: str, *shape: int) -> np.ndarray:
        """The array whose position is the next number."""
        return self._at(self.number(), dtype, shape)

    def optional_array(self, dtype: str, *shape: int) -> np.ndarray | None:
        """The array whose position is the next number; None where that is 0."""
        position = self.number()
        return self._at(position, dtype, shape) if position else None

    def _at(self, position: int, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
        little_endian = np.dtype(dtype).newbyteorder("<")
        count = math.prod(shape)
        if min(shape) < 1 or position < _HEAD or count > len(self._data):
            raise ValueError(f"an array has shape {shape} and position {position}")
        return np.frombuffer(self._data, little_endian, count, position).reshape(shape)

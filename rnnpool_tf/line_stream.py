"""The C++ `LineStream` from Python: a picture goes through the front of a network line by line.

>>> from rnnpool_tf.line_stream import LineStream
>>> stream = LineStream(front_image)  # doctest: +SKIP
>>> stream.begin()  # doctest: +SKIP
>>> for y, line in enumerate(picture):  # doctest: +SKIP
...     stream.feed(y, line, "rgb888")
>>> stream.map.shape  # doctest: +SKIP
(28, 28, 32)
"""

from __future__ import annotations

import ctypes
import functools
import weakref

import numpy as np

from rnnpool_tf.native import library_path

# By their number in line_stream.h.
PIXEL_FORMATS = ("int8", "grey8", "rgb888", "rgb565", "rgb565_little_endian")
STATUSES = (
    "ok",
    "not_open",
    "not_begun",
    "out_of_order",
    "wrong_length",
    "surplus",
    "wrong_format",
    "map_too_small",
    "workspace_too_small",
    "misaligned",
)
_ERROR_BYTES = 256


class LineError(ValueError):
    """A line, or memory, that the stream refused; the stream is as it was before.

    Attributes:
        status: One of `STATUSES`.
    """

    def __init__(self, status: int, what: str):
        sentence = _library().rnnpool_stream_describe(status).decode()
        super().__init__(f"{sentence} Received: {what}")
        self.status = STATUSES[status]


@functools.cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(library_path("librnnpool")))
    pointer, size, number = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
    for name, result, arguments in (
        ("open", pointer, (pointer, size, pointer, ctypes.c_char_p, number)),
        ("close", None, (pointer,)),
        ("begin", number, (pointer, pointer, size, pointer, size)),
        ("feed", number, (pointer, number, pointer, size, number)),
        ("next_line", number, (pointer,)),
        ("finished", number, (pointer,)),
        ("line_bytes", size, (pointer, number)),
        ("describe", ctypes.c_char_p, (number,)),
    ):
        function = getattr(library, f"rnnpool_stream_{name}")
        function.restype, function.argtypes = result, arguments
    return library


class LineStream:
    """A front image, fed with the lines of a picture.

    Args:
        image: Bytes of a front image (`rnnpool_tf.conversion.front_image`).

    Attributes:
        picture_shape: (height, width, channels) of the picture.
        map_shape: (height, width, channels) of the output.
        workspace_bytes: Memory besides the output while a picture goes through, the same on every
            machine.
        object_bytes: Size of the C++ object here; with 32-bit pointers it is less.
        map: The output, int8 of `map_shape`; complete when `finished` is.

    Raises:
        ValueError: The image cannot be used; the message says why.
    """

    def __init__(self, image: bytes):
        # NumPy's memory is aligned as the image has to be.
        self._image = np.frombuffer(image, np.uint8).copy()
        sizes = np.zeros(8, np.int64)
        error = ctypes.create_string_buffer(_ERROR_BYTES)
        self._handle = _library().rnnpool_stream_open(
            self._image.ctypes.data, self._image.size, sizes.ctypes.data, error, _ERROR_BYTES
        )
        if self._handle is None:
            raise ValueError(f"{error.value.decode()} Received: {len(image)} bytes")
        weakref.finalize(self, _library().rnnpool_stream_close, self._handle)
        values = sizes.tolist()
        self.picture_shape = tuple(values[:3])
        self.map_shape = tuple(values[3:6])
        self.workspace_bytes, self.object_bytes = values[6:]
        self.map = np.zeros(self.map_shape, np.int8)
        self._workspace = np.empty(self.workspace_bytes // 4, np.int32)

    def line_bytes(self, pixel_format: str) -> int:
        """Bytes of a line; 0 for a format that does not go with the network's channels."""
        return _library().rnnpool_stream_line_bytes(self._handle, _format_number(pixel_format))

    @property
    def next_line(self) -> int:
        """The line that is due."""
        return _library().rnnpool_stream_next_line(self._handle)

    @property
    def finished(self) -> bool:
        """Whether `map` is complete."""
        return bool(_library().rnnpool_stream_finished(self._handle))

    def begin(self) -> None:
        """Starts a picture, whatever became of the one before."""
        status = _library().rnnpool_stream_begin(
            self._handle,
            self.map.ctypes.data,
            self.map.nbytes,
            self._workspace.ctypes.data,
            self._workspace.nbytes,
        )
        if status:
            raise LineError(status, f"{self.workspace_bytes} bytes")

    def feed(self, y: int, line: bytes | np.ndarray, pixel_format: str = "int8") -> None:
        """Takes line `y`: bytes, or an array of uint8 or int8.

        Raises:
            LineError: The line is out of order, too short, too long or one too many, or its format
                does not go with the network. The line that was due may still be fed.
        """
        data = (
            np.frombuffer(line, np.uint8) if isinstance(line, bytes) else np.ascontiguousarray(line)
        )
        if data.dtype not in (np.uint8, np.int8):
            raise ValueError(f"`line` must be uint8 or int8. Received: {data.dtype}")
        number = _format_number(pixel_format)
        status = _library().rnnpool_stream_feed(
            self._handle, y, data.ctypes.data, data.nbytes, number
        )
        if status:
            raise LineError(status, f"line {y} of {data.nbytes} bytes as {pixel_format}")

    def run(self, picture: np.ndarray, pixel_format: str = "int8") -> np.ndarray:
        """Feeds a whole picture, a line per entry of its first axis; returns a copy of the map."""
        self.begin()
        for y, line in enumerate(picture):
            self.feed(y, line, pixel_format)
        if not self.finished:
            raise ValueError(
                f"`picture` must have {self.picture_shape[0]} lines. Received: {len(picture)}"
            )
        return self.map.copy()


def _format_number(pixel_format: str) -> int:
    if pixel_format not in PIXEL_FORMATS:
        raise ValueError(
            f"`pixel_format` must be one of {PIXEL_FORMATS}. "
            f"Received: pixel_format={pixel_format!r}"
        )
    return PIXEL_FORMATS.index(pixel_format)

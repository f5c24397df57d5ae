"""`StreamedRuntime`: a streamed model on the desktop, line by line as on a device."""

from __future__ import annotations

import functools
import os
import zlib
from pathlib import Path
from typing import Literal

import numpy as np

from rnnpool_tf.conversion.stream_header import read_header
from rnnpool_tf.line_stream import LineStream
from rnnpool_tf.runtime.engines import check_options, start
from rnnpool_tf.runtime.model_file import read_model
from rnnpool_tf.runtime.predictor import Predictor
from rnnpool_tf.runtime.tensors import TensorDetails


class StreamedRuntime(Predictor):
    """Runs the pair that `rnnpool convert --stream` writes.

    Pictures go line by line through the C++ class that a device runs, `rnnpool::LineStream`, and
    what it leaves behind, the map, through the body in an interpreter.

    Args:
        header: path of the front's header, or the bytes of its text.
        body: path of the body's .tflite file, or its bytes.
        engine: `"litert"` or `"tflm"`, as for `Runtime`.
        num_threads: threads for LiteRT.
        reference_kernels: for LiteRT, as for `Runtime`.

    Raises:
        ValueError: no such header, a damaged front or body, or a body of another front; what
            `Runtime` refuses.
        FileNotFoundError: no such file.

    Attributes:
        engine: `"litert"` or `"tflm"`.
        picture_shape: `(height, width, channels)` of a picture.
        map_shape: `(height, width, channels)` of the map.
        workspace_bytes: memory that the stream works in, the body's second input.
        stream_bytes: size of the C++ object; with 32-bit pointers it is less.
        output_details: the model's outputs, a list of `TensorDetails`.

    Batches of `predict` are pictures as `front` takes them.

    Example::

        runtime = StreamedRuntime("vww_front.h", "vww_body.tflite", engine="tflm")
        logits = runtime.predict(images)         # uint8 [n, 224, 224, 3] -> float32 [n, 2]
        print(runtime.total_bytes)               # of RAM, everything included
    """

    def __init__(
        self,
        header: str | os.PathLike | bytes,
        body: str | os.PathLike | bytes,
        engine: Literal["litert", "tflm"] = "litert",
        num_threads: int = 1,
        reference_kernels: bool = False,
    ):
        check_options(engine, num_threads, None, reference_kernels)
        if isinstance(header, str) and "\n" in header:
            raise ValueError(
                "`header` must be a path, or the text of a header as bytes. "
                f"Received: a text of {len(header)} characters, which `.encode()` makes bytes"
            )
        self.engine = engine
        text = header if isinstance(header, bytes) else Path(header).read_bytes()
        front = read_header(text)
        self._stream = LineStream(front.image)
        self.picture_shape: tuple[int, int, int] = self._stream.picture_shape
        self.map_shape: tuple[int, int, int] = self._stream.map_shape
        self.stream_bytes: int = self._stream.object_bytes
        self._body = read_model(body)
        self._engine = start(self._body, engine, num_threads, None, reference_kernels)
        inputs = self._engine.inputs
        self._check_inputs(inputs)
        found = zlib.crc32(self._body.data)
        if found != front.body_crc32:
            raise ValueError(
                "`body` must be the file that was written together with the header, of CRC-32 "
                f"0x{front.body_crc32:08x}. Received: a body of CRC-32 0x{found:08x}"
            )
        # No operator reads it; zeros are as good as what a stream leaves there.
        self._workspace = np.zeros(inputs[1].shape, np.int8)
        self.workspace_bytes: int = self._workspace.nbytes
        self.output_details: list[TensorDetails] = self._engine.outputs

    def front(self, pictures: np.ndarray) -> np.ndarray:
        """The front alone.

        Args:
            pictures: [n, height, width, channels] or one without the batch dimension: uint8, bytes
                of a camera, or int8, the model's own input values.

        Returns:
            int8 [n, map height, map width, map channels].

        Raises:
            ValueError: wrong shape or dtype, or an empty batch.
        """
        batch = np.asarray(pictures)
        if batch.shape == self.picture_shape:
            batch = batch[np.newaxis]
        if batch.ndim != 4 or batch.shape[1:] != self.picture_shape or len(batch) == 0:
            raise ValueError(
                f"`pictures` must have shape [n, {', '.join(map(str, self.picture_shape))}], n at "
                f"least 1. Received: shape={np.shape(pictures)}"
            )
        if batch.dtype not in (np.uint8, np.int8):
            raise ValueError(
                "`pictures` must be uint8 (bytes of a camera) or int8 (the model's input). "
                f"Received: dtype={batch.dtype}"
            )
        camera = "grey8" if self.picture_shape[2] == 1 else "rgb888"
        pixel_format = "int8" if batch.dtype == np.int8 else camera
        return np.stack([self._stream.run(picture, pixel_format) for picture in batch])

    @property
    def total_bytes(self) -> int:
        """All RAM that the pair takes: the arena and the stream object."""
        return self.arena_breakdown["total"] + self.stream_bytes

    @functools.cached_property
    def smallest_total(self) -> int:
        """As `total_bytes`, with the smallest arena in which the body runs here, by bisection."""
        from rnnpool_tf.runtime.arena_probe import smallest_arena

        return smallest_arena(self._body.data, self.arena_breakdown["total"]) + self.stream_bytes

    def _run(self, pictures: np.ndarray) -> list[np.ndarray]:
        results = [
            self._engine.invoke([mapped[np.newaxis], self._workspace])
            for mapped in self.front(pictures)
        ]
        return [np.concatenate(output) for output in zip(*results, strict=True)]

    def _check_inputs(self, inputs: list[TensorDetails]) -> None:
        needed = self._stream.workspace_bytes
        fits = (
            len(inputs) == 2
            and inputs[0].shape == (1, *self.map_shape)
            and inputs[1].shape[0] >= needed
            and all(details.dtype == np.int8 for details in inputs)
        )
        if not fits:
            found = ", ".join(f"{details.dtype} {list(details.shape)}" for details in inputs)
            raise ValueError(
                f"`body` must belong to the front: an int8 input {[1, *self.map_shape]} and an "
                f"int8 workspace of at least {needed} bytes. Received: inputs {found}"
            )

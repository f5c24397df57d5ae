"""The front of a streamed model as a C++ header, and back.

The header holds one constant, the front image (`rnnpool_tf.conversion.front_image`), and the
numbers that a program needs to allocate memory and to feed lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from rnnpool_tf import c_source

_TEMPLATE = """\
// Front of the streamed model '{title}': {summary}.
// Written by `rnnpool convert --stream`; the layers behind it are in {name}_body.tflite.
//
// Once, beside the interpreter of the body:
//
//   rnnpool::LineStream stream;  // <rnnpool/line_stream.h>
//   const char* problem = stream.Open({name}_front::kImage, sizeof({name}_front::kImage));
//
// For every picture, with map and workspace in the interpreter's arena:
//
//   TfLiteTensor* map = interpreter.input(0);
//   TfLiteTensor* workspace = interpreter.input(1);
//   stream.Begin(map->data.int8, map->bytes, workspace->data.int8, workspace->bytes);
//   for (int y = 0; y < {name}_front::kHeight; ++y) {{
//     stream.Feed(y, line, {name}_front::kLineBytes, rnnpool::PixelFormat::{pixel_format});
//   }}
//   interpreter.Invoke();
//
// Include it in one source file only: each gets a copy of the constant.
#ifndef {guard}
#define {guard}

#include <stddef.h>
#include <stdint.h>

namespace {name}_front {{

constexpr int kWidth = {width};
constexpr int kHeight = {height};
constexpr int kChannels = {channels};
constexpr size_t kLineBytes = {line_bytes};  // of {line} or of int8 model inputs
constexpr size_t kMapBytes = {map_bytes};  // {map_shape}
constexpr size_t kWorkspaceBytes = {workspace_bytes};
constexpr uint32_t kBodyCrc32 = 0x{body_crc32:08x};  // of {name}_body.tflite, as zlib's crc32()

alignas(16) const uint8_t kImage[{image_bytes}] = {{
{image}}};

}}  // namespace {name}_front

#endif  // {guard}
"""

_NAMESPACE = re.compile(rb"\bnamespace (\w+) \{")
_BODY = re.compile(rb"\bkBodyCrc32 = 0x([0-9a-f]{8});")
_IMAGE = re.compile(rb"\bkImage\[(\d+)\] = \{([0-9a-fx,\s]*)\}")


@dataclass(frozen=True)
class FrontFacts:
    """What a header says about its image.

    Attributes:
        name: C identifier of the model.
        summary: What the front consists of.
        shape: `(height, width, channels)` of the picture.
        map_shape: `(height, width, channels)` of what the front leaves behind.
        workspace_bytes: What the stream works in, the body's second input.
        body_crc32: CRC-32 of the body's file: another body with the same inputs gives nonsense.
    """

    name: str
    summary: str
    shape: tuple[int, int, int]
    map_shape: tuple[int, int, int]
    workspace_bytes: int
    body_crc32: int


def pair_paths(stem: Path) -> tuple[Path, Path]:
    """Paths of header and body of a pair.

    >>> pair_paths(Path("vww"))
    (PosixPath('vww_front.h'), PosixPath('vww_body.tflite'))
    """
    return stem.with_name(f"{stem.name}_front.h"), stem.with_name(f"{stem.name}_body.tflite")


def write_header(image: bytes, facts: FrontFacts) -> str:
    """Text of the header."""
    name = c_source.identifier(facts.name)
    height, width, channels = facts.shape
    rows, columns, features = facts.map_shape
    return _TEMPLATE.format(
        title=c_source.comment(facts.name),
        name=name,
        summary=facts.summary,
        pixel_format="kGrey8" if channels == 1 else "kRgb888",
        line="grey" if channels == 1 else "RGB",
        guard=f"{name.upper()}_FRONT_H_",
        width=width,
        height=height,
        channels=channels,
        line_bytes=width * channels,
        map_bytes=rows * columns * features,
        map_shape=f"int8 [{rows}][{columns}][{features}]",
        workspace_bytes=facts.workspace_bytes,
        body_crc32=facts.body_crc32,
        image_bytes=len(image),
        image=c_source.hexadecimal(image),
    )


@dataclass(frozen=True)
class FrontHeader:
    """A header as a program sees it.

    Attributes:
        namespace: Of its constants.
        image: The front image.
        body_crc32: CRC-32 of the body's file.
    """

    namespace: str
    image: bytes
    body_crc32: int


def read_header(text: bytes) -> FrontHeader:
    """Reads a header written by `write_header`.

    Raises:
        ValueError: It is none, or damaged.

    >>> facts = FrontFacts("a", "b", (8, 8, 1), (2, 2, 4), 64, 5)
    >>> read_header(write_header(bytes([1, 2, 3]), facts).encode())
    FrontHeader(namespace='a_front', image=b'\\x01\\x02\\x03', body_crc32=5)
    """
    found, namespace, body = (find.search(text) for find in (_IMAGE, _NAMESPACE, _BODY))
    if found is None or namespace is None or body is None:
        raise ValueError(
            "the header must hold a front image, `kImage`, as `rnnpool convert --stream` writes "
            f"it. Received: {len(text)} bytes without one"
        )
    items = [item.strip() for item in found[2].split(b",")]
    try:
        image = bytes(int(item, 16) for item in items)
    except ValueError as error:
        raise ValueError(f"the header's front image is damaged. Received: {error}") from error
    if len(image) != int(found[1]):
        raise ValueError(
            f"the header's front image must have {int(found[1])} bytes. Received: {len(image)}"
        )
    return FrontHeader(namespace[1].decode(), image, int(body[1], 16))

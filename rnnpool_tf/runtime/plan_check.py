"""The memory plan that a model may bring for TensorFlow Lite Micro, which follows it blindly."""

from __future__ import annotations

import struct
from typing import Any

from rnnpool_tf.runtime.flatbuffer_reader import DamagedModelError

_NAME = "OfflineMemoryAllocation"
_HEADER = 3  # format version, number of subgraphs, number of tensors; int32, like the offsets
_NO_OFFSET = -1
_LARGEST = 1 << 30  # of an arena


def check_plan(data: bytes, model: dict[str, Any]) -> None:
    """Checks that a plan has an offset within an arena for each of the model's tensors.

    Args:
        data: The file.
        model: Its root table; `model["metadata"]` name existing buffers.

    Raises:
        DamagedModelError: A plan is incomplete, for another number of tensors, or leads outside.
    """
    count = sum(len(graph["tensors"]) for graph in model["subgraphs"])
    for metadata in model["metadata"]:
        if metadata["name"] != _NAME:
            continue
        start, size = model["buffers"][metadata["buffer"]]["data"] or (0, 0)
        values = struct.unpack_from(f"<{size // 4}i", data, start)
        if len(values) != _HEADER + count or values[_HEADER - 1] != count:
            raise DamagedModelError(f"its memory plan is not for its {count} tensors")
        for offset in values[_HEADER:]:
            if not _NO_OFFSET <= offset < _LARGEST:
                raise DamagedModelError(f"its memory plan has the offset {offset}")

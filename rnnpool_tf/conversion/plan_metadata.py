"""TFLite Micro's offline memory plan: metadata of a model that says where its tensors lie.

The entry "OfflineMemoryAllocation" is int32: format version, number of subgraphs, number of
tensors, then for every tensor its offset in bytes from the start of the arena's shared part, or -1
where the interpreter shall find a place itself. TensorFlow Lite ignores it. Source:
tensorflow/lite/micro/docs/memory_management.md of tflite-micro.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from rnnpool_tf.conversion.model_bytes import as_bytes

NAME = "OfflineMemoryAllocation"

_VERSION = 1
_HEADER = 3  # version, subgraphs, count
_NO_OFFSET = -1


def read_offsets(model: schema.ModelT) -> dict[int, int]:
    """Offsets of the tensors that a model's plan places, by index; none without a plan.

    Raises:
        ValueError: The plan is not for this number of tensors, which TFLite Micro refuses too.
    """
    entries = [entry for entry in model.metadata or () if _is_plan(entry)]
    if not entries:
        return {}
    data = as_bytes(model.buffers[entries[-1].buffer].data)
    values = np.frombuffer(data[: len(data) // 4 * 4], "<i4")
    tensors = sum(len(subgraph.tensors) for subgraph in model.subgraphs)
    if len(values) < _HEADER or values[2] != tensors or len(values) < _HEADER + tensors:
        raise ValueError(
            f"the model's offline memory plan must have an offset for each of {tensors} tensors. "
            f"Received: {len(values)} numbers"
        )
    offsets = values[_HEADER : _HEADER + tensors]
    return {index: int(offset) for index, offset in enumerate(offsets) if offset != _NO_OFFSET}


def replace_offsets(model: schema.ModelT, offsets: Mapping[int, int]) -> None:
    """Gives a model with one subgraph a plan; without offsets it has none afterwards."""
    model.metadata = [entry for entry in model.metadata or () if not _is_plan(entry)]
    if not offsets:
        return
    values = np.full(_HEADER + len(model.subgraphs[0].tensors), _NO_OFFSET, "<i4")
    values[:_HEADER] = _VERSION, 1, len(values) - _HEADER
    for index, offset in offsets.items():
        values[_HEADER + index] = offset
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name = NAME.encode()
    entry.buffer = len(model.buffers) - 1
    model.metadata.append(entry)


def _is_plan(entry: schema.MetadataT) -> bool:
    name = entry.name
    return (name.decode(errors="replace") if isinstance(name, bytes) else name) == NAME

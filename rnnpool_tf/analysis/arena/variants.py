"""Forms of one model that compute the same bytes: as it is, fused, with a memory plan, streamed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rnnpool_tf.conversion.finishing import fuse_file
from rnnpool_tf.conversion.memory_plan import has_plan, with_plan
from rnnpool_tf.conversion.streaming import split_stream


@dataclass(frozen=True)
class Variant:
    """A form of a model.

    Attributes:
        name: What it is called in tables.
        data: The .tflite file.
        header: Of a streamed model: the front's C++ header; `data` is the body then.
    """

    name: str
    data: bytes
    header: bytes | None = None


def variants_of(data: bytes, name: str = "") -> list[Variant]:
    """The model as it is, and what conversion can make of it.

    * "unfused", or "as it is" when nothing can be fused;
    * "fused": all fusions, operators in the order with the smallest peak;
    * "planned": that with a memory plan, if it takes less than TensorFlow Lite Micro's own;
    * "streamed": front and body, if the model can be streamed.

    Args:
        data: The .tflite file.
        name: Put before the names, to tell several models apart.

    Raises:
        ValueError: Not a TFLite model, or a damaged one.
    """
    prefix = f"{name} " if name else ""
    fused, notes = fuse_file(data, "all", "greedy", pack="none")
    changed = any(note.fused for note in notes)
    found = [Variant(f"{prefix}{'unfused' if changed else 'as it is'}", data)]
    if changed:
        found.append(Variant(f"{prefix}fused", fused))
    planned = with_plan(fused)
    if has_plan(planned) and (changed or not has_plan(data)):
        found.append(Variant(f"{prefix}planned", planned))
    try:
        pair = split_stream(data)
    except ValueError:  # it does not begin with convolutions and RNNPool
        return found
    return [*found, Variant(f"{prefix}streamed", pair.body, pair.header.encode())]


def read_pair(header: str | os.PathLike, body: str | os.PathLike) -> Variant:
    """A streamed model in two files.

    Raises:
        FileNotFoundError: No such file.
    """
    return Variant(
        f"{Path(body).stem} streamed", Path(body).read_bytes(), Path(header).read_bytes()
    )

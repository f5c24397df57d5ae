"""The operator's options as bytes, written by the FlexBuffers library."""

from __future__ import annotations

from flatbuffers import flexbuffers

GOOD = {
    "pool_height": 6,
    "pool_width": 5,
    "stride_height": 4,
    "stride_width": 3,
    "padding": "replicate",
    "version": 1,
}


def flexbuffer(options: dict) -> bytes:
    """A FlexBuffer map, in as few bits as the values allow."""
    return bytes(flexbuffers.Dumps(options))

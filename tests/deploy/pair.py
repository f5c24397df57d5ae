"""A small streamed model for the tests of exported projects."""

from __future__ import annotations

from rnnpool_tf.conversion import StreamPair, split_stream
from tests.deploy.tiny_model import SIZE, tiny_model


def tiny_pair(
    channels: int = 3, block: bool = True, size: int = SIZE, detector: bool = False
) -> StreamPair:
    """Front and body of a `tiny_model`; with a block, the body has an input for the workspace."""
    model = tiny_model(channels=channels, size=size, stem=True, block=block, detector=detector)
    return split_stream(model, name="tiny", blocks_in_front=0)

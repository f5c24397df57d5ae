"""A model that takes its picture line by line: a front in a header, and the body that TFLM runs.

`split_stream` cuts an int8 model behind its convolutions and RNNPool. They become the front image,
which `rnnpool::LineStream` computes from lines as a camera delivers them; what it leaves behind,
the map, is the input of the body. The picture itself is never stored.

The body's second input, which no operator reads, is memory for the stream to work in. TFLite Micro
keeps inputs until the first operator runs, and then uses the place for something else, so the
workspace is part of the arena and takes memory only where the body leaves none.
"""

from __future__ import annotations

import math
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnpool_tf.conversion.atomic_files import write_files
from rnnpool_tf.conversion.finishing import check_choices
from rnnpool_tf.conversion.flatbuffer import Graph, input_indices, schema
from rnnpool_tf.conversion.front_image import FrontImage, write_front_image
from rnnpool_tf.conversion.fusion.fused_layers import ConvRNNPool, InvertedResidual
from rnnpool_tf.conversion.fusion.fused_operators import (
    CONV_RNNPOOL,
    read_fused,
)
from rnnpool_tf.conversion.fusion.passes import fuse as fuse_graph
from rnnpool_tf.conversion.memory_plan import plan_in_file, with_plan
from rnnpool_tf.conversion.operator_order import reorder
from rnnpool_tf.conversion.scratch import UnknownScratchError
from rnnpool_tf.conversion.stream_header import FrontFacts, pair_paths, write_header
from rnnpool_tf.datasets.preprocess import Normalization
from rnnpool_tf.datasets.preprocess import normalization as named_normalization
from rnnpool_tf.line_stream import LineStream

MAX_BLOCKS = 2
WORKSPACE = "workspace"  # name of the body's second input


@dataclass(frozen=True)
class StreamPair:
    """A split model.

    Attributes:
        facts: What the front is, and the memory it needs.
        image: The front image.
        body: The .tflite file of the rest.
        blocks_in_front: Inverted residuals that the front computes.
    """

    facts: FrontFacts
    image: bytes
    body: bytes
    blocks_in_front: int

    @property
    def header(self) -> str:
        """Text of the C++ header."""
        return write_header(self.image, self.facts)

    def write(self, stem: str | os.PathLike) -> tuple[Path, Path]:
        """Writes `<stem>_front.h` and `<stem>_body.tflite`, both or none; returns their paths."""
        header, body = pair_paths(Path(stem))
        write_files({header: self.header.encode(), body: self.body})
        return header, body


def split_stream(
    model: str | os.PathLike | bytes,
    *,
    name: str | None = None,
    blocks_in_front: int | None = None,
    normalization: str | Normalization = "symmetric",
    fuse: str = "all",
    plan: str = "offline",
) -> StreamPair:
    """Splits an int8 model into a front that takes lines and the body behind it.

    The pair computes, to the byte, what the model computes. A model that has not been fused is
    fused first.

    Args:
        model: int8 .tflite file or its bytes: convolutions, RNNPool, anything. Input
            `[1, height, width, 1 or 3]`.
        name: C identifier for the header; by default made from the file's name.
        blocks_in_front: Inverted residuals without addition that the front computes as well, 0 to
            2. None takes what needs the least memory in all.
        normalization: How the model was trained: what turns bytes of a camera into its input.
        fuse: What to fuse before, as for `rnnpool_tf.convert`.
        plan: Memory plan of the body, as for `rnnpool_tf.convert`.

    Raises:
        ValueError: Not such a model; the message says what is in the way.
        FileNotFoundError: No such file.

    Example:
        >>> pair = split_stream("vww.tflite")  # doctest: +SKIP
        >>> pair.write("vww")  # doctest: +SKIP
        (PosixPath('vww_front.h'), PosixPath('vww_body.tflite'))
    """
    if blocks_in_front not in (None, *range(MAX_BLOCKS + 1)):
        raise ValueError(
            f"`blocks_in_front` must be 0 to {MAX_BLOCKS}, or None. "
            f"Received: blocks_in_front={blocks_in_front!r}"
        )
    if name is None:
        name = "model" if isinstance(model, bytes) else Path(model).stem
    check_choices(fuse, plan)
    graph = _read(model)
    notes = fuse_graph(graph, fuse)
    try:
        available = len(front_layers(graph)) - 1
    except ValueError as error:
        reasons = [str(note) for note in notes if not note.fused and note.kind in ("stem", "model")]
        if fuse in ("none", "blocks"):
            reasons.append(f"fuse={fuse!r} leaves them apart")
        raise ValueError("; ".join([str(error), *reasons])) from error
    data = graph.to_bytes()
    if blocks_in_front is not None:
        if blocks_in_front > available:
            raise ValueError(
                f"`blocks_in_front` must be at most {available}: so many inverted residuals "
                f"without addition follow RNNPool. Received: blocks_in_front={blocks_in_front}"
            )
        return _split(data, blocks_in_front, name, normalization, plan)
    pairs = [_split(data, blocks, name, normalization, plan) for blocks in range(available + 1)]
    return min(pairs, key=_planned_bytes)


def front_layers(graph: Graph) -> list[ConvRNNPool | InvertedResidual]:
    """What a stream can compute: the first operator, and blocks in a chain behind it.

    Raises:
        ValueError: The model does not begin with convolutions and RNNPool, or their result cannot
            be the input of another model.
    """
    image, first = graph.inputs[0], graph.operators[0]
    if graph.name_of(first) != CONV_RNNPOOL or image not in input_indices(first):
        raise ValueError(
            "streaming needs a model whose input goes through convolutions into RNNPool, which "
            f"conversion fuses into one {CONV_RNNPOOL}. Received: a model that begins with "
            f"{graph.name_of(first)}"
        )
    readers = graph.consumers()
    if len(readers[image]) > 1 or image in graph.outputs:
        raise ValueError(
            "streaming needs a model that reads its input once, because lines are not kept. "
            f"Received: {len(readers[image]) + graph.outputs.count(image)} readers"
        )
    if _result(first) in graph.outputs:
        raise ValueError(
            "streaming needs a model in which RNNPool's result goes on into other operators only. "
            "Received: it is an output of the model"
        )
    chain = [read_fused(graph, first)]
    while len(chain) <= MAX_BLOCKS:
        following = readers.get(_result(chain[-1].operator), [])
        layer = read_fused(graph, following[0]) if len(following) == 1 else None
        if (
            not isinstance(layer, InvertedResidual)
            or layer.residual is not None
            or _result(layer.operator) in graph.outputs
        ):
            break
        chain.append(layer)
    return chain


def _result(operator: schema.OperatorT) -> int:
    return int(operator.outputs[0])


def _read(model: str | os.PathLike | bytes) -> Graph:
    if not isinstance(model, bytes) and not Path(model).is_file():
        raise FileNotFoundError(f"`model` must be an existing .tflite file. Received: {model}")
    graph = Graph.from_bytes(model if isinstance(model, bytes) else Path(model).read_bytes())
    names = [graph.tensor_name(index) for index in graph.inputs]
    if WORKSPACE in names[1:]:
        raise ValueError(
            "`model` must be a whole model. Received: the body of one that is already split"
        )
    if len(graph.model.subgraphs) != 1 or len(names) != 1:
        raise ValueError(
            "`model` must have one subgraph with one input. "
            f"Received: {len(graph.model.subgraphs)} subgraphs, {len(names)} inputs"
        )
    image = graph.inputs[0]
    if graph.dtype(image) != np.int8:
        raise ValueError(
            "`model` must be an int8 model with an int8 input; convert a model trained with "
            f"quantisation, without --input-type. Received: input of type {graph.dtype(image)}"
        )
    shape = graph.shape(image)
    if len(shape) != 4 or shape[0] != 1 or shape[3] not in (1, 3):
        raise ValueError(
            "`model` must take one grey or RGB image, [1, height, width, 1 or 3]. "
            f"Received: input shape {list(shape)}"
        )
    if graph.quantization(image) is None or not graph.operators:
        raise ValueError(
            "`model` must have operators and an input with one scale and zero point. Received: "
            f"{len(graph.operators)} operators, input scale {graph.quantization(image)}"
        )
    return graph


def _split(
    data: bytes, blocks: int, name: str, normalization: str | Normalization, plan: str
) -> StreamPair:
    graph = Graph.from_bytes(data)
    pool, *behind = front_layers(graph)[: blocks + 1]
    pixels = graph.quantization(graph.inputs[0])
    table = named_normalization(normalization).lookup_table(
        pool.input_shape[3], pixels.scale, pixels.zero_point
    )
    image = write_front_image(FrontImage(pool, tuple(behind), table))
    stream = LineStream(image)
    body = _body(graph, [pool, *behind], stream.workspace_bytes)
    if plan == "offline":
        body = with_plan(body)
    facts = FrontFacts(
        name=name,
        summary=_summary(pool, behind),
        shape=stream.picture_shape,
        map_shape=stream.map_shape,
        workspace_bytes=stream.workspace_bytes,
        body_crc32=zlib.crc32(body),
    )
    return StreamPair(facts, image, body, blocks)


def _body(graph: Graph, front: list[ConvRNNPool | InvertedResidual], workspace_bytes: int) -> bytes:
    done = [layer.operator for layer in front]
    graph.subgraph.operators = [op for op in graph.operators if op not in done]
    workspace = graph.add_tensor(WORKSPACE, (workspace_bytes,), np.int8)
    graph.subgraph.inputs = np.array([_result(done[-1]), workspace], np.int32)
    graph.model.signatureDefs = None  # they name an input that is no more
    reorder(graph)
    return graph.to_bytes()


def _summary(pool: ConvRNNPool, blocks: list[InvertedResidual]) -> str:
    count = len(pool.convolutions)
    parts = ["1 convolution" if count == 1 else f"{count} convolutions"]
    if not blocks:
        return f"{parts[0]} and RNNPool"
    return f"{parts[0]}, RNNPool and {len(blocks)} inverted residual" + "s" * (len(blocks) > 1)


def _planned_bytes(pair: StreamPair) -> int:
    """RAM that depends on where the model is cut."""
    try:
        return plan_in_file(Graph.from_bytes(pair.body)).head
    except UnknownScratchError:  # then what both halves share decides
        return math.prod(pair.facts.map_shape) + pair.facts.workspace_bytes

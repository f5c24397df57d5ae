"""Fuses convolutions with the RNNPool layer they feed.

The maps between them, the largest of a network with RNNPool, are then computed row by row and never
in memory as a whole.
"""

from __future__ import annotations

import numpy as np

from rnnpool_tf.conversion.flatbuffer import Graph, schema
from rnnpool_tf.conversion.fusion.fused_layers import Convolution, ConvRNNPool
from rnnpool_tf.conversion.fusion.fused_operators import (
    MAX_CONVOLUTION_KERNEL,
    MAX_CONVOLUTIONS,
)
from rnnpool_tf.conversion.fusion.operator_writing import conv_rnnpool_operator
from rnnpool_tf.conversion.fusion.patterns import MatchedConvolution, Neighbours
from rnnpool_tf.conversion.fusion.report import FusionNote, Unfit
from rnnpool_tf.conversion.rnnpool_op import OP_NAME, layer_name, read_cells, read_geometry


def run(graph: Graph) -> list[FusionNote]:
    """Fuses every RNNPool operator of a model with up to four convolutions before it, in place.

    Returns:
        A note for every RNNPool operator that the model had.
    """
    notes = []
    for operator in list(graph.operators):
        if graph.name_of(operator) == OP_NAME:
            try:
                notes.append(_fuse(graph, operator))
            except Unfit as reason:
                layer = layer_name(graph, operator)
                notes.append(FusionNote("stem", layer, False, str(reason)))
    return notes


def _fuse(graph: Graph, pool: schema.OperatorT) -> FusionNote:
    neighbours = Neighbours(graph)
    map_, *constants = (int(index) for index in pool.inputs)
    output = int(pool.outputs[0])
    if graph.dtype(map_) != np.int8:
        raise Unfit(f"it is {graph.dtype(map_)}, not int8")
    steps, end = _convolutions(neighbours, map_)
    if not steps:
        raise Unfit(end)
    source = steps[0].source
    pixels = neighbours.quantization(map_)
    stem = ConvRNNPool(
        layer_name(graph, pool),
        graph.shape(source),
        graph.shape(output),
        neighbours.quantization(source).zero_point,
        tuple(Convolution(step.stage, step.window) for step in steps),
        read_geometry(pool),
        pixels,
        *read_cells(graph, constants, pixels, graph.shape(map_)[-1]),
    )
    replaced = [operator for step in steps for operator in step.operators] + [pool]
    neighbours.replace(replaced, conv_rnnpool_operator(graph, stem, source, constants, output))
    return FusionNote("stem", stem.name, True, _describe(steps, end))


def _convolutions(neighbours: Neighbours, map_: int) -> tuple[list[MatchedConvolution], str]:
    """Convolutions in front of a map, in order of execution, and why there are no more.

    No reason, "", where the model begins there.
    """
    steps: list[MatchedConvolution] = []
    while len(steps) < MAX_CONVOLUTIONS:
        producer = neighbours.producer(map_)
        if producer is None and steps:
            return steps, ""
        if not neighbours.is_convolution(producer):
            return steps, f"{neighbours.producer_name(map_)} is in front of it, not a convolution"
        try:
            neighbours.sole_reader(map_)
            step = neighbours.convolution(producer, MAX_CONVOLUTION_KERNEL)
        except Unfit as reason:
            return steps, f"the convolution in front of it stays: {reason}"
        steps.insert(0, step)
        map_ = step.source
        if step.kept_pad is not None:
            return steps, f"the PAD in front of it stays: {step.kept_pad}"
    return steps, f"{MAX_CONVOLUTIONS} convolutions are the most"


def _describe(steps: list[MatchedConvolution], end: str) -> str:
    parts = []
    for step in steps:
        height, width = step.window.kernel
        kind = "depthwise " if step.stage.depthwise else ""
        pad = "PAD -> " if step.absorbs_pad else ""
        parts.append(f"{pad}{kind}{height}x{width} stride {step.window.strides[0]}")
    text = " -> ".join([*parts, OP_NAME])
    return f"{text}; {end}" if end else text

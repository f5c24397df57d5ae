"""Fuses convolutions with the RNNPool layer they feed.

The maps between them, the largest of a network with RNNPool, are then computed row by row and never
in memory as a whole.
"""

from __future__ import annotations

from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.conversion.fusion.fused_layers import Convolution, ConvRNNPool
from rnnpool_tf.conversion.fusion.fused_operators import (
    MAX_CONVOLUTION_KERNEL,
    MAX_CONVOLUTIONS,
)
from rnnpool_tf.conversion.fusion.operator_writing import conv_rnnpool_operator
from rnnpool_tf.conversion.fusion.patterns import MatchedConvolution, Neighbours
from rnnpool_tf.conversion.fusion.report import FusionNote, Unfit
from rnnpool_tf.conversion.rnnpool_op import (
    OP_NAME,
    RNNPoolOperator,
    packed_matrices,
    read_cells,
    rnnpool_operators,
)


def run(graph: Graph) -> list[FusionNote]:
    """Fuses every RNNPool operator of a model with up to four convolutions before it, in place.

    Returns:
        A note for every RNNPool operator that the model had.

    Raises:
        ValueError: One of them does not keep to its format.
    """
    notes = []
    for pool in rnnpool_operators(graph):
        try:
            notes.append(_fuse(graph, pool))
        except Unfit as reason:
            notes.append(FusionNote("stem", pool.layer, False, str(reason)))
    return notes


def _fuse(graph: Graph, pool: RNNPoolOperator) -> FusionNote:
    if not pool.quantized:
        raise Unfit("it is float32, not int8")
    neighbours = Neighbours(graph)
    map_, *constants = (int(index) for index in pool.operator.inputs)
    output = int(pool.operator.outputs[0])
    steps, end = _convolutions(neighbours, map_)
    if not steps:
        raise Unfit(end)
    source = steps[0].source
    pixels = neighbours.quantization(map_)
    stem = ConvRNNPool(
        pool.layer,
        graph.shape(source),
        graph.shape(output),
        neighbours.quantization(source).zero_point,
        tuple(Convolution(step.stage, step.window) for step in steps),
        pool.shape.geometry,
        pixels,
        *read_cells(graph, constants, pixels, pool.shape.channels, pool.shape.gates),
        packed=packed_matrices(graph, constants),
    )
    replaced = [operator for step in steps for operator in step.operators] + [pool.operator]
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

"""Fuses inverted residuals: 1×1 → depthwise → 1×1 [+ the block's input].

The expanded map and its filtered form, the largest tensors of a MobileNetV2, are then never in
memory as a whole. Every depthwise convolution that a 1×1 convolution follows is a block; the 1×1
convolution in front of it and the ADD behind it join where they fit.
"""

from __future__ import annotations

from rnnpool_tf.conversion.flatbuffer import Graph, schema
from rnnpool_tf.conversion.fusion.fused_layers import InvertedResidual, ResidualSum
from rnnpool_tf.conversion.fusion.fused_operators import MAX_DEPTHWISE_KERNEL
from rnnpool_tf.conversion.fusion.operator_writing import inverted_residual_operator
from rnnpool_tf.conversion.fusion.patterns import MatchedConvolution, Neighbours
from rnnpool_tf.conversion.fusion.report import FusionNote, Unfit, short_name
from rnnpool_tf.conversion.fusion.requantization import residual_sum


def run(graph: Graph) -> list[FusionNote]:
    """Fuses every inverted residual of a model, in place.

    Returns:
        A note for every depthwise convolution that the model had.
    """
    notes = []
    for operator in list(graph.operators):
        if graph.name_of(operator) == "DEPTHWISE_CONV_2D":
            name = short_name(graph.tensor_name(int(operator.outputs[0])))
            try:
                notes.append(_fuse(graph, operator))
            except Unfit as reason:
                notes.append(FusionNote("block", name, False, str(reason)))
    return notes


def _fuse(graph: Graph, operator: schema.OperatorT) -> FusionNote:
    neighbours = Neighbours(graph)
    depthwise = neighbours.convolution(operator, MAX_DEPTHWISE_KERNEL)
    project = _projection(neighbours, depthwise)
    expand, no_expansion = _expansion(neighbours, depthwise)
    source = depthwise.source if expand is None else expand.source
    add, residual = _residual(neighbours, source, depthwise, project)
    output = project.output if add is None else int(add.outputs[0])
    block = InvertedResidual(
        short_name(graph.tensor_name(output)),
        graph.shape(source),
        graph.shape(output),
        neighbours.quantization(source).zero_point,
        None if expand is None else expand.as_matrix(),
        depthwise.stage,
        project.as_matrix(),
        depthwise.window,
        residual,
    )
    stages = [stage for stage in (expand, depthwise, project) if stage is not None]
    replaced = [op for stage in stages for op in stage.operators] + ([add] if add else [])
    new = inverted_residual_operator(graph, block, source, output)
    neighbours.replace(replaced, new)
    return FusionNote("block", block.name, True, _describe(block, depthwise, no_expansion))


def _projection(neighbours: Neighbours, depthwise: MatchedConvolution) -> MatchedConvolution:
    reader = neighbours.sole_reader(depthwise.output)
    if not neighbours.is_convolution(reader):
        raise Unfit(f"{neighbours.graph.name_of(reader)} follows it, not a 1x1 convolution")
    try:
        project = neighbours.convolution(reader, MAX_DEPTHWISE_KERNEL)
    except Unfit as reason:
        raise Unfit(f"the convolution behind it: {reason}") from reason
    if not project.pointwise:
        raise Unfit("the convolution behind it is not 1x1 with stride 1")
    return project


def _expansion(
    neighbours: Neighbours, depthwise: MatchedConvolution
) -> tuple[MatchedConvolution | None, str]:
    """The 1×1 convolution in front of a depthwise one, or None and why it stays outside."""
    producer = neighbours.producer(depthwise.source)
    if not neighbours.is_convolution(producer):
        return None, ""
    try:
        neighbours.sole_reader(depthwise.source)
        expand = neighbours.convolution(producer, MAX_DEPTHWISE_KERNEL)
    except Unfit as reason:
        # What is in front of a block without expansion is no part of it, whatever it is.
        shapes = [neighbours.graph.shape(int(index)) for index in producer.inputs]
        pointwise = len(shapes) > 1 and shapes[1][1:3] == (1, 1)
        return None, f"; the 1x1 convolution in front stays: {reason}" if pointwise else ""
    return (expand, "") if expand.pointwise else (None, "")


def _residual(
    neighbours: Neighbours,
    source: int,
    depthwise: MatchedConvolution,
    project: MatchedConvolution,
) -> tuple[schema.OperatorT | None, ResidualSum | None]:
    """The ADD of a block's input behind its projection, if there is one."""
    graph = neighbours.graph
    try:
        add = neighbours.sole_reader(project.output)
        neighbours.require_form(add, (2,))
        terms = {int(index) for index in add.inputs}
        if graph.name_of(add) != "ADD" or terms != {source, project.output}:
            return None, None
        output = int(add.outputs[0])
        same_shape = graph.shape(source) == graph.shape(project.output) == graph.shape(output)
        if not same_shape or depthwise.window.strides != (1, 1):
            return None, None
        scales = (neighbours.quantization(index) for index in (source, project.output, output))
        return add, residual_sum(*scales, add.builtinOptions.fusedActivationFunction)
    except (Unfit, ValueError):
        return None, None


def _describe(block: InvertedResidual, depthwise: MatchedConvolution, no_expansion: str) -> str:
    (kernel_height, kernel_width), (stride, _) = block.window.kernel, block.window.strides
    parts = [] if block.expand is None else ["1x1"]
    parts.append(f"depthwise {kernel_height}x{kernel_width} stride {stride}")
    parts.append("1x1")
    text = " -> ".join(parts)
    if block.residual is not None:
        text += " + sum"
    if depthwise.absorbs_pad:
        text += ", with its PAD"
    if depthwise.kept_pad is not None:
        text += f"; its PAD stays: {depthwise.kept_pad}"
    return text + no_expansion

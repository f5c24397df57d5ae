"""Writes fused operators; `rnnpool_tf.conversion.fusion.fused_operators` describes their format."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from flatbuffers import flexbuffers

from rnnpool_tf.conversion.flatbuffer import NO_TENSOR, Graph, schema
from rnnpool_tf.conversion.fusion.fused_layers import ConvRNNPool, InvertedResidual
from rnnpool_tf.conversion.fusion.fused_operators import CONV_RNNPOOL, INVERTED_RESIDUAL, VERSION
from rnnpool_tf.conversion.fusion.stage import OutputRange, Stage, Window
from rnnpool_tf.conversion.rnnpool_op import EXTENDED_VERSION
from rnnpool_tf.gates import SMOOTH


def inverted_residual_operator(
    graph: Graph, block: InvertedResidual, x: int, output: int
) -> schema.OperatorT:
    """Makes the operator of a block; `block.name` names its constants.

    Args:
        graph: The model that gets the constants.
        block: What to compute.
        x: Index of the input's tensor.
        output: Index of the output's tensor.

    Returns:
        The operator, not yet in the graph.
    """
    inputs = [x, NO_TENSOR, NO_TENSOR]
    if block.expand is not None:
        inputs[1:] = _add_stage(graph, f"{block.name}/expand", block.expand)
    inputs += _add_stage(graph, f"{block.name}/depthwise", block.depthwise)
    inputs += _add_stage(graph, f"{block.name}/project", block.project)
    options = {"version": VERSION, **_window_options("", block.window)}
    for name, stage in (
        ("expanded", block.expand),
        ("filtered", block.depthwise),
        ("projected", block.project),
    ):
        if stage is not None:
            options.update(_range_options(f"{name}_", stage.range))
    options["residual"] = int(block.residual is not None)
    if block.residual is not None:
        for name in ("input", "projected", "sum"):
            factor = getattr(block.residual, name)
            options[f"{name}_multiplier"] = factor.multiplier
            options[f"{name}_shift"] = factor.shift
        options["sum_min"] = block.residual.range.minimum
        options["sum_max"] = block.residual.range.maximum
    return _make_operator(graph, INVERTED_RESIDUAL, inputs, output, options)


def conv_rnnpool_operator(
    graph: Graph, stem: ConvRNNPool, x: int, constants: Sequence[int], output: int
) -> schema.OperatorT:
    """Makes the operator of convolutions and RNNPool; `stem.name` names the constants.

    Args:
        graph: The model that gets the constants.
        stem: What to compute.
        x: Index of the input's tensor.
        constants: Indices of the RNNPool layer's eight constants, which are in the model.
        output: Index of the output's tensor.

    Returns:
        The operator, not yet in the graph.
    """
    inputs = [x]
    extended = stem.packed or stem.cell1.gates != SMOOTH
    version = EXTENDED_VERSION if extended else VERSION
    options = {"version": version, "convolutions": len(stem.convolutions)}
    for index, step in enumerate(stem.convolutions):
        prefix = f"conv{index}"
        inputs += _add_stage(graph, f"{stem.name}/{prefix}", step.stage)
        options.update(_window_options(f"{prefix}_", step.window))
        options[f"{prefix}_out_height"], options[f"{prefix}_out_width"] = step.window.output
        options.update(_range_options(f"{prefix}_", step.stage.range))
    inputs += constants
    options["pool_scale"] = stem.pool_input.scale
    options["pool_height"], options["pool_width"] = stem.geometry.pool_size
    options["stride_height"], options["stride_width"] = stem.geometry.strides
    options["padding"] = stem.geometry.padding
    if stem.cell1.gates != SMOOTH:
        options["gates"] = stem.cell1.gates
    return _make_operator(graph, CONV_RNNPOOL, inputs, output, options)


def _add_stage(graph: Graph, name: str, stage: Stage) -> list[int]:
    return [
        graph.add_constant(f"{name}/weights", stage.weights),
        graph.add_constant(f"{name}/parameters", stage.parameters),
    ]


def _window_options(prefix: str, window: Window) -> dict[str, int]:
    (stride_height, stride_width), (pad_top, pad_left) = window.strides, window.pads
    return {
        f"{prefix}stride_height": stride_height,
        f"{prefix}stride_width": stride_width,
        f"{prefix}pad_top": pad_top,
        f"{prefix}pad_left": pad_left,
    }


def _range_options(prefix: str, range_: OutputRange) -> dict[str, int]:
    return {
        f"{prefix}zero_point": range_.zero_point,
        f"{prefix}min": range_.minimum,
        f"{prefix}max": range_.maximum,
    }


def _make_operator(
    graph: Graph, name: str, inputs: Sequence[int], output: int, options: dict
) -> schema.OperatorT:
    operator = graph.make_operator(name, inputs, [output])
    operator.customOptions = np.frombuffer(flexbuffers.Dumps(options), np.uint8)
    return operator

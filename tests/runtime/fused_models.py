"""Nodes of the fused operators, tensor by tensor, so that any detail can be made wrong."""

from __future__ import annotations

import numpy as np
from flatbuffers import flexbuffers

from rnnpool_tf.conversion.flatbuffer import Quantization
from tests.kernels.block_cases import Case, Layer
from tests.kernels.conv_pool_cases import (
    BIAS_SCALE,
    OUTPUT,
    ConvPoolCase,
    gates_options,
    pool_options,
)
from tests.runtime.models import CELL_TENSORS, Node, Tensor, constant


def flexbuffer(options: dict) -> bytes:
    """Options as a model file holds them; None leaves a key out."""
    return bytes(flexbuffers.Dumps({k: v for k, v in options.items() if v is not None}))


def block_options(case: Case) -> dict[str, int]:
    """Options of the operator InvertedResidual."""
    block = case.block()
    options = {
        "version": 1,
        "stride_height": case.strides[0],
        "stride_width": case.strides[1],
        "pad_top": block.pads[0],
        "pad_left": block.pads[1],
        "residual": int(block.sum is not None),
        **_range("filtered_", case.filter),
        **_range("projected_", case.project),
    }
    if case.expand is not None:
        options |= _range("expanded_", case.expand)
    if block.sum is not None:
        factors = {"input": block.sum.x, "projected": block.sum.y, "sum": block.sum.sum}
        for name, (multiplier, shift) in factors.items():
            options |= {f"{name}_multiplier": multiplier, f"{name}_shift": shift}
        options |= {"sum_min": block.sum.range[1], "sum_max": block.sum.range[2]}
    return options


def block_node(case: Case, batch: int = 1, **options) -> Node:
    """The operator InvertedResidual.

    Args:
        case: the block.
        batch: maps.
        options: changed options; None removes one.
    """
    block = case.block()
    tensors = {"input": _activation((batch, *case.shape), case.input)}
    for name, stage in (
        ("expand", block.expand),
        ("depthwise", block.filter),
        ("project", block.project),
    ):
        weights, params = (None, None) if stage is None else (stage.weights, stage.params)
        tensors[f"{name}_weights"] = None if stage is None else constant(weights)
        tensors[f"{name}_params"] = None if stage is None else constant(params)
    output = case.project.output if case.sum is None else case.sum
    tensors["output"] = _activation((batch, *block.out_shape), output)
    return Node(tensors, flexbuffer(block_options(case) | options), "InvertedResidual")


def conv_pool_options(case: ConvPoolCase) -> dict[str, int | float | str]:
    """Options of the operator ConvRNNPool."""
    options = {
        **gates_options(case.cells[0].gates),
        "convolutions": len(case.convolutions),
        "pool_scale": float(np.float32(case.map.scale)),
        **pool_options(case.geometry),
    }
    for i, convolution in enumerate(case.convolutions):
        options |= {
            f"conv{i}_stride_height": convolution.strides[0],
            f"conv{i}_stride_width": convolution.strides[1],
            f"conv{i}_pad_top": convolution.pads[0][0],
            f"conv{i}_pad_left": convolution.pads[1][0],
            f"conv{i}_out_height": convolution.out_size[0],
            f"conv{i}_out_width": convolution.out_size[1],
            **_range(f"conv{i}_", convolution.layer),
        }
    return options


def conv_pool_node(case: ConvPoolCase, batch: int = 1, **options) -> Node:
    """The operator ConvRNNPool; `options` are changed ones, None removes one."""
    tensors = {"input": _activation((batch, *case.shape), case.input)}
    for i, convolution in enumerate(case.convolutions):
        layer = convolution.layer
        tensors[f"conv{i}_weights"] = constant(
            layer.weights[0] if layer.depthwise else layer.weights
        )
        tensors[f"conv{i}_params"] = constant(layer.params)
    for number, cell in enumerate(case.cells, 1):
        arrays = (
            (cell.kernel_q, cell.kernel_scale),
            (cell.recurrent_q, cell.recurrent_scale),
            (cell.bias_gate_q26, BIAS_SCALE),
            (cell.bias_update_q26, BIAS_SCALE),
        )
        for name, (values, scale) in zip(CELL_TENSORS, arrays, strict=True):
            tensors[f"{name}{number}"] = constant(values, scale)
    tensors["output"] = _activation((batch, *case.out_shape), OUTPUT)
    return Node(tensors, flexbuffer(conv_pool_options(case) | options), "ConvRNNPool")


def resized(node: Node, tensor: str, shape: tuple[int, ...]) -> Node:
    """The node with a constant of another shape."""
    dtype = node.tensors[tensor].dtype
    return node.change(tensor, shape=shape, data=np.ones(shape, dtype))


def set_params(node: Node, tensor: str, row: int, value: int) -> Node:
    """The node with one parameter, that of a stage's second channel, changed."""
    params = node.tensors[tensor].data.copy()
    params[row, 1] = value
    return node.change(tensor, data=params)


def _activation(shape: tuple[int, ...], quantization: Quantization) -> Tensor:
    return Tensor(shape, np.int8, None, (quantization.scale,), (quantization.zero_point,))


def _range(prefix: str, layer: Layer) -> dict[str, int]:
    names = ("zero_point", "min", "max")
    return {f"{prefix}{name}": int(n) for name, n in zip(names, layer.limits, strict=True)}

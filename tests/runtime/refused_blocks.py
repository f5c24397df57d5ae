"""InvertedResidual nodes that must be refused, and with which words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.kernels.block_cases import ordinary_case
from tests.runtime.fused_models import block_node, resized, set_params
from tests.runtime.models import Node, Tensor
from tests.runtime.test_refusals import remove, with_input

SHAPE = (7, 9, 4)  # expanded to 6 channels


def block(adds: bool = True, **options) -> Node:
    """A sound block with changed options."""
    case = ordinary_case(0, SHAPE, 6, 4, (1, 1), adds)
    return block_node(case, **options)


def unexpanded() -> Node:
    """A block that filters x itself; its depthwise convolution has x's four channels."""
    case = ordinary_case(0, SHAPE, 4, 4, (1, 1), False)
    return block_node(case).without("expand_weights").without("expand_params")


BLOCKS = {
    # counts
    "six-inputs": (lambda: remove(block(), "project_params"), "7 inputs.*Received: 6"),
    "eight-inputs": (
        lambda: with_input(block(), "more", Tensor((1,), np.int8)),
        "7 inputs. Received: 8",
    ),
    "absent-depthwise": (
        lambda: block().without("depthwise_weights"),
        "depthwise weights is missing",
    ),
    "absent-params": (
        lambda: block().without("project_params"),
        "projection parameters is missing",
    ),
    "half-an-expansion": (
        lambda: block().without("expand_params"),
        "both expansion weights and parameters, or none",
    ),
    # options
    "no-options": (lambda: replace(block(), options=b""), "options are not a map"),
    "garbage-options": (lambda: replace(block(), options=b"\xff" * 60), "not a map|damaged"),
    "cut-options": (lambda: replace(block(), options=block().options[:-7]), "not a map|damaged"),
    "version-2": (
        lambda: block(version=2),
        "InvertedResidual version 2 is not supported; this build knows version 1",
    ),
    "no-version": (lambda: block(version=None), "`version` is missing"),
    "no-stride": (lambda: block(stride_width=None), "`stride_width` is missing"),
    "stride-0": (lambda: block(stride_height=0), r"`stride_height` must be in 1\.\..*=0"),
    "stride-40000": (lambda: block(stride_height=40000), "Received: stride_height=40000"),
    "text-stride": (lambda: block(stride_height="1"), "`stride_height` must be an integer"),
    "float-pad": (lambda: block(pad_top=1.0), "`pad_top` must be an integer"),
    "negative-pad": (lambda: block(pad_left=-1), "`pad_left` must be in 0..6"),
    "pad-of-a-kernel": (
        lambda: block(adds=False, pad_top=3).change("output", shape=(1, 8, 9, 4)),
        "padding less than the kernel",
    ),
    "residual-2": (lambda: block(residual=2), r"`residual` must be in 0\.\.1"),
    "no-expanded-min": (lambda: block(expanded_min=None), "`expanded_min` is missing"),
    "no-filtered-max": (lambda: block(filtered_max=None), "`filtered_max` is missing"),
    "zero-point-128": (
        lambda: block(projected_zero_point=128),
        "`projected_zero_point` must be in -128..127",
    ),
    "min-above-max": (lambda: block(filtered_min=5, filtered_max=4), "[Rr]ange|min"),
    "no-sum-shift": (lambda: block(sum_shift=None), "`sum_shift` is missing"),
    "sum-shift-31": (lambda: block(sum_shift=31), "`sum_shift` must be in -31..30"),
    "sum-shift-1": (
        lambda: block(sum_shift=1),
        "InvertedResidual: A sum's multipliers .* its shifts",
    ),
    "small-multiplier": (
        lambda: block(input_multiplier=5),
        "InvertedResidual: A sum's multipliers .* its shifts",
    ),
    "negative-multiplier": (
        lambda: block(projected_multiplier=-(2**30)),
        "`projected_multiplier` must be at least 0",
    ),
    "huge-multiplier": (lambda: block(input_multiplier=2**31), "Received: input_multiplier=2147"),
    # input and output
    "float-input": (
        lambda: block().change("input", dtype=np.float32, scales=(), zero_points=()),
        r"input must be int8\. ?Received: float32",
    ),
    "uint8-input": (lambda: block().change("input", dtype=np.uint8), "input must be int8"),
    "rank-3-input": (
        lambda: block().change("input", shape=SHAPE),
        "input must have rank 4. Received: rank 3",
    ),
    "unquantised-input": (
        lambda: block().change("input", scales=(), zero_points=()),
        "input must have 1 scale and 1 zero point",
    ),
    "input-zero-point": (lambda: block().change("input", zero_points=(128,)), "Received: 128"),
    "int16-output": (lambda: block().change("output", dtype=np.int16), "output must be int8"),
    "rank-2-output": (lambda: block().change("output", shape=(1, 4)), "output must have rank 4"),
    "unquantised-output": (
        lambda: block().change("output", scales=(), zero_points=()),
        "output must have 1 scale and 1 zero point",
    ),
    "output-zero-point": (
        lambda: block(adds=False).change("output", zero_points=(126,)),
        "must have the projection's zero point -?[0-9]+. Received: 126",
    ),
    "output-channels": (
        lambda: block().change("output", shape=(1, 7, 9, 5)),
        "output must have size 4 in dimension 3. Received: size 5",
    ),
    "output-too-low": (
        lambda: block(adds=False).change("output", shape=(1, 5, 9, 4)),
        "output must have size 6 or more in dimension 1. Received: size 5",
    ),
    "output-too-high": (
        lambda: block(adds=False).change("output", shape=(1, 9, 9, 4)),
        "every window must begin inside the map",
    ),
    "residual-of-another-shape": (
        lambda: block().change("output", shape=(1, 6, 9, 4)),
        "residual needs .* an output of the input's shape",
    ),
    # weights and parameters
    "expand-channels": (
        lambda: resized(block(), "expand_weights", (6, 3)),
        "expansion weights must have size 4 in dimension 1. Received: size 3",
    ),
    "expand-rank": (
        lambda: resized(block(), "expand_weights", (6, 1, 1, 4)),
        "expansion weights must have rank 2. Received: rank 4",
    ),
    "depthwise-channels": (
        lambda: resized(block(), "depthwise_weights", (3, 3, 5)),
        "depthwise weights must have size 6 in dimension 2. Received: size 5",
    ),
    "depthwise-rank": (
        lambda: resized(block(), "depthwise_weights", (1, 3, 3, 6)),
        "depthwise weights must have rank 3",
    ),
    "kernel-8": (
        lambda: resized(unexpanded(), "depthwise_weights", (8, 3, 4)),
        r"kernel's height and width must be in 1\.\.7",
    ),
    "project-channels": (
        lambda: resized(block(), "project_weights", (4, 5)),
        "projection weights must have size 6 in dimension 1",
    ),
    "two-rows": (
        lambda: resized(block(), "expand_params", (2, 6)),
        "expansion parameters must have size 3 in dimension 0. Received: size 2",
    ),
    "params-of-five": (
        lambda: resized(block(), "depthwise_params", (3, 5)),
        "depthwise parameters must have size 6 in dimension 1",
    ),
    "float-weights": (
        lambda: block().change(
            "project_weights", dtype=np.float32, data=np.zeros((4, 6), np.float32)
        ),
        "projection weights must be int8.*float32",
    ),
    "int64-params": (
        lambda: block().change("project_params", dtype=np.int64, data=np.zeros((3, 4), np.int64)),
        "projection parameters must be int32",
    ),
    "variable-weights": (
        lambda: block().change("depthwise_weights", data=None),
        "depthwise weights must be a constant",
    ),
    "variable-params": (
        lambda: block().change("expand_params", data=None),
        "expansion parameters must be a constant",
    ),
    "weights-zero-point": (
        lambda: block().change("project_weights", scales=(0.1,), zero_points=(3,)),
        "projection weights must have zero point 0. Received: 3",
    ),
    "multiplier-1": (lambda: set_params(block(), "expand_params", 1, 1), "multiplier"),
    "multiplier-negative": (
        lambda: set_params(block(), "depthwise_params", 1, -(2**31)),
        "multiplier",
    ),
    "shift-31": (lambda: set_params(block(), "project_params", 2, 31), "shift"),
    "shift-minus-32": (lambda: set_params(block(), "project_params", 2, -32), "shift"),
    "shift-far-away": (lambda: set_params(block(), "expand_params", 2, -(2**31)), "shift"),
    "bias-overflows": (
        lambda: set_params(block(), "expand_params", 0, 2**31 - 1),
        "overflow",
    ),
    "bias-most-negative": (
        lambda: set_params(block(), "depthwise_params", 0, -(2**31)),
        "overflow",
    ),
}

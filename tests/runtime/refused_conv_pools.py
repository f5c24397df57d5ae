"""ConvRNNPool nodes that must be refused, and with which words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from flatbuffers import flexbuffers

from tests.kernels.conv_pool_cases import random_conv_pool
from tests.runtime.fused_models import conv_pool_node, conv_pool_options, resized, set_params
from tests.runtime.models import Node, constant
from tests.runtime.test_refusals import remove, with_input


def pool(**options) -> Node:
    """Sound convolutions, conv 3x1 from 1 to 8 channels and depthwise 3x3, with RNNPool."""
    return conv_pool_node(random_conv_pool(4), **options)


def double_option(key: str, value: float) -> bytes:
    """Options of `pool` with a number in 8 bytes."""
    options = {k: v for k, v in conv_pool_options(random_conv_pool(4)).items() if k != key}
    builder = flexbuffers.Builder()
    with builder.Map():
        for name, number in options.items():
            builder.Key(name)
            builder.Add(number)
        builder.Key(key)
        builder.Float(value, 8)
    return bytes(builder.Finish())


POOLS = {
    # counts
    "one-input-fewer": (
        lambda: remove(pool(), "update_bias2"),
        "with 2 convolutions must have 13 inputs. Received: 12",
    ),
    "three-convolutions": (
        lambda: pool(convolutions=1),
        "with 1 convolutions must have 11 inputs. Received: 13",
    ),
    "absent-weights": (
        lambda: pool().without("conv1_weights"),
        "conv1 weights is missing",
    ),
    "absent-params": (lambda: pool().without("conv0_params"), "conv0 parameters is missing"),
    "absent-bias": (lambda: pool().without("gate_bias1"), "gate bias 1 is missing"),
    # options
    "no-options": (lambda: replace(pool(), options=b""), "options are not a map"),
    "garbage-options": (lambda: replace(pool(), options=b"\xff" * 60), "not a map|damaged"),
    "cut-options": (lambda: replace(pool(), options=pool().options[:-7]), "not a map|damaged"),
    "version-3": (
        lambda: pool(version=3),
        "ConvRNNPool version 3 is not supported; this build knows versions 1 to 2",
    ),
    "gates-in-version-1": (
        lambda: pool(gates="smooth"),
        "`gates` must be missing in this version",
    ),
    "other-gates": (
        lambda: pool(version=2, gates="hard"),
        '`gates` must be "smooth" or "piecewise_linear"',
    ),
    "no-convolutions": (lambda: pool(convolutions=0), r"`convolutions` must be in 1\.\.4"),
    "five-convolutions": (lambda: pool(convolutions=5), "Received: convolutions=5"),
    "no-stride": (lambda: pool(conv1_stride_width=None), "`conv1_stride_width` is missing"),
    "stride-0": (lambda: pool(conv0_stride_height=0), "Received: conv0_stride_height=0"),
    "huge-stride": (
        lambda: pool(conv0_stride_height=2**31 - 1),
        r"strides must be in 1\.\.32767",
    ),
    "pad-11": (lambda: pool(conv1_pad_top=11), r"`conv1_pad_top` must be in 0\.\.10"),
    "no-rows": (lambda: pool(conv1_out_height=0), "`conv1_out_height` must be at least 1"),
    "too-few-rows": (
        lambda: pool(conv0_out_height=2),
        "conv0 output must have size 4 or more in dimension 1. Received: size 2",
    ),
    "too-many-rows": (
        lambda: pool(conv1_out_height=40000),
        # TFLite Micro's output has a shape of its own, which is found wrong first.
        r"sizes and strides .* 1\.\.32767|output must have size 13333",
    ),
    "zero-point-200": (lambda: pool(conv0_zero_point=200), "Received: conv0_zero_point=200"),
    "no-min": (lambda: pool(conv1_min=None), "`conv1_min` is missing"),
    "min-above-max": (lambda: pool(conv1_min=5, conv1_max=4), "[Rr]ange|min"),
    "no-scale": (lambda: pool(pool_scale=None), "`pool_scale` is missing"),
    "integer-scale": (lambda: pool(pool_scale=1), "`pool_scale` must be a floating-point number"),
    "nan-scale": (lambda: pool(pool_scale=float("nan")), "`pool_scale` must be a finite number"),
    "infinite-scale": (lambda: pool(pool_scale=float("inf")), "must be a finite number"),
    "scale-beyond-float32": (
        lambda: replace(pool(), options=double_option("pool_scale", 1e300)),
        "must be a finite number",
    ),
    "zero-scale": (lambda: pool(pool_scale=0.0), "ConvRNNPool: .*[Ss]cale"),
    "huge-scale": (lambda: pool(pool_scale=256.0), "ConvRNNPool: .*[Ss]cale"),
    "no-pool-height": (lambda: pool(pool_height=None), "`pool_height` is missing"),
    "unknown-padding": (lambda: pool(padding="full"), "`padding` must be"),
    "patch-too-large": (lambda: pool(pool_width=99), "larger than the map"),
    # input and output
    "int16-input": (lambda: pool().change("input", dtype=np.int16), "input must be int8"),
    "rank-5-input": (
        lambda: pool().change("input", shape=(1, 1, 10, 20, 1)),
        "input must have rank 4",
    ),
    "input-channels": (
        lambda: pool().change("input", shape=(1, 10, 20, 2)),
        "conv0 weights must have size 2 in dimension 3. Received: size 1",
    ),
    "input-zero-point": (lambda: pool().change("input", zero_points=(-129,)), "Received: -129"),
    "output-scale": (
        lambda: pool().change("output", scales=(1 / 64,)),
        "must have the scale 1/128",
    ),
    "output-type": (lambda: pool().change("output", dtype=np.int16), "output must be int8"),
    # weights
    "weights-rank-2": (
        lambda: resized(pool(), "conv0_weights", (8, 3)),
        "conv0 weights must have rank 4, or 3 if depthwise. Received: rank 2",
    ),
    "weights-empty": (
        lambda: pool().change("conv0_weights", shape=(0, 3, 1, 1), data=None),
        "conv0 weights must not be empty",
    ),
    "kernel-12": (
        lambda: resized(pool(), "conv0_weights", (5, 12, 1, 1)),
        "ConvRNNPool: .*kernel|parameters must",
    ),
    "params-channels": (
        lambda: resized(pool(), "conv1_params", (3, 4)),
        "conv1 parameters must have size . in dimension 1. Received: size 4",
    ),
    "variable-weights": (
        lambda: pool().change("conv0_weights", data=None),
        "conv0 weights must be a constant",
    ),
    "int8-params": (
        lambda: pool().change("conv0_params", dtype=np.int8, data=np.zeros((3, 8), np.int8)),
        "conv0 parameters must be int32",
    ),
    "weights-zero-point": (
        lambda: pool().change("conv1_weights", scales=(0.1,), zero_points=(-1,)),
        "conv1 weights must have zero point 0. Received: -1",
    ),
    "multiplier-1": (lambda: set_params(pool(), "conv1_params", 1, 1), "multiplier"),
    "shift-31": (lambda: set_params(pool(), "conv0_params", 2, 31), "shift"),
    "bias-overflows": (lambda: set_params(pool(), "conv0_params", 0, 2**31 - 1), "overflow"),
    # RNNPool's part, whose own cases are in test_refusals.py
    "W1-inputs": (
        lambda: resized(pool(), "W1", (4, 2)),
        "kernel 1 must have size . in dimension 1",
    ),
    "W1-scale": (lambda: pool().change("W1", scales=(0.0,)), "[Ss]cale"),
    "bias-scale": (
        lambda: pool().change("gate_bias2", scales=(1.0,)),
        r"gate bias 2 must have the scale 2\^-26",
    ),
    "W2-not-square": (
        lambda: pool().change("U2", data=None),
        "recurrent kernel 2 must be a constant",
    ),
    "extra-input": (
        lambda: with_input(pool(), "zeta_nu", constant(np.ones((2, 2), np.float32))),
        "must have 13 inputs. Received: 14",
    ),
}

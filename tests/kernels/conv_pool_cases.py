"""Random convolutions with RNNPool behind them: as tensors and as the unfused .tflite."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from flatbuffers import flexbuffers

from rnnpool_tf.conversion.flatbuffer import Graph, Quantization
from rnnpool_tf.gates import KINDS, SMOOTH
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer import IntegerCell
from tests.kernels.block_cases import (
    CHARACTERS,
    Layer,
    add_convolution,
    add_pad,
    new_graph,
    random_layer,
    random_quantization,
)

BIAS_SCALE = 2.0**-26
OUTPUT = Quantization(1 / 128, 0)

Pads = tuple[tuple[int, int], tuple[int, int]]  # ((top, bottom), (left, right))


@dataclass(frozen=True)
class Convolution:
    """A quantised convolution where it stands in a model."""

    layer: Layer
    size: tuple[int, int]  # of its input
    strides: tuple[int, int]
    padding: str | Pads  # "SAME", "VALID", or by a PAD in front of it

    @property
    def kernel(self) -> tuple[int, int]:
        return self.layer.weights.shape[1:3]

    @property
    def pads(self) -> Pads:
        if not isinstance(self.padding, str):
            return self.padding
        pads = []
        for size, k, s in zip(self.size, self.kernel, self.strides, strict=True):
            total = max((-(-size // s) - 1) * s + k - size, 0) if self.padding == "SAME" else 0
            pads.append((total // 2, total - total // 2))
        return pads[0], pads[1]

    @property
    def out_size(self) -> tuple[int, int]:
        return tuple(
            (size + sum(pad) - k) // s + 1
            for size, pad, k, s in zip(self.size, self.pads, self.kernel, self.strides, strict=True)
        )


@dataclass(frozen=True)
class ConvPoolCase:
    """One to four convolutions, and RNNPool on what the last of them produces."""

    name: str
    shape: tuple[int, int, int]
    convolutions: tuple[Convolution, ...]
    cells: tuple[IntegerCell, IntegerCell]
    geometry: Geometry
    rng: np.random.Generator = field(compare=False)

    @property
    def input(self) -> Quantization:
        return self.convolutions[0].layer.input

    @property
    def map(self) -> Quantization:
        """Of what RNNPool is applied to."""
        return self.convolutions[-1].layer.output

    @property
    def out_shape(self) -> tuple[int, int, int]:
        size = self.geometry.output_size(*self.convolutions[-1].out_size)
        return (*size, 4 * self.cells[1].units)

    def inputs(self, batch: int = 1) -> np.ndarray:
        """Random maps."""
        return self.rng.integers(-128, 128, (batch, *self.shape)).astype(np.int8)

    def model(self, batch: int) -> bytes:
        """The unfused .tflite."""
        graph, value = new_graph((batch, *self.shape), self.input)
        for convolution in self.convolutions:
            padding = convolution.padding
            if not isinstance(padding, str):
                value = add_pad(graph, value, convolution.pads, convolution.layer.input)
                padding = "VALID"
            shape = (batch, *convolution.out_size)
            value = add_convolution(
                graph, convolution.layer, value, shape, convolution.strides, padding
            )
        output = graph.add_tensor("map", (batch, *self.out_shape), np.int8, OUTPUT)
        inputs = [value, *add_cells(graph, self.cells)]
        operator = graph.make_operator("RNNPool", inputs, [output])
        options = flexbuffers.Dumps(
            pool_options(self.geometry) | gates_options(self.cells[0].gates)
        )
        operator.customOptions = np.frombuffer(options, np.uint8)
        graph.operators.append(operator)
        graph.subgraph.outputs = np.array([output], np.int32)
        return graph.to_bytes()


def pool_options(geometry: Geometry) -> dict[str, int | str]:
    """What RNNPool's options say about the geometry."""
    return {
        "pool_height": geometry.pool_size[0],
        "pool_width": geometry.pool_size[1],
        "stride_height": geometry.strides[0],
        "stride_width": geometry.strides[1],
        "padding": geometry.padding,
    }


def gates_options(gates: str) -> dict[str, int | str]:
    """What RNNPool's options say about version and gates."""
    return {"version": 1} if gates == SMOOTH else {"version": 2, "gates": gates}


def add_cells(graph: Graph, cells: tuple[IntegerCell, IntegerCell]) -> list[int]:
    """Adds both cells' constants; returns the operator's eight inputs."""
    inputs = []
    for cell in cells:
        for matrix, scale in (
            (cell.kernel_q, cell.kernel_scale),
            (cell.recurrent_q, cell.recurrent_scale),
        ):
            inputs.append(graph.add_constant("W", matrix, Quantization(float(scale), 0)))
        for bias in (cell.bias_gate_q26, cell.bias_update_q26):
            inputs.append(graph.add_constant("b", bias, Quantization(BIAS_SCALE, 0)))
    return inputs


def random_conv_pool(seed: int) -> ConvPoolCase:
    """Shapes, strides, kernels, paddings and arithmetic drawn from one seed."""
    rng = np.random.default_rng([11, seed])
    character = CHARACTERS[seed % len(CHARACTERS)]
    count = int(rng.choice([1, 1, 2, 3, 4]))
    shape = (*(int(n) for n in rng.integers(8, 26, 2)), int(rng.choice([1, 3, 4])))
    given = random_quantization(rng, character == "ties")
    convolutions = []
    size, channels = shape[:2], shape[2]
    for _ in range(count):
        convolution = _random_convolution(rng, size, channels, given, character)
        convolutions.append(convolution)
        given = convolution.layer.output
        size, channels = convolution.out_size, convolution.layer.bias.size
    geometry = _random_geometry(rng, size)
    units = tuple(int(n) for n in rng.choice([1, 3, 4, 8], 2))
    gates = KINDS[seed % 3 == 0]
    cells = _random_cell(rng, channels, units[0], gates), _random_cell(rng, *units, gates)
    name = f"seed{seed}-{character}-{gates}-{'x'.join(map(str, shape))}-" + "-".join(
        f"{'dw' if c.layer.depthwise else 'conv'}{c.kernel[0]}x{c.kernel[1]}s{c.strides[0]}"
        f"{c.strides[1]}{c.padding if isinstance(c.padding, str) else 'pad'}"
        for c in convolutions
    )
    return ConvPoolCase(name, shape, tuple(convolutions), cells, geometry, rng)


def _random_convolution(rng, size, channels: int, given: Quantization, character) -> Convolution:
    kernel = tuple(
        min(int(k), n) for k, n in zip(rng.choice([1, 2, 3, 3, 5], 2), size, strict=True)
    )
    strides = tuple(
        int(s) if n > 7 else 1 for s, n in zip(rng.choice([1, 2, 2, 3], 2), size, strict=True)
    )
    if rng.random() < 0.5:
        # Bottom and right padding may exceed what windows reach.
        padding = tuple(tuple(int(p) for p in rng.integers(0, k, 2)) for k in kernel)
    else:
        padding = str(rng.choice(["SAME", "VALID"]))
    # A full convolution from one channel to one would look like a depthwise one.
    if channels > 1 and rng.random() < 0.4:
        layer = random_layer(rng, (1, *kernel, channels), channels, given, character)
    else:
        outputs = int(rng.choice([2, 5, 8]))
        layer = random_layer(rng, (outputs, *kernel, channels), outputs, given, character)
    return Convolution(layer, size, strides, padding)


def _random_geometry(rng, size) -> Geometry:
    padding = str(rng.choice(["valid", "same", "replicate"]))
    pool = tuple(int(rng.integers(1, min(n, 6) + 1)) for n in size)
    strides = tuple(int(rng.choice([max(1, p - 2), p, p + 1])) for p in pool)
    return Geometry(pool, strides, padding)


def _random_cell(rng, inputs: int, units: int, gates: str) -> IntegerCell:
    return IntegerCell(
        rng.integers(-127, 128, (units, inputs)).astype(np.int8),
        np.float32(2.0 ** rng.uniform(-8, -6)),
        rng.integers(-127, 128, (units, units)).astype(np.int8),
        np.float32(2.0**-8),
        rng.integers(-(2**26), 2**26, units).astype(np.int32),
        rng.integers(-(2**26), 2**26, units).astype(np.int32),
        gates,
    )

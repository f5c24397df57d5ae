"""Random int8 models: a stem with RNNPool or without, inverted residuals, a mean and a classifier.

They are written operator by operator, so that a model takes milliseconds and can be anything that a
.tflite file can hold: PADs of any size, one scale per tensor or per channel, no bias, several
readers of a tensor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

from rnnpool_tf.conversion.flatbuffer import Graph, Quantization
from rnnpool_tf.gates import KINDS, SMOOTH
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer import quantize_cell
from tests.kernels.block_cases import (
    CHARACTERS,
    Layer,
    add_convolution,
    add_pad,
    new_graph,
    pads_of,
    random_layer,
    random_quantization,
)
from tests.kernels.conv_pool_cases import OUTPUT, add_cells, gates_options, pool_options

ACTIVATIONS = ("NONE", "RELU", "RELU6", "RELU_N1_TO_1")


@dataclass(frozen=True)
class RandomModel:
    """A model and what was put into it.

    Attributes:
        name: Readable, begins with the seed.
        data: The unfused .tflite file.
        blocks: Number of inverted residuals.
        pools: Number of RNNPool layers behind convolutions.
    """

    name: str
    data: bytes
    blocks: int
    pools: int

    def inputs(self) -> np.ndarray:
        """Two batches that use all of int8."""
        graph = Graph.from_bytes(self.data)
        batch, *shape = graph.shape(graph.inputs[0])
        rng = np.random.default_rng(int(self.name.split("-")[0].removeprefix("seed")))
        return rng.integers(-128, 128, (2 * batch, *shape)).astype(np.int8)


def random_model(seed: int) -> RandomModel:
    """Draws a model from a seed."""
    build = Builder(seed)
    rng = build.rng
    pools = int(rng.random() < 0.5)
    if pools:
        convolutions = int(rng.integers(1, 4))
        for _ in range(convolutions):
            build.any_convolution()
        build.rnnpool(KINDS[seed % 3 == 0])
    blocks = int(rng.integers(0 if pools else 1, 4))
    for _ in range(blocks):
        build.block()
    if rng.random() < 0.7:
        build.mean(keep_dimensions=rng.random() < 0.5, rescale=rng.random() < 0.3)
    if rng.random() < 0.7:
        build.dense(3)
    name = f"seed{seed}-{'-'.join(build.parts)}"
    return RandomModel(name, build.finish(), blocks, pools)


class Builder:
    """A model under construction: every method adds layers behind `value`.

    Attributes:
        graph: The model.
        value: Index of the tensor that the next layer reads.
        rng: Where everything random comes from.
        parts: What was added, in short.
    """

    def __init__(self, seed: int, shape: tuple[int, ...] | None = None):
        self.rng = np.random.default_rng([4, seed])
        if shape is None:
            batch = 2 if self.rng.random() < 0.15 else 1
            size = (int(n) for n in self.rng.integers(7, 20, 2))
            shape = (batch, *size, int(self.rng.choice([1, 3, 5, 8])))
        self.graph, self.value = new_graph(shape, random_quantization(self.rng))
        self.parts: list[str] = []

    @property
    def shape(self) -> tuple[int, ...]:
        return self.graph.shape(self.value)

    @property
    def quantization(self) -> Quantization:
        return self.graph.quantization(self.value)

    def finish(self, *outputs: int) -> bytes:
        """The file; its outputs are the last tensor and any others given."""
        self.graph.subgraph.outputs = np.array([*outputs, self.value], np.int32)
        return self.graph.to_bytes()

    def convolution(
        self,
        filters: int | None,
        kernel: tuple[int, int] = (1, 1),
        strides: tuple[int, int] = (1, 1),
        padding="SAME",
        activation: str | None = None,
    ) -> None:
        """Adds a convolution, depthwise where `filters` is None.

        Args:
            filters: Output channels.
            kernel: Its size.
            strides: Its strides.
            padding: "SAME", "VALID" or ((top, bottom), (left, right)), an explicit PAD.
            activation: One of `ACTIVATIONS`; any by default.
        """
        batch, *size, channels = self.shape
        outputs = filters or channels
        shape = (filters, *kernel, channels) if filters else (1, *kernel, channels)
        activation = activation or str(self.rng.choice(ACTIVATIONS))
        # Ties, left shifts and factors near 0 as well.
        character = str(self.rng.choice(["usual", *CHARACTERS]))
        layer = random_layer(self.rng, shape, outputs, self.quantization, character, activation)
        if character == "usual" and activation in ("RELU6", "RELU_N1_TO_1"):
            layer = self._with_limits_inside(layer)
        if self.rng.random() < 0.3:
            layer = replace(layer, scales=layer.scales[:1])
        pads = pads_of(padding, size, kernel, strides)
        if not isinstance(padding, str):
            self.value = add_pad(self.graph, self.value, pads, self.quantization)
            padding = "VALID"
        out = [
            (n + sum(p) - k) // s + 1
            for n, p, k, s in zip(size, pads, kernel, strides, strict=True)
        ]
        name = "DEPTHWISE_CONV_2D" if filters is None else "CONV_2D"
        self.value = add_convolution(self.graph, layer, self.value, (batch, *out), strides, padding)
        operator = self.graph.operators[-1]
        # A full convolution from one channel to one looks like a depthwise one to the helper.
        if self.graph.name_of(operator) != name:
            raise AssertionError("ask for another number of channels")
        if filters is None and self.rng.random() < 0.2:  # TFLite's CONV_2D insists on a bias
            operator.inputs = operator.inputs[:2]

    def any_convolution(self) -> None:
        """Adds a convolution of any kind, kernel, stride and padding."""
        size = self.shape[1:3]
        kernel = tuple(
            min(int(k), n) for k, n in zip(self.rng.integers(1, 6, 2), size, strict=True)
        )
        strides = tuple(
            int(s) if n > 8 else 1 for s, n in zip(self.rng.integers(1, 3, 2), size, strict=True)
        )
        depthwise = self.shape[3] > 1 and self.rng.random() < 0.3
        filters = None if depthwise else int(self.rng.choice([2, 4, 6]))
        self.convolution(filters, kernel, strides, self._padding(kernel))
        self.parts.append(f"{'dw' if depthwise else 'conv'}{kernel[0]}x{kernel[1]}s{strides[0]}")

    def rnnpool(self, gates: str = SMOOTH) -> None:
        """Adds an RNNPool layer of any geometry."""
        batch, *size, channels = self.shape
        rng = self.rng
        pool = tuple(int(rng.integers(1, min(n, 6) + 1)) for n in size)
        strides = tuple(int(rng.integers(1, p + 1)) for p in pool)
        geometry = Geometry(pool, strides, str(rng.choice(["valid", "same", "replicate"])))
        units = tuple(int(n) for n in rng.choice([2, 3, 4], 2))
        # Weights small enough for any scale of the map.
        bound = 0.5 / max(1, self.quantization.scale * 64 * channels)
        cells = tuple(
            quantize_cell(
                rng.uniform(-bound, bound, (inputs, hidden)),
                rng.uniform(-0.5, 0.5, (hidden, hidden)),
                rng.uniform(-1, 1, hidden),
                rng.uniform(-1, 1, hidden),
                gates=gates,
            )
            for inputs, hidden in zip((channels, units[0]), units, strict=True)
        )
        shape = (batch, *geometry.output_size(*size), 4 * units[1])
        output = self.graph.add_tensor("map", shape, np.int8, OUTPUT)
        inputs = [self.value, *add_cells(self.graph, cells)]
        operator = self.graph.make_operator("RNNPool", inputs, [output])
        options = flexbuffers.Dumps(pool_options(geometry) | gates_options(gates))
        operator.customOptions = np.frombuffer(options, np.uint8)
        self.graph.operators.append(operator)
        self.value = output
        self.parts.append(f"pool{pool[0]}x{pool[1]}s{strides[0]}")

    def block(self) -> None:
        """Adds an inverted residual of any kind."""
        rng, x = self.rng, self.value
        size = self.shape[1:3]
        kernel = tuple(int(k) for k in rng.choice([1, 2, 3, 3, 3, 4, 5, 7], 2))
        strides = tuple(int(s) for s in rng.choice([1, 1, 2, 3], 2))
        residual = bool(rng.random() < 0.4)
        expands = bool(rng.random() < 0.75) or self.shape[3] == 1
        padding = self._padding(kernel)
        if residual:
            kernel, strides, padding = (kernel[0], 3), (1, 1), "SAME"
            if rng.random() < 0.3:  # PAD and VALID instead
                padding = tuple(((k - 1) // 2, k // 2) for k in kernel)
        elif padding == "VALID" and any(k > n for k, n in zip(kernel, size, strict=True)):
            padding = "SAME"
        if expands:
            self.convolution(int(rng.choice([2, 5, 9, 16])))
        self.convolution(None, kernel, strides, padding)
        outputs = self.graph.shape(x)[3] if residual else int(rng.choice([3, 6, 10]))
        self.convolution(outputs, activation="NONE")
        if residual:
            self.add(x)
        self.parts.append(
            f"block{kernel[0]}x{kernel[1]}s{strides[0]}{'e' if expands else ''}"
            f"{'r' if residual else ''}{'' if isinstance(padding, str) else 'p'}"
        )

    def add(self, other: int) -> None:
        """Adds another tensor, in any order."""
        activation = str(self.rng.choice(ACTIVATIONS))
        quantization = random_quantization(self.rng, activation=activation)
        smallest = max(self.quantization.scale, self.graph.quantization(other).scale)
        quantization = quantization._replace(scale=float(np.float32(smallest * 1.5)))
        total = self.graph.add_tensor("sum", self.shape, np.int8, quantization)
        terms = [self.value, other] if self.rng.random() < 0.5 else [other, self.value]
        options = schema.AddOptionsT()
        options.fusedActivationFunction = getattr(schema.ActivationFunctionType, activation)
        self.append("ADD", terms, total, options, version=2)

    def mean(self, keep_dimensions: bool, rescale: bool) -> None:
        """Adds a mean over height and width."""
        batch, _, _, channels = self.shape
        shape = (batch, 1, 1, channels) if keep_dimensions else (batch, channels)
        quantization = random_quantization(self.rng) if rescale else self.quantization
        output = self.graph.add_tensor("mean", shape, np.int8, quantization)
        axes = self.graph.add_constant("axes", np.array([1, 2], np.int32))
        options = schema.ReducerOptionsT()
        options.keepDims = keep_dimensions
        self.append("MEAN", [self.value, axes], output, options, version=2)
        self.parts.append("mean" + "k" * keep_dimensions)

    def dense(self, units: int) -> None:
        """Adds a fully connected layer on the flattened value."""
        inputs = int(np.prod(self.shape[1:]))
        layer = random_layer(self.rng, (units, 1, 1, inputs), units, self.quantization, "usual")
        weights = self.graph.add_constant(
            "weights", layer.weights.reshape(units, inputs), Quantization(float(layer.scales[0]), 0)
        )
        bias = self.graph.add_constant("bias", layer.bias.astype(np.int32))
        shape = (self.shape[0], units)
        output = self.graph.add_tensor("logits", shape, np.int8, layer.output)
        options = schema.FullyConnectedOptionsT()
        self.append("FULLY_CONNECTED", [self.value, weights, bias], output, options, version=4)
        self.parts.append("dense")

    def append(self, name: str, inputs: list[int], output: int, options, version: int) -> None:
        """Adds a builtin operator with its options; its output is the new value."""
        operator = self.graph.make_operator(name, inputs, [output], version)
        operator.builtinOptions = options
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])
        self.graph.operators.append(operator)
        self.value = output

    def _padding(self, kernel: tuple[int, int]):
        """Any padding with which every window begins inside the map or before it."""
        if self.rng.random() < 0.4:
            pads = []
            for n, k in zip(self.shape[1:3], kernel, strict=True):
                before = int(self.rng.integers(0, k))
                missing = max(0, k - n - before)
                pads.append((before, int(self.rng.integers(missing, max(k, missing + 1)))))
            return tuple(pads)
        fits = all(k <= n for k, n in zip(kernel, self.shape[1:3], strict=True))
        return str(self.rng.choice(["SAME", "VALID"])) if fits else "SAME"

    def _with_limits_inside(self, layer: Layer) -> Layer:
        """The layer with an output scale at which both limits of its activation cut something."""
        scale = float(np.float32(self.rng.uniform(0.8, 3) * 6 / 255))
        factor = np.float32(scale / layer.output.scale)
        return replace(
            layer, output=layer.output._replace(scale=scale), scales=layer.scales * factor
        )

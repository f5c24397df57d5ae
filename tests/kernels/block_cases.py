"""Random inverted residuals: as quantised tensors, as the unfused .tflite, as the core's numbers.

A case is made of what a .tflite file holds (scales, zero points, weights, biases); multipliers and
folded biases are derived here as TensorFlow Lite derives them, in exact arithmetic.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from rnnpool_tf.conversion.flatbuffer import Graph, Quantization
from tests.kernels.fused_core import Block, Stage, Sum

# What the requantisation of a convolution meets.
CHARACTERS = ("usual", "ties", "saturating", "mixed")
ACTIVATIONS = ("NONE", "RELU", "RELU6")


def quantize_multiplier(real: float) -> tuple[int, int]:
    """A factor >= 0 as (multiplier in Q31, shift); factors below 2^-32 are 0."""
    fraction, shift = math.frexp(real)
    multiplier = math.floor(fraction * 2**31 + 0.5)
    if multiplier == 2**31:
        multiplier, shift = 2**30, shift + 1
    return (multiplier, shift) if shift >= -31 else (0, 0)


@dataclass(frozen=True)
class Layer:
    """A quantised convolution as in the model file; the bias's scale is the product of both."""

    weights: np.ndarray  # full [out, kh, kw, in], depthwise [1, kh, kw, channels]
    bias: np.ndarray
    input: Quantization
    scales: np.ndarray
    output: Quantization
    activation: str

    @property
    def depthwise(self) -> bool:
        return len(self.weights) == 1 and self.bias.size == self.weights.shape[3]

    @property
    def limits(self) -> tuple[int, int, int]:
        """Zero point, min and max of the output."""
        low, high = -128, 127
        scale, zero_point = self.output
        if self.activation != "NONE":
            low = max(low, zero_point)
        if self.activation == "RELU6":
            six = math.floor(float(np.float32(6) / np.float32(scale)) + 0.5)
            high = min(high, zero_point + six)
        return zero_point, low, high

    @property
    def params(self) -> np.ndarray:
        axes = (0, 1, 2) if self.depthwise else (1, 2, 3)
        sums = self.weights.astype(np.int64).sum(axes)
        factors = [
            quantize_multiplier(self.input.scale * float(s) / self.output.scale)
            for s in self.scales
        ]
        folded = self.bias - self.input.zero_point * sums
        return np.stack([folded, *np.array(factors).T]).astype(np.int32)


def pads_of(padding, shape, kernel, strides) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)) of "SAME", "VALID" or explicit padding."""
    if not isinstance(padding, str):
        return padding
    pads = []
    for size, k, s in zip(shape, kernel, strides, strict=False):
        total = max((-(-size // s) - 1) * s + k - size, 0) if padding == "SAME" else 0
        pads.append((total // 2, total - total // 2))
    return pads[0], pads[1]


@dataclass(frozen=True)
class Case:
    """An inverted residual with PAD, SAME or VALID in front of its depthwise convolution."""

    name: str
    shape: tuple[int, int, int]
    expand: Layer | None
    filter: Layer
    project: Layer
    strides: tuple[int, int]
    padding: str | tuple[tuple[int, int], tuple[int, int]]  # "SAME", "VALID" or explicit
    sum: Quantization | None = None
    sum_activation: str = "NONE"
    rng: np.random.Generator = field(compare=False, default_factory=np.random.default_rng)

    @property
    def input(self) -> Quantization:
        return (self.filter if self.expand is None else self.expand).input

    @property
    def pads(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """((top, bottom), (left, right))."""
        return pads_of(self.padding, self.shape, self.filter.weights.shape[1:3], self.strides)

    @property
    def out_size(self) -> tuple[int, int]:
        kernel = self.filter.weights.shape[1:3]
        return tuple(
            (size + sum(pad) - k) // s + 1
            for size, pad, k, s in zip(self.shape, self.pads, kernel, self.strides, strict=False)
        )

    def block(self) -> Block:
        """What the core is given."""
        return Block(
            shape=self.shape,
            zero_point=self.input.zero_point,
            expand=None if self.expand is None else _stage(self.expand, (-1, self.shape[2])),
            filter=_stage(self.filter, self.filter.weights.shape[1:]),
            project=_stage(self.project, (-1, self.project.weights.shape[3])),
            strides=self.strides,
            pads=(self.pads[0][0], self.pads[1][0]),
            out_size=self.out_size,
            sum=None if self.sum is None else self._sum(),
        )

    def _sum(self) -> Sum:
        x, y = self.input.scale, self.project.output.scale
        twice = 2 * max(x, y)
        limits = Layer(
            self.project.weights,
            self.project.bias,
            self.input,
            self.project.scales,
            self.sum,
            self.sum_activation,
        ).limits
        return Sum(
            quantize_multiplier(x / twice),
            quantize_multiplier(y / twice),
            quantize_multiplier(twice / (2**20 * self.sum.scale)),
            limits,
        )

    def model(self, batch: int) -> bytes:
        """The unfused .tflite of this block."""
        graph, x = new_graph((batch, *self.shape), self.input)
        value, size = x, self.shape[:2]
        if self.expand is not None:
            value = add_convolution(graph, self.expand, value, (batch, *size), (1, 1), "VALID")
        if not isinstance(self.padding, str):
            value = add_pad(graph, value, self.pads, self.filter.input)
        padding = self.padding if isinstance(self.padding, str) else "VALID"
        size = self.out_size
        value = add_convolution(graph, self.filter, value, (batch, *size), self.strides, padding)
        value = add_convolution(graph, self.project, value, (batch, *size), (1, 1), "VALID")
        if self.sum is not None:
            total = graph.add_tensor("sum", (batch, *self.shape), np.int8, self.sum)
            add = graph.make_operator("ADD", [x, value], [total], version=2)
            options = schema.AddOptionsT()
            options.fusedActivationFunction = _activation(self.sum_activation)
            _set_options(add, options)
            graph.operators.append(add)
            value = total
        graph.subgraph.outputs = np.array([value], np.int32)
        return graph.to_bytes()

    def inputs(self, batch: int = 1) -> np.ndarray:
        """Random maps; a few values stand at the ends of int8."""
        x = self.rng.integers(-128, 128, (batch, *self.shape))
        ends = self.rng.random(x.shape) < 0.2
        return np.where(ends, self.rng.choice([-128, 127], x.shape), x).astype(np.int8)


def run_reference(model: bytes, x: np.ndarray) -> np.ndarray:
    """The model's output by LiteRT's reference kernels."""
    interpreter = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def _stage(layer: Layer, shape: tuple[int, ...]) -> Stage:
    return Stage(layer.weights.reshape(shape), layer.params, layer.limits)


def _activation(name: str) -> int:
    return getattr(schema.ActivationFunctionType, name)


def _set_options(operator: schema.OperatorT, options) -> None:
    operator.builtinOptions = options
    operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__[:-1])


def new_graph(shape: tuple[int, ...], quantization: Quantization) -> tuple[Graph, int]:
    """A graph without operators, and its input."""
    model = schema.ModelT()
    model.version = 3
    model.operatorCodes = []
    model.buffers = [schema.BufferT()]
    model.subgraphs = [schema.SubGraphT()]
    subgraph = model.subgraphs[0]
    subgraph.tensors, subgraph.operators = [], []
    graph = Graph(model)
    x = graph.add_tensor("x", shape, np.int8, quantization)
    subgraph.inputs = np.array([x], np.int32)
    return graph, x


def add_pad(graph: Graph, value: int, pads, quantization: Quantization) -> int:
    """Pads a map by ((top, bottom), (left, right)); returns the padded one."""
    batch, height, width, channels = graph.shape(value)
    paddings = np.array([(0, 0), *pads, (0, 0)], np.int32)
    shape = (batch, height + sum(pads[0]), width + sum(pads[1]), channels)
    padded = graph.add_tensor("padded", shape, np.int8, quantization)
    inputs = [value, graph.add_constant("pads", paddings)]
    pad = graph.make_operator("PAD", inputs, [padded], version=2)
    _set_options(pad, schema.PadOptionsT())
    graph.operators.append(pad)
    return padded


def add_convolution(graph, layer: Layer, value: int, shape, strides, padding: str) -> int:
    """Applies a layer; `shape` is [batch, height, width] of its output, which is returned."""
    weights = graph.add_constant("weights", layer.weights)
    _set_channel_scales(graph, weights, layer.scales, 3 if layer.depthwise else 0)
    bias = graph.add_constant("bias", layer.bias.astype(np.int32))
    scales = layer.scales * np.float32(layer.input.scale)
    _set_channel_scales(graph, bias, scales.astype(np.float32), 0)
    output = graph.add_tensor("y", (*shape, layer.bias.size), np.int8, layer.output)
    name = "DEPTHWISE_CONV_2D" if layer.depthwise else "CONV_2D"
    operator = graph.make_operator(name, [value, weights, bias], [output], version=3)
    options = schema.DepthwiseConv2DOptionsT() if layer.depthwise else schema.Conv2DOptionsT()
    if layer.depthwise:
        options.depthMultiplier = 1
    options.strideH, options.strideW = strides
    options.padding = getattr(schema.Padding, padding)
    options.fusedActivationFunction = _activation(layer.activation)
    _set_options(operator, options)
    graph.operators.append(operator)
    return output


def _set_channel_scales(graph: Graph, index: int, scales: np.ndarray, dimension: int) -> None:
    parameters = schema.QuantizationParametersT()
    parameters.scale = scales.astype(np.float32)
    parameters.zeroPoint = np.zeros(len(scales), np.int64)
    parameters.quantizedDimension = dimension
    graph.tensors[index].quantization = parameters


def _scale(value: float) -> float:
    return float(np.float32(value))


def random_quantization(
    rng: np.random.Generator, ties: bool = False, activation: str = "NONE"
) -> Quantization:
    """Any zero point, its ends often, but one that leaves the activation something to pass.

    With `ties` the scale is a power of two.
    """
    scale = 2.0 ** rng.integers(-8, 0) if ties else 10 ** rng.uniform(-2.5, 0)
    largest = 127 if activation == "NONE" else 0
    zero_point = rng.choice([-128, largest, *rng.integers(-128, largest + 1, 3)])
    return Quantization(_scale(scale), int(zero_point))


def random_layer(
    rng: np.random.Generator,
    weights_shape: tuple[int, ...],
    channels: int,
    given: Quantization,
    character: str,
    activation: str | None = None,
) -> Layer:
    """A convolution whose accumulators are scaled as `character` says; any activation."""
    activation = activation or str(rng.choice(ACTIVATIONS))
    weights = rng.integers(-127, 128, weights_shape)
    if rng.random() < 0.2:
        weights = np.where(rng.random(weights_shape) < 0.5, 127, -127)
    terms = weights.size // channels
    output = random_quantization(rng, character == "ties", activation)
    spread = 64.0 * 64.0 * math.sqrt(terms)  # of the accumulators
    usual = 40 / spread * 2.0 ** rng.uniform(-1, 1, channels)
    factors = {
        "usual": usual,
        "ties": 2.0 ** np.round(np.log2(usual)),
        # Accumulators stay below 2^31 after a left shift of up to 3.
        "saturating": usual * 2.0 ** rng.uniform(0, 3 - np.log2(usual), channels),
        "tiny": 2.0 ** rng.uniform(-34, -16, channels),
    }
    factors["mixed"] = np.choose(rng.integers(0, 4, channels), list(factors.values()))
    bias = rng.integers(-int(spread), int(spread) + 1, channels)
    # Powers of two stay powers of two: ties remain ties.
    scales = (factors[character] * output.scale / given.scale).astype(np.float32)
    return Layer(
        weights.astype(np.int8),
        bias.astype(np.int64),
        given,
        scales,
        output,
        activation,
    )


def ordinary_case(seed: int, shape, expanded: int, outputs: int, strides, residual: bool) -> Case:
    """A block of MobileNetV2: 3x3, SAME, ReLU6 where it has one."""
    rng = np.random.default_rng(seed)
    given = random_quantization(rng)

    def layer(weights_shape, channels, given, activation):
        return random_layer(rng, weights_shape, channels, given, "usual", activation)

    expand = layer((expanded, 1, 1, shape[2]), expanded, given, "RELU6")
    filtered = layer((1, 3, 3, expanded), expanded, expand.output, "RELU6")
    project = layer((outputs, 1, 1, expanded), outputs, filtered.output, "NONE")
    total = random_quantization(rng) if residual else None
    name = f"seed{seed}-{'x'.join(map(str, shape))}"
    return Case(name, shape, expand, filtered, project, strides, "SAME", total, "NONE", rng)


def random_case(seed: int) -> Case:
    """Shapes, strides, kernels, paddings and arithmetic drawn from one seed."""
    rng = np.random.default_rng(seed)
    character = CHARACTERS[seed % len(CHARACTERS)]
    size = tuple(int(rng.choice([1, 2, 3, rng.integers(4, 14)])) for _ in range(2))
    channels = int(rng.choice([1, 3, 4, 8, 17, 32]))
    kernel = tuple(int(k) for k in rng.choice([1, 2, 3, 3, 3, 4, 5, 7], 2))
    strides = tuple(int(s) for s in rng.choice([1, 1, 2, 3], 2))
    residual = bool(rng.random() < 0.4)
    if residual:
        strides, padding = (1, 1), "SAME"
    elif rng.random() < 0.5:
        # Every window begins inside the map or before it, and there is at least one.
        pads = []
        for extent, k in zip(size, kernel, strict=True):
            before = int(rng.integers(0, k))
            missing = max(0, k - extent - before)
            after = int(rng.integers(missing, max(k, missing + 1)))
            pads.append((before, after))
        padding = tuple(pads)
    else:
        fits = all(k <= extent for k, extent in zip(kernel, size, strict=True))
        padding = str(rng.choice(["SAME", "VALID"])) if fits else "SAME"
    given = random_quantization(rng, character == "ties")
    expand = None
    expanded = channels
    if rng.random() < 0.75:
        expanded = int(rng.choice([1, 2, 5, 16, 24, 33, 48]))
        expand = random_layer(rng, (expanded, 1, 1, channels), expanded, given, character)
    filtered = random_layer(
        rng, (1, *kernel, expanded), expanded, given if expand is None else expand.output, character
    )
    outputs = channels if residual else int(rng.choice([1, 3, 6, 16, 18, 40]))
    project = random_layer(rng, (outputs, 1, 1, expanded), outputs, filtered.output, character)
    activation = str(rng.choice(ACTIVATIONS))
    total = random_quantization(rng, character == "ties", activation)
    shape = (*size, channels)
    name = (
        f"seed{seed}-{character}-{'x'.join(map(str, shape))}-k{kernel[0]}x{kernel[1]}"
        f"-s{strides[0]}{strides[1]}-{padding if isinstance(padding, str) else 'pad'}"
        f"{'-residual' if residual else ''}{'' if expand else '-unexpanded'}"
    )
    return Case(
        name,
        shape,
        expand,
        filtered,
        project,
        strides,
        padding,
        total if residual else None,
        activation,
        rng,
    )

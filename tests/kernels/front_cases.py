"""Random fronts: as front images, and what they compute by LiteRT's reference kernels and NumPy."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rnnpool_tf.conversion.flatbuffer import Quantization
from rnnpool_tf.conversion.front_image import FrontImage, write_front_image
from rnnpool_tf.conversion.fusion.fused_layers import Convolution, ConvRNNPool, InvertedResidual
from rnnpool_tf.conversion.fusion.stage import OutputRange, Stage, Window
from rnnpool_tf.gates import KINDS, SMOOTH
from rnnpool_tf.geometry import PADDINGS, Geometry
from rnnpool_tf.integer import IntegerCell, rnnpool_int8
from tests.kernels import block_cases
from tests.kernels.block_cases import CHARACTERS, Layer, pads_of, random_layer, random_quantization

POOL_OUTPUT = Quantization(1 / 128, 0)


@dataclass(frozen=True)
class Step:
    """A convolution of a map [height, width, channels], with PAD, SAME or VALID."""

    layer: Layer
    shape: tuple[int, int, int]
    strides: tuple[int, int]
    padding: str | tuple[tuple[int, int], tuple[int, int]]

    @property
    def kernel(self) -> tuple[int, int]:
        return self.layer.weights.shape[1:3]

    @property
    def pads(self) -> tuple[tuple[int, int], tuple[int, int]]:
        return pads_of(self.padding, self.shape, self.kernel, self.strides)

    @property
    def out_shape(self) -> tuple[int, int, int]:
        size = (
            (extent + sum(pad) - k) // s + 1
            for extent, pad, k, s in zip(
                self.shape, self.pads, self.kernel, self.strides, strict=False
            )
        )
        return (*size, self.layer.bias.size)

    def convolution(self) -> Convolution:
        pads = self.pads[0][0], self.pads[1][0]
        stage = _stage(self.layer, self.layer.weights.shape[self.layer.depthwise :])
        return Convolution(stage, Window(self.kernel, self.strides, pads, self.out_shape[:2]))


@dataclass(frozen=True)
class Case:
    """Convolutions, RNNPool, inverted residuals without a sum."""

    name: str
    shape: tuple[int, int, int]
    input: Quantization
    steps: list[Step]
    geometry: Geometry
    cells: tuple[IntegerCell, IntegerCell]
    blocks: list[block_cases.Case]
    table: np.ndarray | None
    rng: np.random.Generator = field(compare=False)

    @property
    def pool_input(self) -> Quantization:
        return self.steps[-1].layer.output if self.steps else self.input

    @property
    def pool_shape(self) -> tuple[int, int, int]:
        """Of what RNNPool is applied to."""
        return self.steps[-1].out_shape if self.steps else self.shape

    @property
    def pooled_shape(self) -> tuple[int, int, int]:
        """Of RNNPool's output."""
        return (*self.geometry.output_size(*self.pool_shape[:2]), 4 * self.cells[1].units)

    def stem(self) -> ConvRNNPool:
        return ConvRNNPool(
            name=self.name,
            input_shape=(1, *self.shape),
            output_shape=(1, *self.pooled_shape),
            input_zero_point=self.input.zero_point,
            convolutions=tuple(step.convolution() for step in self.steps),
            geometry=self.geometry,
            pool_input=self.pool_input,
            cell1=self.cells[0],
            cell2=self.cells[1],
        )

    def image(self) -> bytes:
        return write_front_image(
            FrontImage(self.stem(), tuple(map(_inverted_residual, self.blocks)), self.table)
        )

    def inputs(self, batch: int = 1) -> np.ndarray:
        """Random pictures; a few values stand at the ends of int8."""
        x = self.rng.integers(-128, 128, (batch, *self.shape))
        ends = self.rng.random(x.shape) < 0.2
        return np.where(ends, self.rng.choice([-128, 127], x.shape), x).astype(np.int8)

    def convolved(self, x: np.ndarray) -> np.ndarray:
        """What RNNPool is applied to, by LiteRT's reference kernels."""
        if not self.steps:
            return x
        graph, value = block_cases.new_graph(x.shape, self.input)
        for step in self.steps:
            padding = step.padding
            if not isinstance(padding, str):
                value = block_cases.add_pad(graph, value, step.pads, step.layer.input)
                padding = "VALID"
            shape = (len(x), *step.out_shape[:2])
            value = block_cases.add_convolution(
                graph, step.layer, value, shape, step.strides, padding
            )
        graph.subgraph.outputs = np.array([value], np.int32)
        return block_cases.run_reference(graph.to_bytes(), x)

    def pooled(self, x: np.ndarray) -> np.ndarray:
        """RNNPool's output, by the integer model."""
        return rnnpool_int8(self.convolved(x), *self.pool_input, *self.cells, self.geometry)

    def map(self, x: np.ndarray) -> np.ndarray:
        """The last block's output."""
        value = self.pooled(x)
        for block in self.blocks:
            value = block_cases.run_reference(block.model(len(x)), value)
        return value


def _stage(layer: Layer, shape: tuple[int, ...]) -> Stage:
    return Stage(layer.weights.reshape(shape), layer.params, OutputRange(*layer.limits))


def _inverted_residual(block: block_cases.Case) -> InvertedResidual:
    expand, depthwise, project = block.expand, block.filter, block.project
    pads = block.pads[0][0], block.pads[1][0]
    channels = depthwise.weights.shape[3]
    outputs = len(project.weights)
    return InvertedResidual(
        name=block.name,
        input_shape=(1, *block.shape),
        output_shape=(1, *block.out_size, outputs),
        input_zero_point=block.input.zero_point,
        expand=None if expand is None else _stage(expand, (channels, block.shape[2])),
        depthwise=_stage(depthwise, depthwise.weights.shape[1:]),
        project=_stage(project, (outputs, channels)),
        window=Window(depthwise.weights.shape[1:3], block.strides, pads, block.out_size),
        residual=None,
    )


def _padding(rng: np.random.Generator, size, kernel):
    """SAME, VALID if it fits, or anything else that leaves a window."""
    fits = all(k <= extent for k, extent in zip(kernel, size, strict=True))
    kind = rng.choice(["SAME", "VALID" if fits else "SAME", "explicit"])
    if kind != "explicit":
        return str(kind)
    pads = []
    for extent, k in zip(size, kernel, strict=True):
        before = int(rng.integers(0, k))
        missing = max(0, k - extent - before)
        pads.append((before, int(rng.integers(missing, max(k, missing + 1)))))
    return tuple(pads)


def random_step(rng, shape, given: Quantization, character: str, large: bool = False) -> Step:
    """A convolution of a map of this shape; with `large`, kernels up to 11 and many channels."""
    kernels, outputs = ([1, 2, 3, 3, 3, 5], [1, 2, 4, 5, 8])
    if large:
        kernels, outputs = ([1, 3, 4, 7, 9, 11], [1, 3, 16, 19, 33])
    kernel = tuple(int(k) for k in rng.choice(kernels, 2))
    strides = tuple(int(s) for s in rng.choice([1, 1, 2, 3], 2))
    if rng.random() < 0.15:
        kernel = (1, 1)
    channels = shape[2]
    # A depthwise convolution of one channel is a full one as well, and written as such.
    depthwise = channels > 1 and rng.random() < 0.3
    count = channels if depthwise else int(rng.choice(outputs))
    weights = (1, *kernel, channels) if depthwise else (count, *kernel, channels)
    if not depthwise and count == 1 and channels == 1:
        weights, count = (2, *kernel, 1), 2
    padding = _padding(rng, shape[:2], kernel)
    if shape[0] * shape[1] > 36 and (large or rng.random() < 0.1):
        # Explicit padding may be as wide as the kernel: whole rows of windows see nothing else.
        padding = tuple((k, k) for k in kernel)
    return Step(random_layer(rng, weights, count, given, character), shape, strides, padding)


def _cell(
    rng: np.random.Generator, inputs: int, units: int, unit: float, gates: str = SMOOTH
) -> IntegerCell:
    """A cell whose gates are neither shut nor open most of the time; `unit`: of its input."""

    def matrix(columns, step):
        weights = rng.integers(-127, 128, (units, columns)).astype(np.int8)
        scale = 2.0 ** rng.uniform(-1, 1, units if rng.integers(2) else ()) * step
        return weights, np.asarray(scale / np.sqrt(columns), np.float32)

    biases = np.round(rng.normal(0, 1, (2, units)) * 2**26).astype(np.int32)
    return IntegerCell(*matrix(inputs, 1 / (73 * unit)), *matrix(units, 1 / 73), *biases, gates)


def _pool(rng: np.random.Generator, size) -> Geometry:
    padding = str(rng.choice(PADDINGS))
    pools, strides = [], []
    for extent in size:
        pool = int(rng.integers(1, 7 if padding == "same" else min(extent, 6) + 1))
        pools.append(pool)
        strides.append(int(rng.choice([1, max(1, pool - 2), pool, pool + 1])))
    return Geometry(tuple(pools), tuple(strides), padding)


def _block(rng, name: str, shape, given: Quantization, character: str) -> block_cases.Case:
    kernel = tuple(int(k) for k in rng.choice([1, 2, 3, 3, 5], 2))
    channels, expand = shape[2], None
    before = given
    if rng.random() < 0.7:
        channels = int(rng.choice([2, 5, 16, 24]))
        expand = random_layer(rng, (channels, 1, 1, shape[2]), channels, given, character)
        before = expand.output
    filtered = random_layer(rng, (1, *kernel, channels), channels, before, character)
    outputs = int(rng.choice([2, 3, 8, 16]))
    project = random_layer(rng, (outputs, 1, 1, channels), outputs, filtered.output, character)
    strides = tuple(int(s) for s in rng.choice([1, 2], 2))
    padding = _padding(rng, shape[:2], kernel)
    return block_cases.Case(
        name, shape, expand, filtered, project, strides, padding, None, "NONE", rng
    )


def random_case(seed: int, channels: int | None = None, table: bool | None = None) -> Case:
    """A front drawn from a seed; picture channels and whether it has a pixel table may be given."""
    rng = np.random.default_rng([11, seed])
    character = CHARACTERS[seed % len(CHARACTERS)]
    size = tuple(int(rng.integers(3, 24)) for _ in range(2))
    shape = (*size, channels or int(rng.choice([1, 3, 3, 4])))
    given = random_quantization(rng, character == "ties")
    steps: list[Step] = []
    current, quantization = shape, given
    for _ in range(seed % 5):
        steps.append(random_step(rng, current, quantization, character))
        current, quantization = steps[-1].out_shape, steps[-1].layer.output
    geometry = _pool(rng, current[:2])
    h1, h2 = (int(units) for units in rng.choice([1, 3, 4, 8], 2))
    # Activations of RNNPool's input spread over some 64 steps.
    gates = KINDS[seed % 3 == 0]
    cells = (
        _cell(rng, current[2], h1, 64 * quantization.scale, gates),
        _cell(rng, h1, h2, 0.5, gates),
    )
    blocks: list[block_cases.Case] = []
    current, quantization = (*geometry.output_size(*current[:2]), 4 * h2), POOL_OUTPUT
    for number in range(int(rng.integers(3))):
        blocks.append(_block(rng, f"block{number}", current, quantization, "usual"))
        current = (*blocks[-1].out_size, len(blocks[-1].project.weights))
        quantization = blocks[-1].project.output
    pixel_table = None
    if rng.integers(2) if table is None else table:
        pixel_table = rng.integers(-128, 128, (shape[2], 256)).astype(np.int8)
    name = (
        f"seed{seed}-{character}-{'x'.join(map(str, shape))}-{len(steps)}conv"
        f"-{geometry.padding}-{len(blocks)}block-{gates}"
    )
    return Case(name, shape, given, steps, geometry, cells, blocks, pixel_table, rng)


def convolution_case(seed: int) -> Case:
    """One convolution, of kernels up to 11 and many channels, before an RNNPool of 1×1 patches."""
    rng = np.random.default_rng([12, seed])
    character = CHARACTERS[seed % len(CHARACTERS)]
    sizes = (int(rng.choice([1, 2, 5, rng.integers(6, 20)])) for _ in range(2))
    shape = (*sizes, int(rng.choice([1, 2, 3, 8, 17, 32])))
    given = random_quantization(rng, character == "ties")
    step = random_step(rng, shape, given, character, large=bool(seed // len(CHARACTERS) % 2))
    cells = _cell(rng, step.out_shape[2], 1, 64 * step.layer.output.scale), _cell(rng, 1, 1, 0.5)
    name = f"seed{seed}-{character}-{shape}-{step.kernel}-{step.strides}-{step.padding}"
    return Case(name, shape, given, [step], Geometry((1, 1), (1, 1)), cells, [], None, rng)


def visual_wake_words_stem(size: int = 224) -> Case:
    """The stem of the paper's Visual Wake Words network with its RNNPool."""
    rng = np.random.default_rng([13, size])
    shape, given = (size, size, 3), Quantization(1 / 128, 0)
    layer = random_layer(rng, (8, 3, 3, 3), 8, given, "usual", "RELU6")
    step = Step(layer, shape, (2, 2), "SAME")
    cells = _cell(rng, 8, 8, 64 * layer.output.scale), _cell(rng, 8, 8, 0.5)
    geometry = Geometry((6, 6), (4, 4), "replicate")
    return Case(f"stem{size}", shape, given, [step], geometry, cells, [], None, rng)

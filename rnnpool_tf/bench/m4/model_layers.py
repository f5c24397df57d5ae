"""`rnnpool bench m4 --model`: the RNNPool layers of a model file on an emulated Cortex-M4."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from rnnpool_tf.bench.m4.bench import measure_cases
from rnnpool_tf.bench.m4.cases import Int8Case
from rnnpool_tf.bench.m4.firmware import OPTIMISATION
from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.conversion.fusion.fused_operators import (
    CONV_RNNPOOL,
    read_fused,
    rnnpool_layers,
)
from rnnpool_tf.conversion.rnnpool_op import RNNPoolOperator, packed_matrices, read_cells

SEED = 1


def measure_model(
    model: str | os.PathLike | bytes, path: str = "dsp", optimisation: str = OPTIMISATION
) -> list[dict]:
    """Counts the instructions of every RNNPool layer of an int8 .tflite file.

    Layers run with the weights and the map sizes of the file, on one map of random values, which
    are seeded. Of a `ConvRNNPool` operator only its RNNPool part runs, on what the last
    convolution would give. As in `rnnpool_tf.bench.m4.bench.measure`, every output is compared
    with the integer model's.

    Args:
        model: Path of the file, or its bytes.
        path: "dsp", "portable" or "both".
        optimisation: The compiler's level, "-O3", "-O2" or "-Os".

    Returns:
        A dict per layer and path: those of `rnnpool_tf.bench.m4.bench.measure`, with "shape", the
        layer's dimensions as text.

    Raises:
        ValueError: Not an int8 model with RNNPool layers, or a damaged one.
        FileNotFoundError: No such file.
        EmulationError: A tool is missing, a build fails, an output is wrong, or a layer is too
            large for the emulated memory.

    Example::

        [(row["name"], row["instructions"]) for row in measure_model("vww.tflite")]
    """
    cases, shapes = model_cases(model)
    rows, _ = measure_cases(cases, path, optimisation)
    # All cases on one path, then all on the next.
    return [{**row, "shape": shapes[i % len(cases)]} for i, row in enumerate(rows)]


def shapes_text(rows: list[dict]) -> list[str]:
    """What the names in a table stand for, a line per layer."""
    return list(dict.fromkeys(f"{row['name']}: {row['shape']}" for row in rows))


def model_cases(model: str | os.PathLike | bytes) -> tuple[list[Int8Case], list[str]]:
    """The RNNPool layers of an int8 file as cases, with their dimensions as text.

    Raises:
        ValueError, FileNotFoundError: As `measure_model`.
    """
    data = bytes(model) if isinstance(model, (bytes, bytearray)) else Path(model).read_bytes()
    graph = Graph.from_bytes(data)
    layers = rnnpool_layers(graph)
    if not layers or not all(layer.quantized for layer in layers):
        kinds = ["int8" if layer.quantized else "float32" for layer in layers]
        raise ValueError(f"`model` must have RNNPool layers, all int8. Received: {kinds or 'none'}")
    rng = np.random.default_rng(SEED)
    cases = [_case(graph, layer, rng) for layer in layers]
    shapes = [
        f"{case.x.shape[1]}x{case.x.shape[2]} map, {layer.shape}"
        for case, layer in zip(cases, layers, strict=True)
    ]
    return cases, shapes


def _case(graph: Graph, layer: RNNPoolOperator, rng: np.random.Generator) -> Int8Case:
    inputs = [int(index) for index in layer.operator.inputs]
    if graph.name_of(layer.operator) == CONV_RNNPOOL:
        stem = read_fused(graph, layer.operator)
        size, pixels, cells = stem.pool_shape, stem.pool_input, (stem.cell1, stem.cell2)
        packed = stem.packed
    else:
        size, pixels = graph.shape(inputs[0])[1:], graph.quantization(inputs[0])
        cells = read_cells(graph, inputs[1:], pixels, layer.shape.channels, layer.shape.gates)
        packed = packed_matrices(graph, inputs[1:])
    x = rng.integers(-128, 128, (1, *size)).astype(np.int8)
    geometry = layer.shape.geometry
    return Int8Case(
        layer.layer, x, pixels.scale, pixels.zero_point, *cells, geometry, packed=packed
    )

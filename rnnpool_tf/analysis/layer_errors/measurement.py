"""`compare_layers()`: every tensor of an int8 model against the float model's."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnpool_tf.analysis.layer_errors.matching import INPUT, Match, match
from rnnpool_tf.conversion.flatbuffer import Graph, Quantization
from rnnpool_tf.conversion.fusion.fused_operators import CONV_RNNPOOL, INVERTED_RESIDUAL
from rnnpool_tf.conversion.model_bytes import is_tflite
from rnnpool_tf.runtime import Runtime

# What rounding to 8 bits leaves of values that are spread evenly over the range: 48.2 dB. An input
# that is better than that, or exact, counts as this good; else the first layer would always be the
# worst.
BEST_SQNR = 20 * math.log10(256)
_CHUNK = 16  # images at a time: every tensor of both models is in memory


@dataclass(frozen=True)
class LayerError:
    """How far a tensor of an int8 model is from the float model's.

    Attributes:
        layer: Of the network; of several that are fused into one operator, the last.
        operator: Type of the operator that computes it; "input" for the model's input.
        shape: Of one image's tensor, without the batch.
        scale: Real value of an int8 step.
        zero_point: The int8 value that means 0.
        sqnr_db: Signal to quantisation noise, 10 log10(Σ float² / Σ (float − int8)²) over all
            images, in dB. Infinite for an exact tensor; −infinite where the float one is zero.
        drop_db: By how much that is less than for the worst of the tensors it is computed from, in
            dB. Inputs better than 48.2 dB (8 bits), exact ones too, count as 48.2 dB. None for the
            model's input.
        saturated: Share of values, 0 to 1, that stand at an end of int8 because the float value
            lies more than half a step beyond it.
        largest_error: Largest |float − int8|, a real value.
    """

    layer: str
    operator: str
    shape: tuple[int, ...]
    scale: float
    zero_point: int
    sqnr_db: float
    drop_db: float | None
    saturated: float
    largest_error: float


def compare_layers(float_model, int8_model, images: np.ndarray) -> list[LayerError]:
    """Measures what int8 costs, layer by layer.

    Both models run on the images with TensorFlow Lite's reference kernels, whose rounding is a
    microcontroller's. A noisy layer shows as a large drop; what follows can only pass the noise on.
    But where a layer removes a large constant part of its input (BatchNormalization, folded into
    the convolution behind an RNNPool whose outputs vary little), the ratio drops there although the
    noise came in with the input.

    Args:
        float_model: Keras model or the path of one, or a float .tflite file (path or bytes).
        int8_model: int8 .tflite file (path or bytes) converted with fuse="none", because a fused
            operator keeps its inner tensors to itself; or a quantisation-aware Keras model. If that
            was trained further, its distance from `float_model` holds what the training changed.
        images: Inputs, float [N, …], scaled as for training. A few dozen are enough.

    Returns:
        One entry for every int8 tensor that has a counterpart in the float model, in the order of
        execution.

    Raises:
        ValueError: A model of the other kind, a fused one, two that have no layer in common, or
            images that do not fit.
        FileNotFoundError: No such file.

    Example:

    >>> data = rnnpool_tf.convert(model, calibration=images, fuse="none")
    >>> rows = rnnpool_tf.analysis.compare_layers(model, data, images[:50])
    >>> max(rows[1:], key=lambda row: row.drop_db).layer
    'block3_depthwise_relu'
    """
    images = np.asarray(images)
    if images.dtype.kind != "f" or images.ndim < 2 or not len(images):
        raise ValueError(
            "`images` must be a floating point array [N, …] with at least one image. "
            f"Received: {images.dtype}, shape={images.shape}"
        )
    reference = Graph.from_bytes(_tflite(float_model, "float_model", quantize=False))
    quantized = Graph.from_bytes(_tflite(int8_model, "int8_model", quantize=True))
    _check_kinds(reference, quantized)
    matches = match(reference, quantized)
    if all(not pair.sources for pair in matches):
        raise ValueError(
            "`float_model` and `int8_model` must be the same network: no layer of the one has a "
            f"namesake of the same size in the other. Received: {len(reference.operators)} and "
            f"{len(quantized.operators)} operators"
        )
    quantizations = [quantized.quantization(pair.tensor) for pair in matches]
    shapes = [quantized.shape(pair.tensor)[1:] for pair in matches]
    sums = [_Sums(quantization) for quantization in quantizations]
    real = _probe(reference, [pair.counterpart for pair in matches])
    stored = _probe(quantized, [pair.tensor for pair in matches])
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK]
        for one, wanted, found in zip(sums, real(chunk), stored(chunk), strict=True):
            one.add(wanted, found)
    return _rows(matches, sums, shapes)


class _Sums:
    """What is added up over the images for one tensor."""

    def __init__(self, quantization: Quantization):
        self.quantization = quantization
        self.signal = self.noise = self.largest = 0.0
        self.saturated = self.count = 0

    def add(self, real: np.ndarray, stored: np.ndarray) -> None:
        scale, zero_point = self.quantization
        wanted = real.astype(np.float64).ravel()
        found = (stored.astype(np.float64).ravel() - zero_point) * scale
        error = wanted - found
        self.signal += float(wanted @ wanted)
        self.noise += float(error @ error)
        self.largest = max(self.largest, float(np.abs(error).max()))
        beyond = np.where(stored.ravel() == 127, error, -error) > scale / 2
        at_an_end = (stored.ravel() == 127) | (stored.ravel() == -128)
        self.saturated += int(np.count_nonzero(beyond & at_an_end))
        self.count += error.size

    @property
    def sqnr_db(self) -> float:
        if self.noise == 0:
            return math.inf
        return 10 * math.log10(self.signal / self.noise) if self.signal else -math.inf


def _rows(matches: list[Match], sums: list[_Sums], shapes: list) -> list[LayerError]:
    sqnr = {pair.tensor: one.sqnr_db for pair, one in zip(matches, sums, strict=True)}
    rows = []
    for pair, one, shape in zip(matches, sums, shapes, strict=True):
        drop = None
        if pair.operator != INPUT:
            worst = min([BEST_SQNR, *(sqnr[source] for source in pair.sources)])
            drop = worst - min(one.sqnr_db, BEST_SQNR) if worst > -math.inf else 0.0
        rows.append(
            LayerError(
                pair.layer,
                pair.operator,
                shape,
                *one.quantization,
                one.sqnr_db,
                drop,
                one.saturated / one.count,
                one.largest,
            )
        )
    return rows


def _tflite(model, name: str, quantize: bool) -> bytes:
    if isinstance(model, bytes | bytearray):
        return bytes(model)
    if isinstance(model, str | os.PathLike):
        path = Path(model)
        if not path.exists():
            raise FileNotFoundError(f"`{name}` must be an existing model. Received: '{path}'")
        if is_tflite(path):
            return path.read_bytes()
    from rnnpool_tf.conversion.converter import convert

    return convert(model, quantize=quantize, fuse="none", plan="greedy")


def _check_kinds(reference: Graph, quantized: Graph) -> None:
    fused = {CONV_RNNPOOL, INVERTED_RESIDUAL}
    for name, graph, int8 in (
        ("float_model", reference, False),
        ("int8_model", quantized, True),
    ):
        operators = [graph.name_of(operator) for operator in graph.operators]
        found = sorted(fused.intersection(operators))
        if found:
            raise ValueError(
                f"`{name}` must be a file whose operators are not fused, because fused ones keep "
                'the tensors between them to themselves: convert with fuse="none" '
                f"(rnnpool convert --fuse none). Received: a file with {', '.join(found)}"
            )
        outputs = {graph.dtype(int(operator.outputs[0])) for operator in graph.operators}
        if (np.dtype(np.int8) in outputs) != int8:
            raise ValueError(
                f"`{name}` must be an {'int8' if int8 else 'unquantised, float32'} model. "
                f"Received: one that computes {', '.join(sorted(map(str, outputs))) or 'nothing'}"
            )
    if len(reference.inputs) != 1 or len(quantized.inputs) != 1:
        raise ValueError(
            "`float_model` and `int8_model` must have one input. "
            f"Received: {len(reference.inputs)} and {len(quantized.inputs)}"
        )


def _probe(graph: Graph, tensors: list[int]):
    """A function that runs a model and returns the values of some of its tensors."""
    wanted = list(dict.fromkeys(tensors))
    graph.model.signatureDefs = None  # it names other outputs
    graph.subgraph.outputs = np.array(wanted, np.int32)
    runtime = Runtime(graph.to_bytes(), reference_kernels=True)

    def run(images: np.ndarray) -> list[np.ndarray]:
        outputs = runtime.predict_quantized(images)
        values = dict(zip(wanted, [outputs] if len(wanted) == 1 else outputs, strict=True))
        return [values[tensor] for tensor in tensors]

    return run

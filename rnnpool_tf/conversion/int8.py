"""Folds DEQUANTIZE → RNNPool (float) → QUANTIZE into one int8 RNNPool operator.

The stock converter turns a quantisation-aware model into int8 operators, but knows nothing of
custom ones: it leaves them float between DEQUANTIZE and QUANTIZE. This pass gives every RNNPool
int8 tensors on both sides. Operators between the two that only move values (a RESHAPE that the
converter pulled in front of a QUANTIZE, say) or join them (CONCATENATION, whose inputs tfmot does
not fake-quantise) become int8 as well, and so does a MUL by constants: a BatchNormalization that no
convolution can take up, as in DenseNet, which calibration leaves float where the map has a second
reader.

Input scale and zero point are those of the tensor in front; the output grid is k/128. The matrices
of a quantisation-aware model are on their int8 grid already, put there by FakeQuant, and the pass
proves it. Those of a calibrated float model are rounded to int8, with a scale for every row: on
trained weights that loses less of the layer's output than one scale per matrix
(`tests/integer/test_integer_against_float.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from rnnpool_tf.conversion.flatbuffer import Graph, Quantization, input_indices, schema
from rnnpool_tf.conversion.rnnpool_op import (
    BIAS_QUANTIZATION,
    CONSTANTS,
    MATRICES,
    OP_NAME,
    OUTPUT_QUANTIZATION,
    layer_name,
)
from rnnpool_tf.integer import quantize_bias, quantize_weights

# Operators whose output holds values of their first input (PAD: and zeros), with the version of
# their type that has int8.
MOVING = {
    "EXPAND_DIMS": 1,
    "MAX_POOL_2D": 2,
    "PAD": 2,
    "RESHAPE": 1,
    "SLICE": 2,
    "SQUEEZE": 1,
    "STRIDED_SLICE": 2,
    "TRANSPOSE": 2,
}
_CONCATENATION_VERSION = 2
_MUL_VERSION = 2
_DEQUANTIZE_VERSION = 2
_REQUANTIZE_VERSION = 2

LARGEST_WEIGHT = 127
# In steps of the grid. FakeQuant computes q·scale + minimum in float32, which leaves up to 2e-5.
GRID_TOLERANCE = 1e-4
# Rows whose weights are all below this part of the matrix's largest are taken as zeros: a scale of
# their own might be smaller than the operator's arithmetic can hold.
_DEAD_ROW = 2.0**-24
# FakeQuant's own scale, (max − min) / 255 in float32, may be an ulp beside 1/128.
_SAME_SCALE = 1e-6


def fold(
    graph: Graph,
    scales: Mapping[str, Iterable[float]] | None = None,
    *,
    calibrated: bool = False,
) -> None:
    """Makes every RNNPool operator of `graph` int8, in place.

    Args:
        graph: What the stock converter made of a quantisation-aware model, or of a float one and
            representative data.
        scales: For each matrix of RNNPoolLayer ("kernel1", …) the scales it has in the layers of
            the model, in any order: `rnnpool_tf.compression.weight_scales`. Without them the
            scale is found from the values, see `weight_grid`.
        calibrated: The model was a float one: round its matrices.

    Raises:
        ValueError: A neighbour of an RNNPool operator is not quantised, a matrix is not on an
            int8 grid, a bias is out of range, or ζ and ν are trained. Names the layer.
    """
    _Fold(graph, scales or {}, calibrated).run()


def weight_grid(weights: np.ndarray, scales: Iterable[float] = ()) -> tuple[np.ndarray, np.float32]:
    """Finds the symmetric int8 grid that fake-quantised weights lie on.

    Tries the given scales, then every scale that puts the largest weight on a grid point (it need
    not be 127: FakeQuant's range is the one of the last training step). Any scale that fits is
    right: it reproduces every weight.

    Args:
        weights: Float weights of any shape, |w| ≤ 127 · scale.
        scales: Scales to try first.

    Returns:
        int8 weights and their float32 scale (1/127 when all are zero).

    Raises:
        ValueError: No scale fits.

    >>> weight_grid(np.array([0.25, -0.5, 0.0], np.float32))
    (array([  63, -126,    0], dtype=int8), np.float32(0.003968254))
    """
    largest = np.abs(weights).max()
    if largest == 0:
        return np.zeros(weights.shape, np.int8), np.float32(1 / LARGEST_WEIGHT)
    candidates = [*scales, *(largest / steps for steps in range(LARGEST_WEIGHT, 0, -1))]
    for scale in candidates:
        steps = weights.astype(np.float64) / np.float64(scale)
        whole = np.round(steps)
        # A scale far above the weights would round them all to zero, within the tolerance.
        in_range = 1 <= np.abs(whole).max() <= LARGEST_WEIGHT
        if in_range and np.abs(steps - whole).max() < GRID_TOLERANCE:
            return whole.astype(np.int8), np.float32(scale)
    raise ValueError(
        "the weights must lie on a symmetric int8 grid, as fake quantisation puts them. "
        f"Received: {weights.size} weights up to {largest:g} that no scale fits"
    )


def round_rows(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rounds a float matrix to int8, symmetric, with a scale for every row.

    Returns:
        int8 weights and float32 scales, [rows]; 1/127 for a row of zeros.

    Raises:
        ValueError: Not finite, or a weight of 32,512 and more.

    >>> round_rows(np.array([[0.5, -1.0], [0.0, 0.127]], np.float32))
    (array([[  64, -127],
           [   0,  127]], dtype=int8), array([0.00787402, 0.001     ], dtype=float32))
    """
    largest = np.abs(weights).max(axis=1, keepdims=True)
    return quantize_weights(np.where(largest < _DEAD_ROW * largest.max(), 0, weights), per_row=True)


class _Fold:
    """One run of the pass: walks the operators once, in execution order."""

    def __init__(self, graph: Graph, scales: Mapping[str, Iterable[float]], calibrated: bool):
        self.graph = graph
        self.scales = scales
        self.calibrated = calibrated
        self.consumers = graph.consumers()
        self.producers = graph.producers()
        self.int8_twin: dict[int, int] = {}  # float tensor: int8 tensor with the same values
        self.replaced: dict[int, int] = {}  # int8 tensor: the one that took its place
        self.pools = [op for op in graph.operators if graph.name_of(op) == OP_NAME]
        self.behind: dict[int, str] = {}  # float tensor that carries a layer's output: the layer
        self.between: set[int] = set()  # id() of the operators around RNNPool to make int8

    def run(self) -> None:
        for pool in self.pools:
            self._mark_before(int(pool.inputs[0]))
            self._mark_behind(int(pool.outputs[0]), layer_name(self.graph, pool))
        operators, self.graph.subgraph.operators = self.graph.operators, []
        for operator in operators:
            self._visit(operator)
        for output in self.graph.outputs:
            if output in self.behind:
                self._append("DEQUANTIZE", [self.int8_twin[output]], output, _DEQUANTIZE_VERSION)
        self.graph.replace_tensors(self.replaced)
        self.graph.remove_unused((*MOVING, "CONCATENATION", "DEQUANTIZE", "QUANTIZE"))

    def _mark_before(self, tensor: int) -> None:
        producer = self.producers.get(tensor)
        if producer is not None and self.graph.name_of(producer) in MOVING:
            self.between.add(id(producer))
            self._mark_before(int(producer.inputs[0]))

    def _mark_behind(self, tensor: int, layer: str) -> None:
        self.behind[tensor] = layer
        for reader in self.consumers.get(tensor, ()):
            name = self.graph.name_of(reader)
            if name in (*MOVING, "CONCATENATION") or self._multiplies(reader, tensor):
                self.between.add(id(reader))
                self._mark_behind(int(reader.outputs[0]), layer)

    def _multiplies(self, operator: schema.OperatorT, tensor: int) -> bool:
        """Whether it is a MUL of a tensor by constants whose result is wanted as int8 alone."""
        if self.graph.name_of(operator) != "MUL" or int(operator.inputs[0]) != tensor:
            return False
        readers = self.consumers.get(int(operator.outputs[0]), ())
        factor = self.graph.constant(int(operator.inputs[1]))
        return (
            factor is not None
            and factor.dtype == np.float32
            and bool(np.any(factor))
            and len(readers) > 0
            and all(self.graph.name_of(reader) == "QUANTIZE" for reader in readers)
        )

    def _visit(self, operator: schema.OperatorT) -> None:
        name = self.graph.name_of(operator)
        operators = self.graph.operators
        if name == OP_NAME:
            self._fold_pool(operator)
            operators.append(operator)
        elif id(operator) in self.between and name == "CONCATENATION":
            self._concatenate(operator)
        elif id(operator) in self.between and name == "MUL":
            self._multiply(operator)
        elif id(operator) in self.between and int(operator.inputs[0]) in self.int8_twin:
            self._move(operator, name)
        elif name == "QUANTIZE" and int(operator.inputs[0]) in self.behind:
            self._quantize(operator)
        else:
            if name == "DEQUANTIZE" and self._is_int8(int(operator.inputs[0])):
                self.int8_twin[int(operator.outputs[0])] = int(operator.inputs[0])
            self._require_no_float_from_pool(operator, name)
            operators.append(operator)

    def _fold_pool(self, pool: schema.OperatorT) -> None:
        layer = layer_name(self.graph, pool)
        image, *weights = (int(index) for index in pool.inputs)
        if len(weights) == len(CONSTANTS):
            raise ValueError(
                f"the int8 operator has ζ = 1 and ν = 0: convert to float, or build the layer with "
                f"trainable_zeta_nu=False. Received: '{layer}' with trained ζ and ν"
            )
        if image not in self.int8_twin or self._quantization(image) is None:
            producer = self.producers.get(image)
            source = "the model's input" if producer is None else self.graph.name_of(producer)
            raise ValueError(
                "the input of an RNNPool layer must be quantised to become int8. Received: "
                f"'{layer}', whose input (from {source}) is float"
            )
        inputs = [self.int8_twin[image]]
        for position, index in enumerate(weights, start=1):
            inputs.append(self._quantized_constant(layer, position, self.graph.constant(index)))
        pool.inputs = np.array(inputs, np.int32)
        output = int(pool.outputs[0])
        twin = self._add_twin(output, layer, OUTPUT_QUANTIZATION)
        pool.outputs = np.array([twin], np.int32)

    def _quantized_constant(self, layer: str, position: int, value: np.ndarray | None) -> int:
        attribute = CONSTANTS[position - 1]
        if value is None:
            raise ValueError(
                f"the weights of an RNNPool layer must be constant. Received: '{layer}' with "
                f"`{attribute}` computed in the model"
            )
        name = f"rnnpool/{layer}/{attribute}"
        try:
            if position not in MATRICES:
                return self.graph.add_constant(name, quantize_bias(value), BIAS_QUANTIZATION)
            if self.calibrated:
                steps, row_scales = round_rows(value)
            else:
                steps, scale = weight_grid(value, self.scales.get(attribute, ()))
                row_scales = np.array([scale])
        except ValueError as error:
            raise ValueError(f"`{attribute}` of the RNNPool layer '{layer}': {error}") from error
        index = self.graph.add_constant(name, steps)
        self.graph.set_scales(index, row_scales)
        return index

    def _move(self, operator: schema.OperatorT, name: str) -> None:
        source, output = int(operator.inputs[0]), int(operator.outputs[0])
        twin = self._add_twin(output, self.graph.tensor_name(output), self._quantization(source))
        inputs = [self.int8_twin[source], *operator.inputs[1:]]
        self._append(name, inputs, twin, MOVING[name], operator)

    def _multiply(self, operator: schema.OperatorT) -> None:
        source, factor = (int(index) for index in operator.inputs)
        output = int(operator.outputs[0])
        values = self.graph.constant(factor)
        scale = np.float32(np.abs(values).max() / LARGEST_WEIGHT)
        steps = np.rint(values / scale).astype(np.int8)
        constant = self.graph.add_constant(
            f"{self.graph.tensor_name(factor)}/int8", steps, Quantization(float(scale), 0)
        )
        quantization = self._quantization_below(output)
        twin = self._add_twin(output, self.graph.tensor_name(output), quantization)
        inputs = [self.int8_twin[source], constant]
        self._append("MUL", inputs, twin, _MUL_VERSION, operator)

    def _concatenate(self, operator: schema.OperatorT) -> None:
        output = int(operator.outputs[0])
        layer = self.behind[output]
        quantization = self._quantization_below(output)
        if quantization is None:
            raise ValueError(
                "what joins the output of an RNNPool layer must be quantised to become int8. "
                f"Received: '{layer}', whose output goes into a float CONCATENATION"
            )
        inputs = []
        for index in input_indices(operator):
            if index not in self.int8_twin:
                raise ValueError(
                    "everything joined with the output of an RNNPool layer must be int8. Received: "
                    f"'{layer}', joined with the float '{self.graph.tensor_name(index)}'"
                )
            inputs.append(self._requantized(self.int8_twin[index], quantization))
        twin = self._add_twin(output, self.graph.tensor_name(output), quantization)
        self._append("CONCATENATION", inputs, twin, _CONCATENATION_VERSION, operator)

    def _quantize(self, operator: schema.OperatorT) -> None:
        twin, output = self.int8_twin[int(operator.inputs[0])], int(operator.outputs[0])
        if _same(self.graph.quantization(twin), self.graph.quantization(output)):
            self.replaced[output] = twin
            if output in self.graph.outputs:  # keep the name that users see
                self.graph.tensors[twin].name = self.graph.tensors[output].name
        else:
            self._append("QUANTIZE", [twin], output, _REQUANTIZE_VERSION)

    def _requantized(self, twin: int, quantization: Quantization) -> int:
        if _same(self.graph.quantization(twin), quantization):
            return twin
        name = f"{self.graph.tensor_name(twin)}/requantized"
        shape = self.graph.shape(twin)
        target = self.graph.add_tensor(name, shape, np.int8, quantization, like=twin)
        self._append("QUANTIZE", [twin], target, _REQUANTIZE_VERSION)
        return target

    def _require_no_float_from_pool(self, operator: schema.OperatorT, name: str) -> None:
        for index in input_indices(operator):
            if index in self.behind:
                raise ValueError(
                    "what reads the output of an RNNPool layer must be quantised to become int8. "
                    f"Received: '{self.behind[index]}', read by a float {name}"
                )

    def _quantization_below(self, tensor: int) -> Quantization | None:
        for reader in self.consumers.get(tensor, ()):
            name = self.graph.name_of(reader)
            if name == "QUANTIZE":
                return self.graph.quantization(int(reader.outputs[0]))
            if name in (*MOVING, "CONCATENATION"):
                found = self._quantization_below(int(reader.outputs[0]))
                if found is not None:
                    return found
        return None

    def _quantization(self, tensor: int) -> Quantization | None:
        return self.graph.quantization(self.int8_twin[tensor])

    def _add_twin(self, tensor: int, name: str, quantization: Quantization | None) -> int:
        shape = self.graph.shape(tensor)
        twin = self.graph.add_tensor(f"{name}/int8", shape, np.int8, quantization, like=tensor)
        self.int8_twin[tensor] = twin
        return twin

    def _append(
        self,
        name: str,
        inputs: list[int],
        output: int,
        version: int,
        like: schema.OperatorT | None = None,
    ) -> None:
        operator = self.graph.make_operator(name, inputs, [output], version, like)
        self.graph.operators.append(operator)

    def _is_int8(self, tensor: int) -> bool:
        return self.graph.dtype(tensor) == np.int8


def _same(a: Quantization | None, b: Quantization | None) -> bool:
    if a is None or b is None:
        return False
    return a.zero_point == b.zero_point and abs(a.scale - b.scale) <= _SAME_SCALE * b.scale

"""Convolutions of an int8 graph as stages of a fused operator, or why they cannot be one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rnnpool_tf.conversion.flatbuffer import NO_TENSOR, Graph, Quantization, schema
from rnnpool_tf.conversion.fusion.report import Unfit, short_name
from rnnpool_tf.conversion.fusion.requantization import output_range, stage_parameters
from rnnpool_tf.conversion.fusion.stage import Stage, Window

_CONVOLUTIONS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": 3}  # with the dimension of output channels
_PADS = ("PAD", "PADV2")
_Padding = schema.Padding


@dataclass(frozen=True, eq=False)
class MatchedConvolution:
    """A convolution that can be a stage.

    Attributes:
        source: Index of the tensor it is applied to.
        output: Index of its output.
        stage: Its constants.
        window: Its windows, on `source`.
        operators: The operators it stands for: the convolution, behind its PAD if that is absorbed.
        kept_pad: Why a PAD in front of it stays; None if there is none or it is absorbed.
    """

    source: int
    output: int
    stage: Stage
    window: Window
    operators: tuple[schema.OperatorT, ...]
    kept_pad: str | None = None

    @property
    def pointwise(self) -> bool:
        """Whether it is 1×1 with stride 1 and without padding."""
        window = self.window
        return (
            not self.stage.depthwise
            and window.kernel == window.strides == (1, 1)
            and window.pads == (0, 0)
            and len(self.operators) == 1
        )

    @property
    def absorbs_pad(self) -> bool:
        return len(self.operators) > 1

    def as_matrix(self) -> Stage:
        """The stage of a pointwise convolution, with its weights as [outputs, inputs]."""
        return replace(self.stage, weights=self.stage.weights_per_output())


class Neighbours:
    """A graph, and who produces and reads its tensors."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self._producers = graph.producers()
        self._consumers = graph.consumers()
        self._outputs = set(graph.outputs)

    def producer(self, tensor: int) -> schema.OperatorT | None:
        return self._producers.get(tensor)

    def producer_name(self, tensor: int) -> str:
        producer = self.producer(tensor)
        return "the model's input" if producer is None else self.graph.name_of(producer)

    def is_convolution(self, operator: schema.OperatorT | None) -> bool:
        return operator is not None and self.graph.name_of(operator) in _CONVOLUTIONS

    def sole_reader(self, tensor: int) -> schema.OperatorT:
        """The one operator that reads a tensor.

        Raises:
            Unfit: There are several, or none, or the tensor is an output of the model.
        """
        name = short_name(self.graph.tensor_name(tensor))
        if tensor in self._outputs:
            raise Unfit(f"'{name}' is an output of the model")
        readers = self._consumers.get(tensor, [])
        if len(readers) != 1:
            raise Unfit(f"'{name}' is read by {len(readers)} operators")
        return readers[0]

    def convolution(self, operator: schema.OperatorT, largest_kernel: int) -> MatchedConvolution:
        """Reads a convolution, together with the PAD in front of it where that can be absorbed.

        Raises:
            Unfit: It cannot be a stage of a fused operator.
        """
        try:
            found = self._read(operator)
        except ValueError as error:
            raise Unfit(str(error)) from error
        problem = found.stage.problem() or self._window_problem(found, largest_kernel)
        if problem is not None:
            raise Unfit(problem)
        pad = self.producer(found.source)
        if pad is None or self.graph.name_of(pad) not in _PADS:
            return found
        try:
            padded = self._with_pad(found, pad)
        except Unfit as reason:
            return replace(found, kept_pad=str(reason))
        problem = self._window_problem(padded, largest_kernel)
        return padded if problem is None else replace(found, kept_pad=problem)

    def quantization(self, tensor: int) -> Quantization:
        """Quantisation of an int8 tensor of known size.

        Raises:
            Unfit: It is not int8, has no scale, or its size but for the batch is open.
        """
        name = short_name(self.graph.tensor_name(tensor))
        if self.graph.tensors[tensor].type != schema.TensorType.INT8:
            raise Unfit(f"'{name}' is not int8")
        quantization = self.graph.quantization(tensor)
        if quantization is None or not quantization.scale > 0:
            raise Unfit(f"'{name}' has no scale")
        signature = self.graph.tensors[tensor].shapeSignature
        if signature is not None and -1 in signature[1:]:
            raise Unfit(f"the size of '{name}' is open")
        return quantization

    def require_form(self, operator: schema.OperatorT, inputs: tuple[int, ...]) -> None:
        """Raises Unfit unless an operator on a map has options and as many inputs as it must.

        Args:
            operator: A builtin operator whose first two inputs are given.
            inputs: Numbers of inputs it may have.
        """
        given = [] if operator.inputs is None else operator.inputs
        complete = len(given) in inputs and min(given[:2]) >= 0 and operator.builtinOptions
        if not complete or len(self.graph.shape(int(given[0]))) != 4:
            raise Unfit(f"{self.graph.name_of(operator)} is malformed")

    def replace(self, old: list[schema.OperatorT], new: schema.OperatorT) -> None:
        """Puts an operator where the last of some others stood."""
        gone = {id(operator) for operator in old}
        last = max(i for i, operator in enumerate(self.graph.operators) if id(operator) in gone)
        self.graph.operators[last] = new
        self.graph.subgraph.operators = [
            operator for operator in self.graph.operators if id(operator) not in gone
        ]

    def _read(self, operator: schema.OperatorT) -> MatchedConvolution:
        graph, options = self.graph, operator.builtinOptions
        kind = graph.name_of(operator)
        self.require_form(operator, (2, 3))
        x, filter_, bias = (*(int(index) for index in operator.inputs), NO_TENSOR)[:3]
        y = int(operator.outputs[0])
        input_, output = self.quantization(x), self.quantization(y)
        if len(graph.shape(y)) != 4:
            raise Unfit("its output is no map")
        if (options.dilationHFactor, options.dilationWFactor) != (1, 1):
            raise Unfit("it is dilated")
        weights, scales = self._weights(filter_, _CONVOLUTIONS[kind])
        channels = graph.shape(x)[-1]
        if kind == "DEPTHWISE_CONV_2D":
            weights = weights[0]
            if options.depthMultiplier != 1 or weights.shape[-1] != channels:
                raise Unfit("its depth multiplier is not 1")
        elif weights.shape[-1] != channels:
            raise Unfit("it is grouped")
        stage = Stage(
            weights,
            np.zeros((3, graph.shape(y)[-1]), np.int32),
            output_range(options.fusedActivationFunction, output),
        )
        parameters = stage_parameters(
            stage.weights_per_output(), self._bias(bias), input_, scales, output.scale
        )
        strides = (options.strideH, options.strideW)
        window = _window(stage.kernel, strides, options.padding, graph.shape(x), graph.shape(y))
        return MatchedConvolution(x, y, replace(stage, parameters=parameters), window, (operator,))

    def _weights(self, index: int, channel_dimension: int) -> tuple[np.ndarray, np.ndarray]:
        tensor = self.graph.tensors[index]
        if tensor.type != schema.TensorType.INT8 or tensor.sparsity is not None:
            raise Unfit("its weights are not dense int8")
        weights = self.graph.constant(index)
        if weights is None or weights.ndim != 4:
            raise Unfit("its weights are not constant")
        parameters = tensor.quantization
        if parameters is None or parameters.scale is None:
            raise Unfit("its weights have no scale")
        if len(parameters.scale) not in (1, weights.shape[channel_dimension]):
            raise Unfit("its weights have neither one scale nor one per output channel")
        if parameters.zeroPoint is not None and np.any(parameters.zeroPoint):
            raise Unfit("its weights have a zero point")
        return weights, np.asarray(parameters.scale, np.float32)

    def _bias(self, index: int) -> np.ndarray | None:
        if index == NO_TENSOR:
            return None
        if self.graph.tensors[index].type != schema.TensorType.INT32:
            raise Unfit("its bias is not int32")
        bias = self.graph.constant(index)
        if bias is None:
            raise Unfit("its bias is not constant")
        return bias

    def _with_pad(self, found: MatchedConvolution, pad: schema.OperatorT) -> MatchedConvolution:
        """The same convolution on what a PAD in front of it pads, if fusing may skip the PAD."""
        self.sole_reader(found.source)
        top, left = self._padding(pad)
        window = found.window
        pads = (window.pads[0] + top, window.pads[1] + left)
        return replace(
            found,
            source=int(pad.inputs[0]),
            window=replace(window, pads=pads),
            operators=(pad, *found.operators),
        )

    def _window_problem(self, found: MatchedConvolution, largest_kernel: int) -> str | None:
        return found.window.problem(self.graph.shape(found.source)[1:3], largest_kernel)

    def _padding(self, pad: schema.OperatorT) -> tuple[int, int]:
        """Rows and columns that a PAD adds before a map."""
        self.require_form(pad, (2, 3))
        x, amounts, *value = (int(index) for index in pad.inputs)
        y = int(pad.outputs[0])
        if self.quantization(x) != self.quantization(y):
            raise Unfit("it changes the scale")
        if value:  # PADV2; a PAD's value is the zero point
            constant = self.graph.constant(value[0])
            if constant is None or constant.ravel()[0] != self.quantization(y).zero_point:
                raise Unfit("its value is not the zero point")
        table = self.graph.constant(amounts)
        if table is None or table.shape != (4, 2) or (table < 0).any():
            raise Unfit("its amounts are not constant")
        if table[[0, 3]].any():
            raise Unfit("it pads the batch or the channels")
        return int(table[1, 0]), int(table[2, 0])


def _window(kernel, strides, padding, x, y) -> Window:
    """Windows by TFLite's arithmetic of SAME and VALID; `x`, `y` are the maps' shapes."""
    pads = []
    for axis in range(2):
        size, count = x[1 + axis], y[1 + axis]
        same = padding == _Padding.SAME
        reach = size if same else size - kernel[axis] + 1
        if min(strides) < 1 or count != -(-reach // strides[axis]):
            raise Unfit("its output has another size than its padding and strides give")
        surplus = (count - 1) * strides[axis] + kernel[axis] - size
        pads.append(max(surplus, 0) // 2)
    return Window(tuple(kernel), tuple(strides), tuple(pads), (y[1], y[2]))

"""What a firmware project needs to know of an int8 image model in a .tflite file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.deploy.operators import used_operators
from rnnpool_tf.deploy.pictures import check_input_size
from rnnpool_tf.runtime.model_file import read_model as read_file


@dataclass(frozen=True)
class QuantizedTensor:
    """A tensor's shape without the batch, its scale and its zero point."""

    shape: tuple[int, ...]
    scale: float
    zero_point: int


@dataclass(frozen=True)
class ModelInfo:
    """An int8 model with one image input.

    Attributes:
        data: The file itself.
        input: `[height, width, 1 or 3]`; of a streamed model's body the map.
        outputs: A classifier's `[labels]`, or a detector's maps.
        builtins: Names of the builtin operators used, sorted, each once.
        customs: Names of the custom operators used, likewise.
        cmsis_nn_scratch: Bytes that CMSIS-NN's kernels may ask for on top of the reference
            kernels; see `_cmsis_nn_scratch`.
    """

    data: bytes
    input: QuantizedTensor
    outputs: tuple[QuantizedTensor, ...]
    builtins: tuple[str, ...]
    customs: tuple[str, ...]
    cmsis_nn_scratch: int

    @property
    def scores(self) -> QuantizedTensor:
        """A classifier's output.

        Raises:
            ValueError: The model is no classifier.
        """
        if len(self.outputs) != 1:
            raise ValueError(
                "`model` must have one output, unless it is exported as a detector. "
                f"Received: {len(self.outputs)} outputs"
            )
        (scores,) = self.outputs
        if len(scores.shape) != 1:
            raise ValueError(
                "`model` must give one row of scores, [1, labels]. "
                f"Received: output shape {[1, *scores.shape]}"
            )
        return scores


def read_model(model: str | Path | bytes) -> ModelInfo:
    """Reads a .tflite file, given by its path or its bytes.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a .tflite file, a truncated one, or a model that is no int8 image model, or
            one with operators that the device does not have.
    """
    data, graph = _read_graph(model)
    if len(graph.inputs) != 1:
        raise ValueError(
            "`model` must have one input; the body of a streamed model is exported with its "
            f"front. Received: {len(graph.inputs)} inputs"
        )
    info = _describe(data, graph)
    if len(info.input.shape) != 3 or info.input.shape[2] not in (1, 3):
        raise ValueError(
            "`model` must take one grey or RGB image, [1, height, width, 1 or 3]. "
            f"Received: input shape {[1, *info.input.shape]}"
        )
    check_input_size(*info.input.shape[:2])
    return info


def read_body(model: str | Path | bytes) -> ModelInfo:
    """As `read_model`, of the body of a streamed model, whose input is the front's map."""
    data, graph = _read_graph(model)
    return _describe(data, graph)


def _read_graph(model: str | Path | bytes) -> tuple[bytes, Graph]:
    if not isinstance(model, bytes) and not Path(model).is_file():
        raise FileNotFoundError(f"`model` must be an existing .tflite file. Received: {model}")
    data = read_file(model).data
    return data, Graph.from_bytes(data)


def _describe(data: bytes, graph: Graph) -> ModelInfo:
    if len(graph.model.subgraphs) != 1:
        raise ValueError(
            "`model` must have one subgraph: control flow is not supported on the device. "
            f"Received: {len(graph.model.subgraphs)} subgraphs"
        )
    image = _quantized(graph, graph.inputs[0], "input")
    outputs = tuple(_quantized(graph, index, "output") for index in graph.outputs)
    builtins, customs = used_operators(graph)
    return ModelInfo(data, image, outputs, builtins, customs, _cmsis_nn_scratch(graph))


def _quantized(graph: Graph, index: int, what: str) -> QuantizedTensor:
    dtype, quantization, shape = graph.dtype(index), graph.quantization(index), graph.shape(index)
    if dtype != np.int8:
        raise ValueError(
            "`model` must be an int8 model: other types are not supported on Arduino; convert a "
            f"model trained with quantisation. Received: {what} of type {dtype}"
        )
    if quantization is None:
        raise ValueError(
            f"the {what} of `model` must have one scale and zero point. Received: none, or several"
        )
    if shape[:1] != (1,):
        raise ValueError(f"the {what} of `model` must have batch size 1. Received: shape={shape}")
    return QuantizedTensor(shape[1:], quantization.scale, quantization.zero_point)


def _cmsis_nn_scratch(graph: Graph) -> int:
    """The largest scratch buffer of CMSIS-NN's int8 kernels on a Cortex-M4, by their own formulas.

    Convolutions other than 1x1 unroll two patches into int16, depthwise ones a single patch,
    average pooling sums in int32. The reference kernels of the desktop ask for none of that.
    """
    largest = 0
    for operator in graph.operators:
        name = graph.name_of(operator)
        if name == "CONV_2D":
            _, height, width, channels = graph.shape(int(operator.inputs[1]))
            size = 4 * height * width * channels if (height, width) != (1, 1) else 0
        elif name == "DEPTHWISE_CONV_2D":
            size = 2 * math.prod(graph.shape(int(operator.inputs[1]))[1:])
        elif name == "AVERAGE_POOL_2D":
            size = 4 * graph.shape(int(operator.inputs[0]))[-1]
        else:
            continue
        largest = max(largest, size)
    return largest

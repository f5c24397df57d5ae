"""Size, work and memory of a model: Keras models and .tflite files by the same definitions."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnnpool_tf.analysis.blocks import Block, blocks_of
from rnnpool_tf.analysis.conventions import (
    LowerBounds,
    Requirement,
    lower_bounds,
    paper_convention,
)
from rnnpool_tf.analysis.counts import LayerCount, ModelCount
from rnnpool_tf.analysis.network import Network
from rnnpool_tf.arguments import positive_integer


@dataclass(frozen=True)
class LayerSummary:
    """One layer, or one operator of a .tflite file.

    Attributes:
        name: Of the layer.
        kind: Its class or operator.
        output_shape: (height, width, channels) or shorter, without the batch.
        parameters: Weights, biases, γ and β, and 2 for ζ and ν of every RNN cell.
        madds: Multiply-accumulates per image, every patch of RNNPool from scratch.
        madds_shared: As the paper counts them, see `LayerCount`.
        madds_executed: As the C++ operators execute them, see `LayerCount`.
        activation_bytes: Of its output.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    madds: int
    madds_shared: int
    madds_executed: int
    activation_bytes: int


@dataclass(frozen=True)
class ModelSummary:
    """A model.

    Attributes:
        name: Of the model.
        layers: In the order of execution.
        count: Parameters and MAdds, in more detail.
        blocks: What `paper` is the worst of; `elements` times `element_bytes` are bytes.
        paper: Peak RAM by the paper's convention (Saha et al., 2020, appendix E.2).
        bounds: The least RAM without computing anything twice (appendices D and E.1).
        element_bytes: Bytes of an element of the maps.
        input_shapes: By the names of the inputs, without the batch.
    """

    name: str
    layers: tuple[LayerSummary, ...]
    count: ModelCount
    blocks: tuple[Block, ...]
    paper: Requirement
    bounds: LowerBounds
    element_bytes: int
    input_shapes: dict[str, tuple[int, ...]]

    @property
    def peak(self) -> Block:
        """The block that `paper` is about."""
        return max(self.blocks, key=lambda block: block.elements)

    @property
    def largest_map_bytes(self) -> int:
        """Bytes of the largest output of a layer."""
        return max(layer.activation_bytes for layer in self.layers)


def summarize_model(model, *, element_bytes: int = 4) -> ModelSummary:
    """Summarises a Keras model.

    Args:
        model: A functional or sequential `keras.Model` of this process's Keras with known input
            size, with models as layers or without; not wrapped for quantisation-aware training.
        element_bytes: Bytes of an element of a map: 4 for float32, 1 for int8.

    Raises:
        ValueError: Another kind of model, an unknown input size, a layer with parameters of an
            unknown kind, or `element_bytes` is not a positive integer.

    Example:

    >>> from rnnpool_tf.models import visual_wake_words
    >>> summarize_model(visual_wake_words((224, 224, 3)), element_bytes=1).paper.bytes
    29792
    """
    from rnnpool_tf.analysis.counts import count_calls
    from rnnpool_tf.analysis.keras_calls import calls_of
    from rnnpool_tf.analysis.keras_network import keras_network

    positive_integer(element_bytes, "element_bytes")
    calls, outputs = calls_of(model)
    counted = count_calls(calls)  # first: it names layers that cannot be counted
    network = keras_network(calls, outputs, element_bytes)
    sizes = [element_bytes * sum(map(math.prod, call.output_shapes)) for call in calls]
    inputs = {call.name: call.output_shape for call in calls if call.kind == "InputLayer"}
    return _summary(model.name, counted, sizes, network, inputs)


def summarize_file(data: bytes, name: str = "model") -> ModelSummary:
    """Summarises a .tflite file, float32 or int8; a fused operator counts what it is made of.

    Args:
        data: The file.
        name: What the model is called.

    Raises:
        ValueError: Not the bytes of a TFLite model, damaged, or an operator of this package does
            not keep to its format.

    Example:

    >>> summarize_file(Path("vww.tflite").read_bytes()).paper.bytes
    """
    from rnnpool_tf.analysis.tflite_counts import count_graph
    from rnnpool_tf.analysis.tflite_network import tflite_network
    from rnnpool_tf.conversion.flatbuffer import Graph

    graph = Graph.from_bytes(data)
    sizes = [
        sum(graph.bytes_of(int(index)) or 0 for index in _list(operator.outputs))
        for operator in graph.operators
    ]
    inputs = {graph.tensor_name(index): graph.shape(index)[1:] for index in graph.inputs}
    return _summary(name, count_graph(graph), sizes, tflite_network(graph), inputs)


def _summary(
    name: str,
    count: ModelCount,
    sizes: list[int],
    network: Network,
    inputs: dict[str, tuple[int, ...]],
) -> ModelSummary:
    layers = tuple(_layer(one, size) for one, size in zip(count.layers, sizes, strict=True))
    return ModelSummary(
        name,
        layers,
        count,
        tuple(blocks_of(network)),
        paper_convention(network),
        lower_bounds(network),
        network.element_bytes,
        inputs,
    )


def _list(indices) -> list:
    return [] if indices is None else list(indices)


def _layer(one: LayerCount, size: int) -> LayerSummary:
    return LayerSummary(
        one.name,
        one.kind,
        one.output_shape,
        one.params,
        one.madds,
        one.madds_shared,
        one.madds_executed,
        size,
    )

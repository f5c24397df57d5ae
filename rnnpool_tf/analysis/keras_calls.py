"""The layers of a Keras model in the order in which they are called, of Keras 3 and of tf_keras."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from rnnpool_tf._keras import keras


@dataclass(frozen=True)
class Call:
    """One call of a layer.

    Attributes:
        layer: The layer, or the operation where `x + y` and the like was written.
        name: Its name; in front of it those of the models that it is nested in.
        kind: Its class; of operations of tf_keras their function, "relu6".
        inputs: Numbers of the tensors that it takes.
        outputs: Numbers of those it makes.
        input_shapes: (height, width, channels) or shorter, without the batch.
        output_shapes: Likewise.
        repeated: Whether the layer has been called before, with the same weights.
    """

    layer: object
    name: str
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    input_shapes: tuple[tuple[int | None, ...], ...]
    output_shapes: tuple[tuple[int | None, ...], ...]
    repeated: bool

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """Of the first input."""
        return self.input_shapes[0]

    @property
    def output_shape(self) -> tuple[int | None, ...]:
        """Of the first output."""
        return self.output_shapes[0]


def calls_of(model) -> tuple[list[Call], tuple[int, ...]]:
    """Every call of a layer, models within the model taken apart.

    Args:
        model: A functional or sequential `keras.Model` of this process's Keras.

    Returns:
        The calls, and the numbers of the model's outputs.

    Raises:
        ValueError: Another kind of model, or one whose input is not known yet.
    """
    if not isinstance(model, keras.Model):
        raise ValueError(
            "`model` must be a functional or sequential model of this process's Keras. "
            f"Received: {type(model).__module__}.{type(model).__qualname__}"
        )
    walk = _Walk()
    numbers = walk.through(model, {}, "")
    return walk.calls, tuple(numbers[id(tensor)] for tensor in tf.nest.flatten(model.outputs))


class _Walk:
    def __init__(self):
        self.calls: list[Call] = []
        self._seen: set[int] = set()
        self._tensors = 0

    def through(self, model, numbers: dict[int, int], prefix: str) -> dict[int, int]:
        """Appends the calls in a model.

        Args:
            model: The model, or one within it.
            numbers: Of the model's inputs, by their identity; none of the outermost model.
            prefix: Of names.

        Returns:
            Numbers of all its tensors.
        """
        for node in nodes_of(model, prefix):
            layer = layer_of(node)
            if node.is_input and prefix:  # what stands for it is known from outside
                continue
            given = inputs_of(node)
            inputs = tuple(numbers[id(tensor)] for tensor in given)
            outputs = tf.nest.flatten(node.outputs)
            name = f"{prefix}{layer.name}"
            if isinstance(layer, keras.Model):
                made = self._nested(layer, inputs, name)
            else:
                made = tuple(range(self._tensors, self._tensors + len(outputs)))
                self._tensors += len(outputs)
                shapes = tuple(map(_shape, given)), tuple(map(_shape, outputs))
                repeated = id(layer) in self._seen
                self.calls.append(Call(layer, name, _kind(layer), inputs, made, *shapes, repeated))
                self._seen.add(id(layer))
            numbers.update(zip(map(id, outputs), made, strict=True))
        return numbers

    def _nested(self, model, inputs: tuple[int, ...], name: str) -> tuple[int, ...]:
        nodes_of(model, f"{name}/")  # refuses models without a graph
        expected = tf.nest.flatten(model.inputs)
        if len(expected) != len(inputs):
            raise ValueError(
                "models within `model` must be called with the inputs that they were built with. "
                f"Received: {name} with {len(inputs)} inputs in place of {len(expected)}"
            )
        numbers = self.through(model, dict(zip(map(id, expected), inputs, strict=True)), f"{name}/")
        return tuple(numbers[id(tensor)] for tensor in tf.nest.flatten(model.outputs))


def nodes_of(model, prefix: str = "") -> list:
    """Keras's nodes of a model, one for each call of a layer, inputs first.

    Args:
        model: The model.
        prefix: Of names, for the message.

    Raises:
        ValueError: The model has no graph of layers, or its input is not known yet.
    """
    graph = getattr(model, "_functional", None) or model  # of a sequential model of Keras 3
    by_depth = getattr(graph, "_nodes_by_depth", None)
    if not by_depth:
        raise ValueError(
            "`model` and models within it must be functional or sequential, with a known input. "
            f"Received: '{prefix.rstrip('/') or model.name}' of type {type(model).__name__}"
        )
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]


def layer_of(node):
    """The layer, or the operation, that a node is a call of."""
    return getattr(node, "operation", None) or node.layer


def inputs_of(node) -> list:
    """The tensors that a node takes."""
    found = node.keras_inputs if hasattr(node, "keras_inputs") else node.input_tensors
    return tf.nest.flatten(found)


def _shape(tensor) -> tuple[int | None, ...]:
    return tuple(tensor.shape)[1:]


def _kind(layer) -> str:
    kind = type(layer).__name__
    return layer.symbol.split(".")[-1] if kind == "TFOpLambda" else kind

"""The calls of a Keras model's layers as a graph, of Keras 3 and of tf_keras."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

import tensorflow as tf

from rnnpool_tf._keras import keras
from rnnpool_tf.analysis.keras_calls import inputs_of, layer_of, nodes_of


@dataclass(frozen=True)
class Step:
    """One call of a layer.

    Attributes:
        node: Keras's own record of it.
        inputs: The tensors it takes.
        outputs: The tensors it makes.
    """

    node: object
    inputs: tuple
    outputs: tuple

    @property
    def layer(self):
        return layer_of(self.node)

    @property
    def name(self) -> str:
        return self.layer.name

    def arguments(self, replaced: Mapping[int, object]) -> tuple[tuple, dict]:
        """What the layer is called with.

        Args:
            replaced: For the identity of each of the step's inputs, the tensor in its place.
        """
        if hasattr(self.node, "arguments"):  # Keras 3
            return self.node.arguments.fill_in(replaced)
        # tf_keras takes a tensor out of the list for every time that it is an argument.
        stock = {str(id(t)): [replaced[id(t)]] * len(self.inputs) for t in self.inputs}
        return self.node.map_arguments(stock)


class Graph:
    """The calls in a model; models within it are layers like others.

    Attributes:
        steps: In an order in which they can be computed, inputs first.

    Raises:
        ValueError: Not a functional or sequential model of this process's Keras, one whose input
            is not known yet, or one that is wrapped for quantisation-aware training or pruning.
    """

    def __init__(self, model):
        if not isinstance(model, keras.Model):
            raise ValueError(
                "`model` must be a functional or sequential model of this process's Keras. "
                f"Received: {type(model).__module__}.{type(model).__qualname__}"
            )
        self.model = model
        self.steps = [
            Step(node, tuple(inputs_of(node)), tuple(tf.nest.flatten(node.outputs)))
            for node in nodes_of(model)
        ]
        self.outputs = tuple(tf.nest.flatten(model.outputs))
        self._makers = {id(t): index for index, step in enumerate(self.steps) for t in step.outputs}
        for step in self.steps:
            if type(step.layer).__name__.startswith(("QuantizeWrapper", "PruneLowMagnitude")):
                raise ValueError(
                    "`model` must be a float model without wrappers: replace layers first, then "
                    f"prune and quantise. Received: '{step.name}' of type "
                    f"{type(step.layer).__name__}"
                )

    def maker(self, tensor) -> int:
        """The index of the step that makes a tensor."""
        return self._makers[id(tensor)]

    def readers(self, tensor) -> list[int]:
        """The indices of the steps that take a tensor."""
        return [i for i, step in enumerate(self.steps) if any(t is tensor for t in step.inputs)]

    def ancestors(self, index: int) -> set[int]:
        """The step and everything that it is computed from."""
        found, waiting = set(), [index]
        while waiting:
            current = waiting.pop()
            if current not in found:
                found.add(current)
                waiting.extend(self.maker(tensor) for tensor in self.steps[current].inputs)
        return found

    def index(self, name: str, argument: str) -> int:
        """The index of the only call of a layer.

        Args:
            name: Of the layer.
            argument: What it is to the caller, for the message.

        Raises:
            ValueError: There is no such layer, it is an input, or it is called more than once.
        """
        if not isinstance(name, str):
            raise ValueError(
                f"`{argument}` must be the name of a layer, a string. "
                f"Received: {argument} of type {type(name).__name__}"
            )
        found = [index for index, step in enumerate(self.steps) if step.name == name]
        if not found:
            names = list(dict.fromkeys(step.name for step in self.steps))
            near = difflib.get_close_matches(str(name), names, n=4, cutoff=0.5)
            hint = f"; similar names: {', '.join(map(repr, near))}" if near else ""
            raise ValueError(
                f"`{argument}` must be the name of a layer of '{self.model.name}'{hint}. "
                f"Received: {argument}={name!r}"
            )
        if len(found) > 1:
            raise ValueError(
                f"`{argument}` must be called once in the model. "
                f"Received: {argument}={name!r}, which is called {len(found)} times"
            )
        if self.steps[found[0]].node.is_input:
            raise ValueError(
                f"`{argument}` must be a layer that computes something. "
                f"Received: {argument}={name!r}, an input of the model"
            )
        return found[0]


def size(tensor) -> tuple[int | None, ...]:
    """Shape without the batch."""
    return tuple(tensor.shape)[1:]


def size_text(shape) -> str:
    """A shape without the batch, as "48x48x16"."""
    return "x".join("?" if entry is None else str(entry) for entry in shape)

"""A copy of a model in which one span is something else."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from rnnpool_tf._keras import keras
from rnnpool_tf.surgery.graph import Graph, Step
from rnnpool_tf.surgery.span import Span


def rebuild(graph: Graph, span: Span, replacement: Callable):
    """Returns a functional model with the layers and weights of another, but for a span.

    Args:
        graph: Of the model, which is left alone.
        span: What is not copied.
        replacement: Makes the tensor that leaves the span of the one that enters it.

    Raises:
        ValueError: A layer cannot be copied by its configuration.
    """
    copies: dict[int, object] = {}  # by the identity of the layer: shared ones stay shared
    tensors: dict[int, object] = {}  # by the identity of the original tensor
    for index, step in enumerate(graph.steps):
        if index in span.indices:
            if any(tensor is span.target for tensor in step.outputs):
                tensors[id(span.target)] = replacement(tensors[id(span.source)])
            continue
        if id(step.layer) not in copies:
            copies[id(step.layer)] = _copy(step)
        copy = copies[id(step.layer)]
        if step.node.is_input:
            made = copy.output
        else:
            arguments, named = step.arguments(tensors)
            made = copy(*arguments, **named)
        tensors.update(zip(map(id, step.outputs), tf.nest.flatten(made), strict=True))
    for step in graph.steps:
        if id(step.layer) in copies and getattr(step.layer, "weights", None):
            copies[id(step.layer)].set_weights(step.layer.get_weights())
    inputs, outputs = (
        tf.nest.map_structure(lambda tensor: tensors[id(tensor)], ends)
        for ends in _ends(graph.model)
    )
    return keras.Model(inputs, outputs, name=graph.model.name)


def _ends(model):
    """Inputs and outputs in the structure in which the model was given them."""
    functional = getattr(model, "_functional", None) or model
    if hasattr(functional, "_inputs_struct"):  # Keras 3
        return functional._inputs_struct, functional._outputs_struct
    return functional._nested_inputs, functional._nested_outputs


def _copy(step: Step):
    try:
        copy = type(step.layer).from_config(step.layer.get_config())
    except Exception as error:  # layers fail in many ways to describe themselves
        raise ValueError(
            "the layers of `model` must have a configuration that they can be copied by. Received: "
            f"'{step.name}' of type {type(step.layer).__name__} ({type(error).__name__}: {error})"
        ) from error
    if hasattr(step.layer, "trainable"):
        _copy_trainable(step.layer, copy)
    return copy


def _copy_trainable(layer, copy) -> None:
    """Freezes what is frozen; of models within the model layer by layer, because tf_keras passes
    on what is set."""
    copy.trainable = layer.trainable
    inside, copied = list(layer._flatten_layers()), list(copy._flatten_layers())
    if len(inside) == len(copied):
        for one, other in zip(copied, inside, strict=True):
            one.trainable = other.trainable

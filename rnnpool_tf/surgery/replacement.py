"""`replace_with_rnnpool()`: RNNPool in place of layers of a model that exists already."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from rnnpool_tf._keras import keras
from rnnpool_tf.analysis.model_summary import summarize_model
from rnnpool_tf.arguments import check_flag, positive_integer
from rnnpool_tf.gates import SMOOTH
from rnnpool_tf.layers import RNNPoolLayer
from rnnpool_tf.surgery.graph import Graph
from rnnpool_tf.surgery.plan import Plan, plan_pooling
from rnnpool_tf.surgery.rebuilding import rebuild
from rnnpool_tf.surgery.report import Report
from rnnpool_tf.surgery.span import Span, find_span


@dataclass(frozen=True)
class Replacement:
    """A model with RNNPool in it.

    Attributes:
        model: The new model, functional, not compiled; RNNPool's weights are fresh, all others
            are copies of the original's.
        original: The model as it was.
        layer: The `RNNPoolLayer` in `model`.
        replaced: Names of the layers that are gone, in the order of computation.
        element_bytes: Bytes of an element of a map, for the report.
    """

    model: object
    original: object
    layer: RNNPoolLayer
    replaced: tuple[str, ...]
    element_bytes: int
    _span: Span
    _plan: Plan

    @functools.cached_property
    def report(self) -> Report:
        """What it saves.

        Raises:
            ValueError: `rnnpool_tf.analysis.summarize_model` cannot count a layer of the model.
        """
        before, after = (
            summarize_model(model, element_bytes=self.element_bytes)
            for model in (self.original, self.model)
        )
        return Report(before, after, str(self._span), str(self._plan))


def replace_with_rnnpool(
    model,
    start: str,
    end: str | None = None,
    *,
    hidden1: int | None = None,
    hidden2: int | None = None,
    pool_size: int | tuple[int, int] | None = None,
    strides: int | tuple[int, int] | None = None,
    padding: str = "replicate",
    gates: str = SMOOTH,
    name: str = "rnnpool",
    match_channels: bool = True,
    element_bytes: int = 1,
) -> Replacement:
    """Puts an RNNPoolLayer in the place of layers of a model; the output shapes stay the same.

    Replaced is everything that computes the output of `end` from the input of `start`, branches
    that run in parallel included. One tensor may enter and one may leave; `suggest_spans(model)`
    lists where. A span whose output is a vector, as that of global pooling, becomes an RNNPool over
    the whole map and a Flatten.

    What is not given follows from the span, as the paper's networks have it (Saha et al., 2020,
    Tables 10 and 16):

    * `strides`: input size / output size, which must be whole numbers.
    * `pool_size`: 1.5 times the stride, rounded up to an even number: 6 for 4, 12 for 8, 4 for 2;
      the whole map where the output is a single pixel.
    * `hidden2`: a quarter of the output's channels (RNNPool has 4 · hidden2), rounded up.
    * `hidden1`: `hidden2`.

    Args:
        model: Functional or sequential Keras model, Keras 3 or tf_keras, with branches, shared
            layers, several inputs or outputs. It is left alone.
        start: Name of the first layer replaced.
        end: Name of the last layer replaced; None: `start` alone, as for a pooling layer.
        hidden1: Units of RNN1.
        hidden2: Units of RNN2.
        pool_size: Patch size: an integer or (rows, columns).
        strides: Distance between patches; must lead to the span's output size.
        padding: "replicate", "same" or "valid", see `RNNPoolLayer`.
        gates: "smooth" or "piecewise_linear", see `RNNPoolLayer`.
        name: Of the new layer; those behind it are called name + "_flatten", "_expand" and
            "_expand_bn". A number is appended where a layer of the model has such a name.
        match_channels: Where 4 · hidden2 is not the number of channels that the span had, a 1x1
            convolution without bias and a BatchNormalization behind RNNPool restore it; False:
            that is an error.
        element_bytes: Of the maps, for the report: 1 for int8, 4 for float32.

    Returns:
        The new model, and what it saves: `.model`, `.report`.

    Raises:
        ValueError: Another kind of model, an unknown layer, more than one tensor that enters or
            leaves, a span that RNNPool cannot replace, arguments that lead to another output
            shape, or a layer that cannot be copied. The message names layers and sizes.

    Example:

    >>> model = keras.applications.MobileNetV2((96, 96, 3), alpha=0.35, weights=None, classes=2)
    >>> new = replace_with_rnnpool(model, "expanded_conv_depthwise", "block_5_add")
    >>> new.report.before.paper.bytes, new.report.after.paper.bytes  # or print(new.report)
    (55296, 3168)
    >>> new.model.compile("sgd", "sparse_categorical_crossentropy")
    """
    positive_integer(element_bytes, "element_bytes")
    check_flag(match_channels, "match_channels")
    if not isinstance(name, str) or not name:
        raise ValueError(f"`name` must be a string that is not empty. Received: name={name!r}")
    graph = Graph(model)
    span = find_span(graph, start, start if end is None else end)
    kept = {step.name for index, step in enumerate(graph.steps) if index not in span.indices}
    plan = plan_pooling(span, graph, hidden1, hidden2, pool_size, strides, padding, match_channels)
    name = _free(name, kept)
    layer = RNNPoolLayer(
        plan.hidden1,
        plan.hidden2,
        plan.geometry.pool_size,
        plan.geometry.strides,
        plan.geometry.padding,
        gates=gates,
        name=name,
    )

    def pooled(tensor):
        tensor = layer(tensor)
        if plan.expanded_to is not None:
            expand = keras.layers.Conv2D(
                plan.expanded_to, 1, use_bias=False, name=_free(f"{name}_expand", kept)
            )
            tensor = expand(tensor)
            normalize = keras.layers.BatchNormalization(name=_free(f"{name}_expand_bn", kept))
            tensor = normalize(tensor)
        if plan.is_flat:
            tensor = keras.layers.Flatten(name=_free(f"{name}_flatten", kept))(tensor)
        return tensor

    new = rebuild(graph, span, pooled)
    return Replacement(new, model, layer, span.names, element_bytes, span, plan)


def _free(name: str, taken: set[str]) -> str:
    """The name, or the first of name_1, name_2, … that no layer has."""
    free, number = name, 0
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free

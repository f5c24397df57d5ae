"""Parameters and multiply-accumulates (MAdds) of a Keras model, layer by layer.

Conventions, those of the paper's tables where it states any:

* MAdds are the multiply-accumulates of convolutions, Dense layers and RNNPool's matrix products;
  elementwise work is not counted.
* RNNPool's grid is the valid patch grid: repeated rows and columns cost nothing.
* ζ and ν count as parameters of every RNN cell, as in EdgeML, even where they are constants.
* A layer that is called several times has its MAdds each time and its parameters once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rnnpool_tf.geometry import Axis, Geometry


@dataclass(frozen=True)
class LayerCount:
    """Counts of one layer.

    Attributes:
        name: Name of the layer.
        kind: Class of the layer.
        output_shape: (height, width, channels) or shorter, without the batch.
        weights: Entries of kernels and recurrent matrices.
        batch_norm: γ and β of normalisations (averages are not parameters).
        bias: Biases, the scales of L2Normalization and PReLU, and 2 for ζ and ν of every RNN cell.
        madds: Multiply-accumulates per image, every patch computed from scratch.
        madds_shared: The same with `W·x` of RNNPool computed once per pixel and summary, which is
            how the paper counts (`madds` for other layers).
        madds_executed: What the C++ operator multiplies: besides, overlapping patches share the
            sweeps along rows and columns, every sweep starts without a recurrent product, and
            padding and pixels outside all patches are not multiplied (`madds` for other layers).
    """

    name: str
    kind: str
    output_shape: tuple
    weights: int = 0
    batch_norm: int = 0
    bias: int = 0
    madds: int = 0
    madds_shared: int = 0
    madds_executed: int = 0

    @property
    def params(self) -> int:
        return self.weights + self.batch_norm + self.bias


@dataclass(frozen=True)
class ModelCount:
    """Counts of a model: `layers`, and their sums as properties."""

    layers: tuple[LayerCount, ...]

    def _total(self, field: str) -> int:
        return sum(getattr(layer, field) for layer in self.layers)

    @property
    def weights(self) -> int:
        return self._total("weights")

    @property
    def batch_norm(self) -> int:
        return self._total("batch_norm")

    @property
    def bias(self) -> int:
        return self._total("bias")

    @property
    def params(self) -> int:
        return self.weights + self.batch_norm + self.bias

    @property
    def madds(self) -> int:
        return self._total("madds")

    @property
    def madds_shared(self) -> int:
        return self._total("madds_shared")

    @property
    def madds_executed(self) -> int:
        return self._total("madds_executed")


def count(model) -> ModelCount:
    """Counts a float Keras model with known input size.

    Args:
        model: A functional or sequential `keras.Model`, with models as layers or without; not one
            that is wrapped for quantisation-aware training or pruning.

    Raises:
        ValueError: The input size is unknown, or a layer with parameters is of an unknown kind.

    Example:

    >>> from rnnpool_tf.models import visual_wake_words
    >>> count(visual_wake_words((224, 224, 3))).params
    281902
    """
    from rnnpool_tf.analysis.keras_calls import calls_of

    return count_calls(calls_of(model)[0])


def count_calls(calls: Sequence) -> ModelCount:
    """As `count`, for the calls of a model's layers (`rnnpool_tf.analysis.keras_calls`)."""
    return ModelCount(tuple(_count_call(call) for call in calls))


def pool_counts(
    geometry: Geometry, size: tuple[int, int, int], hidden1: int, hidden2: int
) -> dict[str, int]:
    """What one RNNPool layer counts.

    Args:
        geometry: Of its patches.
        size: (height, width, channels) of its input.
        hidden1: Units of RNN1.
        hidden2: Units of RNN2.

    Returns:
        The fields of `LayerCount` that are not zero.
    """
    (height, width, k), h1, h2 = size, hidden1, hidden2
    ph, pw = geometry.pool_size
    rows, columns = geometry.axes(height, width)
    grid = rows.grid * columns.grid
    # Two passes of RNN1 over every pixel of a patch; two of RNN2 over each set of summaries.
    madds = grid * (2 * ph * pw * h1 * (k + h1) + 2 * (ph + pw) * h2 * (h1 + h2))
    shared = height * width * k * h1 + grid * (
        2 * ph * pw * h1 * h1 + (ph + pw) * h1 * h2 + 2 * (ph + pw) * h2 * h2
    )
    return {
        "weights": h1 * (k + h1) + h2 * (h1 + h2),
        "bias": 2 * (h1 + 1) + 2 * (h2 + 1),
        "madds": madds,
        "madds_shared": shared,
        "madds_executed": _executed(geometry, size, h1, h2),
    }


def _executed(geometry: Geometry, size: tuple[int, int, int], h1: int, h2: int) -> int:
    """Multiply-accumulates of `tflm_kernels/src/rnnpool/shared_sweep.h`."""
    height, width, k = size
    ph, pw = geometry.pool_size
    rows, columns = geometry.axes(height, width)
    all_rows, rows_inside = _visited(rows, ph, geometry.strides[0], height)
    all_columns, columns_inside = _visited(columns, pw, geometry.strides[1], width)
    row_sweeps, column_sweeps = all_rows * columns.grid, all_columns * rows.grid
    return (
        rows_inside * columns_inside * k * h1
        + row_sweeps * ((pw - 1) * h1 * h1 + h1 * h2)
        + column_sweeps * ((ph - 1) * h1 * h1 + h1 * h2)
        + rows.grid * columns.grid * 2 * (ph - 1 + pw - 1) * h2 * h2
    )


def _visited(axis: Axis, patch: int, stride: int, extent: int) -> tuple[int, int]:
    """Positions along an axis that lie in some patch: all, and those that are not padding."""
    positions = {start * stride + step for start in range(axis.grid) for step in range(patch)}
    return len(positions), sum(0 <= one - axis.before < extent for one in positions)


def _count_call(call) -> LayerCount:
    kind, shape = call.kind, call.output_shape
    if len(call.output_shapes) > 1:
        shape = ()
    counter = _COUNTERS.get(kind)
    if counter is None:
        if getattr(call.layer, "weights", None):
            raise ValueError(
                "`model` must consist of 2D convolutions, Dense, normalisations, the layers of "
                "`rnnpool_tf.layers` and layers without weights. "
                f"Received: {call.name} of type {kind}"
            )
        return LayerCount(call.name, kind, shape)
    if None in shape or None in call.input_shape:
        raise ValueError(
            f"`model` must have a known input size. Received: {call.name} with output {shape}"
        )
    found = counter(call.layer, call.input_shape, shape)
    if call.repeated:
        found = {name: value for name, value in found.items() if name.startswith("madds")}
    return LayerCount(call.name, kind, shape, **found)


def _convolution(layer, before: tuple[int, ...], after: tuple[int, ...]) -> dict[str, int]:
    height, width, filters = after
    if type(layer).__name__ == "DepthwiseConv2D":
        weights = math.prod(layer.kernel_size) * filters
    else:
        weights = math.prod(layer.kernel_size) * before[-1] // layer.groups * filters
    return product_counts(weights, weights * height * width, filters if layer.use_bias else 0)


def _separable(layer, before: tuple[int, ...], after: tuple[int, ...]) -> dict[str, int]:
    height, width, filters = after
    wide = before[-1] * layer.depth_multiplier
    weights = math.prod(layer.kernel_size) * wide + wide * filters
    return product_counts(weights, weights * height * width, filters if layer.use_bias else 0)


def _transposed(layer, before: tuple[int, ...], after: tuple[int, ...]) -> dict[str, int]:
    height, width, channels = before
    weights = math.prod(layer.kernel_size) * channels * layer.filters
    return product_counts(weights, weights * height * width, layer.filters if layer.use_bias else 0)


def _dense(layer, before: tuple[int, ...], after: tuple[int, ...]) -> dict[str, int]:
    weights = before[-1] * layer.units
    madds = weights * math.prod(after[:-1])
    return product_counts(weights, madds, layer.units if layer.use_bias else 0)


def product_counts(weights: int, madds: int, bias: int) -> dict[str, int]:
    """What a layer counts whose MAdds are the same by every convention."""
    return {
        "weights": weights,
        "bias": bias,
        "madds": madds,
        "madds_shared": madds,
        "madds_executed": madds,
    }


def _normalization(layer, before: tuple[int, ...], after: tuple[int, ...]) -> dict[str, int]:
    parameters = (getattr(layer, name, None) for name in ("gamma", "beta"))
    return {"batch_norm": sum(math.prod(one.shape) for one in parameters if one is not None)}


def _prelu(layer, before: tuple[int, ...], after: tuple[int, ...]) -> dict[str, int]:
    return {"bias": math.prod(layer.alpha.shape)}


def _rnnpool(layer, before: tuple[int, ...], after: tuple[int, ...]) -> dict[str, int]:
    return pool_counts(layer.geometry, before, layer.hidden1, layer.hidden2)


def _l2_normalization(layer, before: tuple[int, ...], after: tuple[int, ...]) -> dict[str, int]:
    return {"bias": 0 if layer.scale is None else before[-1]}


def _recurrent_pool(layer, before: tuple[int, ...], after: tuple[int, ...]) -> dict[str, int]:
    """RNNPool with as many matrices as the cell has gates and candidates."""
    counted = pool_counts(layer.geometry, before, layer.hidden1, layer.hidden2)
    counted = {key: _matrices(layer) * value for key, value in counted.items()}
    biases = _BIASES[layer.cell] * (layer.hidden1 + layer.hidden2)
    return {**counted, "bias": biases}


def _renet(layer, before: tuple[int, ...], after: tuple[int, ...]) -> dict[str, int]:
    rows, columns, outputs = after
    units, matrices = layer.units, _matrices(layer)
    pixels = math.prod(layer.window) * before[-1]
    # Two networks along each axis; the second axis reads both of the first.
    weights = 2 * matrices * units * (pixels + units + outputs + units)
    counted = product_counts(weights, weights * rows * columns, 4 * _BIASES[layer.cell] * units)
    # Every sweep starts without a recurrent product.
    counted["madds_executed"] -= 2 * matrices * units * units * (rows + columns)
    return counted


def _matrices(layer) -> int:
    # Imported late: what has no such layers is counted without TensorFlow, or before it is known
    # which Keras it shall come with.
    from rnnpool_tf.layers.gated_cells import MATRICES

    return MATRICES[layer.cell]


# Biases of a cell per unit.
_BIASES = {"gru": 6, "lstm": 4}

_COUNTERS = {
    "Conv2D": _convolution,
    "DepthwiseConv2D": _convolution,
    "SeparableConv2D": _separable,
    "Conv2DTranspose": _transposed,
    "Dense": _dense,
    "BatchNormalization": _normalization,
    "LayerNormalization": _normalization,
    "GroupNormalization": _normalization,
    "LayerScale": _normalization,  # of ConvNeXt
    "PReLU": _prelu,
    "Normalization": _normalization,
    "L2Normalization": _l2_normalization,
    "RNNPoolLayer": _rnnpool,
    "ReNetLayer": _renet,
    "RecurrentPoolLayer": _recurrent_pool,
}

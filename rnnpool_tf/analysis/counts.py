"""Parameters and multiply-accumulates (MAdds) of a Keras model, layer by layer.

Conventions, those of the paper's tables where it states any:

* MAdds are the multiply-accumulates of convolutions, Dense layers and RNNPool's matrix products;
  elementwise work is not counted.
* RNNPool's grid is the valid patch grid: repeated rows and columns cost nothing.
* ζ and ν count as parameters of every RNN cell, as in EdgeML, even where they are constants.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rnnpool_tf.layers.gated_cells import MATRICES


@dataclass(frozen=True)
class LayerCount:
    """Counts of one layer.

    Attributes:
        name: Name of the layer.
        kind: Class of the layer.
        output_shape: (height, width, channels) or shorter, without the batch.
        weights: Entries of kernels and recurrent matrices.
        batch_norm: γ and β of BatchNorm (moving averages are not parameters).
        bias: Biases, the scales of L2Normalization, and 2 for ζ and ν of every RNN cell.
        madds: Multiply-accumulates per image, every patch computed from scratch.
        madds_shared: The same with `W·x` of RNNPool computed once per pixel and summary, which is
            how the paper counts (`madds` for other layers).
    """

    name: str
    kind: str
    output_shape: tuple
    weights: int = 0
    batch_norm: int = 0
    bias: int = 0
    madds: int = 0
    madds_shared: int = 0


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


def count(model) -> ModelCount:
    """Counts a float Keras model with known input size.

    Args:
        model: A functional or sequential `keras.Model`; not one that is wrapped for
            quantisation-aware training or pruning.

    Raises:
        ValueError: The input size is unknown, or a layer with parameters is of an unknown kind.

    Example:

    >>> from rnnpool_tf.models import visual_wake_words
    >>> count(visual_wake_words((224, 224, 3))).params
    281902
    """
    return ModelCount(tuple(_count_layer(layer) for layer in model.layers))


def _count_layer(layer) -> LayerCount:
    kind = type(layer).__name__
    shape = tuple(layer.output.shape[1:]) if not isinstance(layer.output, list) else ()
    if kind in _COUNTERS:
        if None in shape or None in tuple(layer.input.shape[1:]):
            raise ValueError(
                f"`model` must have a known input size. Received: {layer.name} with output {shape}"
            )
        return LayerCount(layer.name, kind, shape, **_COUNTERS[kind](layer))
    if layer.weights:
        raise ValueError(
            "`model` must consist of convolutions, Dense, BatchNormalization, L2Normalization, "
            f"RNNPoolLayer and layers without weights. Received: {layer.name} of type {kind}"
        )
    return LayerCount(layer.name, kind, shape)


def _convolution(layer) -> dict[str, int]:
    height, width, filters = layer.output.shape[1:]
    if type(layer).__name__ == "DepthwiseConv2D":
        weights = math.prod(layer.kernel_size) * filters
    else:
        weights = math.prod(layer.kernel_size) * layer.input.shape[-1] // layer.groups * filters
    madds = weights * height * width
    bias = filters if layer.use_bias else 0
    return {"weights": weights, "bias": bias, "madds": madds, "madds_shared": madds}


def _dense(layer) -> dict[str, int]:
    weights = layer.input.shape[-1] * layer.units
    madds = weights * math.prod(layer.output.shape[1:-1])
    bias = layer.units if layer.use_bias else 0
    return {"weights": weights, "bias": bias, "madds": madds, "madds_shared": madds}


def _batch_norm(layer) -> dict[str, int]:
    return {"batch_norm": layer.input.shape[-1] * (bool(layer.scale) + bool(layer.center))}


def _rnnpool(layer) -> dict[str, int]:
    height, width, k = layer.input.shape[1:]
    h1, h2 = layer.hidden1, layer.hidden2
    ph, pw = layer.geometry.pool_size
    rows, columns = layer.geometry.axes(height, width)
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
    }


def _recurrent_pool(layer) -> dict[str, int]:
    """RNNPool with as many matrices as the cell has gates and candidates."""
    matrices = MATRICES[layer.cell]
    counted = {key: matrices * value for key, value in _rnnpool(layer).items()}
    biases = _BIASES[layer.cell] * (layer.hidden1 + layer.hidden2)
    return {**counted, "bias": biases}


def _renet(layer) -> dict[str, int]:
    rows, columns, outputs = layer.output.shape[1:]
    units, matrices = layer.units, MATRICES[layer.cell]
    pixels = math.prod(layer.window) * layer.input.shape[-1]
    # Two networks along each axis; the second axis reads both of the first.
    weights = 2 * matrices * units * (pixels + units + outputs + units)
    madds = weights * rows * columns
    bias = 4 * _BIASES[layer.cell] * units
    return {"weights": weights, "bias": bias, "madds": madds, "madds_shared": madds}


def _l2_normalization(layer) -> dict[str, int]:
    return {"bias": 0 if layer.scale is None else layer.input.shape[-1]}


# Biases of a cell per unit.
_BIASES = {"gru": 6, "lstm": 4}

_COUNTERS = {
    "Conv2D": _convolution,
    "DepthwiseConv2D": _convolution,
    "Dense": _dense,
    "BatchNormalization": _batch_norm,
    "L2Normalization": _l2_normalization,
    "RNNPoolLayer": _rnnpool,
    "ReNetLayer": _renet,
    "RecurrentPoolLayer": _recurrent_pool,
}

"""How sparse a model is, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpool_tf.compression.checks import require_model, unwrap
from rnnpool_tf.compression.pruning_targets import PAPER_RNNPOOL_SPARSITY
from rnnpool_tf.layers import RNNPoolLayer

_KERNELS = ("kernel", "depthwise_kernel")


@dataclass(frozen=True)
class WeightSparsity:
    """One weight tensor: its layer (name in the float model), attribute, shape and zeros."""

    layer: str
    weight: str
    shape: tuple[int, ...]
    zeros: int

    @property
    def size(self) -> int:
        return int(np.prod(self.shape))

    @property
    def sparsity(self) -> float:
        return self.zeros / self.size


@dataclass(frozen=True)
class SparsityReport:
    """Rows in model order; `str(report)` is a table, `sparsity` the fraction of zeros overall."""

    rows: tuple[WeightSparsity, ...]

    @property
    def sparsity(self) -> float:
        return sum(row.zeros for row in self.rows) / max(sum(row.size for row in self.rows), 1)

    def __str__(self) -> str:
        table = [("layer", "weight", "shape", "zeros", "sparsity")]
        for row in self.rows:
            shape = "x".join(map(str, row.shape))
            zeros = f"{row.zeros}/{row.size}"
            table.append((row.layer, row.weight, shape, zeros, f"{row.sparsity:.1%}"))
        zeros, size = sum(row.zeros for row in self.rows), sum(row.size for row in self.rows)
        table.append(("total", "", "", f"{zeros}/{size}", f"{self.sparsity:.1%}"))
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = ("  ".join(f"{c:<{w}}" for c, w in zip(r, widths, strict=True)) for r in table)
        return "\n".join(line.rstrip() for line in lines)


def sparsity_report(model) -> SparsityReport:
    """Counts the zeros in the kernels of Conv2D, DepthwiseConv2D, Dense and RNNPool layers.

    Args:
        model: A functional or sequential tf_keras model: float, being pruned, or QAT. Of a QAT
            model the trained float weights are counted, not the int8 values, which hold these
            zeros and those that rounding adds.

    Raises:
        RuntimeError: `tf.keras` is Keras 3. ValueError: not such a model.

    Example:

    >>> print(sparsity_report(model))
    """
    require_model(model, "sparsity_report()")
    rows = []
    for layer in model.layers:
        inner = unwrap(layer)
        wanted = PAPER_RNNPOOL_SPARSITY if isinstance(inner, RNNPoolLayer) else _KERNELS
        # By variable name: inside a QAT wrapper the attribute holds the fake-quantised tensor.
        variables = {v.name.split("/")[-1].split(":")[0]: v for v in layer.weights}
        for name in wanted:
            if name in variables:
                values = variables[name].numpy()
                rows.append(
                    WeightSparsity(inner.name, name, values.shape, int(np.sum(values == 0)))
                )
    return SparsityReport(tuple(rows))

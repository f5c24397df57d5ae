"""Filling a network with parameters trained with EdgeML's PyTorch code."""

from __future__ import annotations

import numpy as np

from rnnpool_tf.models.edgeml.arrays import read_arrays
from rnnpool_tf.models.edgeml.names import prefixes

# Constants instead of trained ζ, ν change the output by about this times the number of steps.
_ZETA_NU_TOLERANCE = 1e-4


def load_edgeml_state_dict(model, state_dict) -> None:
    """Fills a network with the parameters of EdgeML's network of the same architecture.

    | made by | EdgeML's network |
    |---|---|
    | `visual_wake_words` | `model_mobilenet_rnnpool` |
    | `face_c` | `RPool_Face_C` |
    | `face_quant` | `RPool_Face_Quant` |
    | `face_m4` | `RPool_Face_M4` |
    | `face_qvga` | `RPool_Face_QVGA_monochrome` |

    Args:
        model: From its builder with `padding="pytorch"` and the sizes it was trained with; with
            "same" the parameters fit too, but the results differ. Build it with
            `trainable_zeta_nu=True` to keep trained ζ and ν exactly.
        state_dict: Parameter name → array or tensor, as `torch.load` gives it; or an .npz file of
            such arrays, opened or as a path. A leading "module." of the names and an enclosing
            "state_dict" or "weight" are removed. Where names begin with "sd/", only these are
            taken, without it.

    Raises:
        ValueError: Another network or a wrapped one; a parameter is missing, left over or of
            another shape; or ζ, ν differ from 1, 0 and the model holds them constant. Nothing is
            loaded then.
        FileNotFoundError: No file of this name.

    Example (with PyTorch at hand):

        model = visual_wake_words(padding="pytorch", trainable_zeta_nu=True)
        load_edgeml_state_dict(model, torch.load("vww.pth", map_location="cpu"))
    """
    arrays = read_arrays(state_dict)
    assignments = []
    for layer_name, prefix in prefixes(model):
        layer = model.get_layer(layer_name)
        if type(layer).__name__ == "RNNPoolLayer":
            assignments += _rnnpool(layer, prefix, arrays)
        else:
            assignments += [
                (variable, _take(arrays, f"{prefix}.{name}", variable.shape, axes))
                for variable, name, axes in _parameters(layer)
            ]
    if arrays:
        unused = sorted(arrays)
        raise ValueError(
            "`state_dict` must hold the parameters of this network only. "
            f"Received also: {', '.join(unused[:5])}{' …' if len(unused) > 5 else ''}"
        )
    for variable, value in assignments:
        variable.assign(value)


def _parameters(layer):
    """(variable, PyTorch's parameter name, axes that bring PyTorch's layout into Keras's)."""
    kind = type(layer).__name__
    if kind == "BatchNormalization":
        return [
            (layer.gamma, "weight", (0,)),
            (layer.beta, "bias", (0,)),
            (layer.moving_mean, "running_mean", (0,)),
            (layer.moving_variance, "running_var", (0,)),
        ]
    if kind == "L2Normalization":
        return [(layer.scale, "weight", (0,))]
    if kind == "DepthwiseConv2D":
        kernel = layer.depthwise_kernel if hasattr(layer, "depthwise_kernel") else layer.kernel
        return [(kernel, "weight", (2, 3, 0, 1))]
    axes = (2, 3, 1, 0) if kind == "Conv2D" else (1, 0)
    bias = [(layer.bias, "bias", (0,))] if layer.use_bias else []
    return [(layer.kernel, "weight", axes), *bias]


def _rnnpool(layer, prefix, arrays):
    assignments, logits = [], []
    for index, cell in ((1, "cell_rnn"), (2, "cell_bidirrnn")):
        cell = f"{prefix}.{cell}.cell"
        for attribute, name in (("kernel", "W"), ("recurrent_kernel", "U")):
            variable = getattr(layer, f"{attribute}{index}")
            assignments.append((variable, _take(arrays, f"{cell}.{name}", variable.shape)))
        for attribute in ("bias_gate", "bias_update"):
            variable = getattr(layer, f"{attribute}{index}")
            row = _take(arrays, f"{cell}.{attribute}", (1, *variable.shape))
            assignments.append((variable, row[0]))
        logits.append([_take(arrays, f"{cell}.{name}", (1, 1)).item() for name in ("zeta", "nu")])
    logits = np.array(logits, np.float32)
    if layer.trainable_zeta_nu:
        return [*assignments, (layer.zeta_nu, logits)]
    deviation = np.abs(1 / (1 + np.exp(-logits.astype(np.float64))) - (1, 0)).max()
    if not deviation <= _ZETA_NU_TOLERANCE:
        raise ValueError(
            "ζ and ν must be 1 and 0 within 1e-4 for a network that holds them constant; build it "
            f"with trainable_zeta_nu=True. Received: a deviation of {deviation:.2g}"
        )
    return assignments


def _take(arrays, name, shape, axes=(0, 1)):
    """Removes a parameter from `arrays` and returns it in Keras's layout, which has `shape`."""
    if name not in arrays:
        raise ValueError(f"`state_dict` must hold the parameter {name!r}. Received: none")
    value = arrays.pop(name)
    expected = tuple(shape[axes.index(axis)] for axis in range(len(axes)))
    if value.shape != expected:
        raise ValueError(
            f"`state_dict` must fit the network: {name} has the shape {expected} there. "
            f"Received: shape {value.shape}"
        )
    return value.transpose(axes)

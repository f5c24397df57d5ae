"""Loading parameters trained with EdgeML's PyTorch code."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rnnpool_tf.models.visual_wake_words import STAGES

# Constants instead of trained ζ, ν change the output by about this times the number of steps.
_ZETA_NU_TOLERANCE = 1e-4


def load_edgeml_state_dict(model, state_dict: Mapping) -> None:
    """Fills a Visual Wake Words network with the parameters of EdgeML's `model_mobilenet_rnnpool`.

    Args:
        model: From `visual_wake_words(..., padding="pytorch")`, with the sizes it was trained
            with. Build it with `trainable_zeta_nu=True` to keep trained ζ and ν exactly.
        state_dict: Parameter name → array or tensor, as `torch.load` gives it; a leading
            "module." of the names and an enclosing "state_dict" are removed.

    Raises:
        ValueError: A parameter is missing, left over or of another shape, or ζ, ν differ from
            1, 0 and the model holds them constant. Nothing is loaded then.

    Example (with PyTorch at hand):

        model = visual_wake_words(padding="pytorch", trainable_zeta_nu=True)
        load_edgeml_state_dict(model, torch.load("vww.pth", map_location="cpu"))
    """
    arrays = _to_arrays(state_dict)
    assignments = []
    for layer_name, prefix in _prefixes():
        layer = model.get_layer(layer_name)
        if prefix is None:
            assignments += _rnnpool(layer, arrays)
        else:
            assignments += [
                (variable, _take(arrays, f"{prefix}.{name}", axes))
                for variable, name, axes in _parameters(layer)
            ]
    unused = sorted(name for name in arrays if not name.endswith("num_batches_tracked"))
    if unused:
        raise ValueError(
            "`state_dict` must hold the parameters of this network only. "
            f"Received also: {', '.join(unused[:5])}{' …' if len(unused) > 5 else ''}"
        )
    for variable, value in assignments:
        if tuple(variable.shape) != value.shape:
            raise ValueError(
                f"`state_dict` must fit the network: {variable.name} has shape "
                f"{tuple(variable.shape)}. Received: shape {value.shape}"
            )
    for variable, value in assignments:
        variable.assign(value)


def _to_arrays(state_dict):
    if isinstance(state_dict.get("state_dict"), Mapping):
        state_dict = state_dict["state_dict"]
    arrays = {}
    for name, value in state_dict.items():
        value = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
        arrays[name.removeprefix("module.")] = value
    return arrays


def _prefixes():
    """Pairs of a Keras layer's name and the prefix of its parameters; None for RNNPool."""
    yield "stem", "features_init.0"
    yield "stem_bn", "features_init.1"
    yield "pool", None
    blocks = sum(stage.repetitions for stage in STAGES)
    for block in range(blocks):
        for name, part in (("expand", "0.0"), ("depthwise", "1.0"), ("project", "2")):
            yield f"block{block + 1}_{name}", f"features.{block}.conv.{part}"
            norm = "3" if name == "project" else f"{part[0]}.1"
            yield f"block{block + 1}_{name}_bn", f"features.{block}.conv.{norm}"
    yield "last", f"features.{blocks}.0"
    yield "last_bn", f"features.{blocks}.1"
    yield "logits", "classifier.1"


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
    if kind == "DepthwiseConv2D":
        kernel = layer.depthwise_kernel if hasattr(layer, "depthwise_kernel") else layer.kernel
        return [(kernel, "weight", (2, 3, 0, 1))]
    if kind == "Conv2D":
        return [(layer.kernel, "weight", (2, 3, 1, 0))]
    return [(layer.kernel, "weight", (1, 0)), (layer.bias, "bias", (0,))]


def _rnnpool(layer, arrays):
    assignments, logits = [], []
    for index, cell in ((1, "cell_rnn"), (2, "cell_bidirrnn")):
        prefix = f"rnn_model.{cell}.cell"
        for attribute, name in (("kernel", "W"), ("recurrent_kernel", "U")):
            variable = getattr(layer, f"{attribute}{index}")
            assignments.append((variable, _take(arrays, f"{prefix}.{name}", (0, 1))))
        for attribute in ("bias_gate", "bias_update"):
            variable = getattr(layer, f"{attribute}{index}")
            assignments.append((variable, _take(arrays, f"{prefix}.{attribute}", None).ravel()))
        logits.append([_take(arrays, f"{prefix}.{name}", None).item() for name in ("zeta", "nu")])
    logits = np.array(logits, np.float32)
    if layer.trainable_zeta_nu:
        return [*assignments, (layer.zeta_nu, logits)]
    deviation = np.abs(1 / (1 + np.exp(-logits.astype(np.float64))) - (1, 0)).max()
    if deviation > _ZETA_NU_TOLERANCE:
        raise ValueError(
            "ζ and ν must be 1 and 0 within 1e-4 for a network that holds them constant; build it "
            f"with trainable_zeta_nu=True. Received: a deviation of {deviation:.2g}"
        )
    return assignments


def _take(arrays, name, axes):
    if name not in arrays:
        raise ValueError(f"`state_dict` must hold the parameter {name!r}. Received: none")
    value = arrays.pop(name)
    return value if axes is None else value.transpose(axes)

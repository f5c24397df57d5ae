"""Magnitude pruning of a whole model: convolutions, Dense and RNNPool's matrices."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from rnnpool_tf._keras import keras, require_legacy_keras
from rnnpool_tf.compression.checks import is_quantized, require_model, rnnpool_layers, unwrap
from rnnpool_tf.layers import RNNPoolLayer

#: Zeros of the paper's sparse face model (M4): 50 % of W1, 70 % of U1, W2 and U2.
PAPER_RNNPOOL_SPARSITY = {
    "kernel1": 0.5,
    "recurrent_kernel1": 0.7,
    "kernel2": 0.7,
    "recurrent_kernel2": 0.7,
}

_SCHEDULES = ("polynomial", "constant", "iht")
_log = logging.getLogger(__name__)


def prune(
    model,
    sparsity: float = 0.5,
    *,
    schedule: str = "polynomial",
    end_step: int | None = None,
    begin_step: int = 1,
    initial_sparsity: float = 0.0,
    frequency: int = 100,
    rnnpool_sparsity: float | str | Mapping[str, float] | None = None,
    layer_sparsity: Mapping[str, float] | None = None,
    prune_stem: bool = False,
    prune_depthwise: bool = False,
):
    """Returns a copy of `model` whose smallest weights become zero while it trains.

    Train the result with `callbacks=pruning_callbacks()` and a `tf_keras` optimizer, then call
    `strip_pruning()`. Pruned are the kernels of Conv2D and Dense and the four matrices of every
    RNNPoolLayer; BatchNormalization and biases never.

    Args:
        model: Built functional or sequential tf_keras model; its weights are copied, the model
            itself is left alone. One without RNNPool layers is pruned too, and that is logged.
        sparsity: Fraction of zeros at the end, 0 <= sparsity < 1; 0 leaves Conv2D and Dense dense.
        schedule: "polynomial" goes from `initial_sparsity` at `begin_step` to `sparsity` at
            `end_step` by a cubic, most of it early; "constant" prunes to `sparsity` from
            `begin_step` on, choosing again every `frequency` steps; "iht" is the paper's iterative
            hard thresholding: `sparsity` from the first step, chosen again at every step.
        end_step: Last training step at which the choice changes, needed by "polynomial"; leave
            some epochs after it.
        begin_step: First training step that prunes, from 1.
        initial_sparsity: Where "polynomial" starts.
        frequency: Steps between two choices.
        rnnpool_sparsity: For the RNNPool matrices instead of `sparsity`: one number; a mapping of
            `kernel1`, `recurrent_kernel1`, `kernel2`, `recurrent_kernel2` (those left out stay
            dense); or "paper" for `PAPER_RNNPOOL_SPARSITY`.
        layer_sparsity: `{layer name: sparsity}` for layers that differ, of any of the kinds above.
        prune_stem: Prune the first Conv2D too (few weights, and all else depends on it).
        prune_depthwise: Prune DepthwiseConv2D too.

    Returns:
        The model wrapped for pruning.

    Raises:
        RuntimeError: `tf.keras` is Keras 3 in this process.
        ValueError: Not such a model, already quantised or wrapped, a number out of its range, an
            unknown schedule, layer or matrix name, or nothing to prune.

    Example, the paper's recipe (RNNPool only, iterative hard thresholding):

    >>> pruned = prune(model, 0.0, schedule="iht", rnnpool_sparsity="paper")
    >>> pruned.compile(tf.keras.optimizers.SGD(0.01, momentum=0.9), loss)
    >>> pruned.fit(images, labels, callbacks=pruning_callbacks())
    >>> model = strip_pruning(pruned)
    """
    require_model(model, "prune()")
    if is_quantized(model):
        raise ValueError(
            "prune() comes before quantize(): prune the float model, then "
            f"quantize(..., preserve_sparsity=True). Received: '{model.name}', already quantised"
        )
    from rnnpool_tf.compression.pruning_wrapper import PruneMatrices

    for layer in model.layers:
        if hasattr(layer, "pruning_obj"):
            raise ValueError(
                "prune() needs a model that is not wrapped for pruning yet; call strip_pruning() "
                f"first. Received: '{layer.name}' of the model '{model.name}'"
            )
    make_schedule = _schedule_factory(schedule, begin_step, end_step, initial_sparsity, frequency)
    targets = _targets(
        model, sparsity, rnnpool_sparsity, layer_sparsity or {}, prune_stem, prune_depthwise
    )
    if not rnnpool_layers(model):
        _log.warning("prune(): '%s' has no RNNPoolLayer; pruning the rest", model.name)

    def wrap(layer):
        copy = _copy(layer)
        matrices = {name: make_schedule(s) for name, s in targets.get(layer.name, {}).items()}
        return PruneMatrices(copy, matrices) if matrices else copy

    pruned = keras.models.clone_model(model, clone_function=wrap)
    _copy_weights(model, pruned)
    return pruned


def pruning_callbacks() -> list:
    """Returns the callbacks that `fit` needs for a model made by `prune()`.

    Raises:
        RuntimeError: `tf.keras` is Keras 3 in this process.
    """
    require_legacy_keras("pruning_callbacks()")
    import tensorflow_model_optimization as tfmot

    return [tfmot.sparsity.keras.UpdatePruningStep()]


def strip_pruning(model):
    """Returns a copy of the model without pruning wrappers, its pruned weights exactly zero.

    Args:
        model: A model made by `prune()`, trained.

    Raises:
        RuntimeError: `tf.keras` is Keras 3. ValueError: `model` has no pruning wrapper.
    """
    require_model(model, "strip_pruning()")
    wrapped = [layer for layer in model.layers if hasattr(layer, "pruning_obj")]
    if not wrapped:
        raise ValueError(
            f"strip_pruning() needs a model made by prune(). Received: '{model.name}', which has "
            "no pruning wrapper"
        )
    for layer in wrapped:
        # The optimizer has moved the masked weights since the last forward pass.
        layer.pruning_obj.weight_mask_op()
    stripped = keras.models.clone_model(model, clone_function=lambda x: _copy(unwrap(x)))
    _copy_weights(model, stripped)
    return stripped


def _copy(layer):
    # clone_model would otherwise share the caller's layer, and its weights, with the new model.
    return layer.__class__.from_config(layer.get_config())


def _copy_weights(source, target) -> None:
    weights = {unwrap(layer).name: unwrap(layer).get_weights() for layer in source.layers}
    for layer in target.layers:
        layer.set_weights(weights[unwrap(layer).name])


def _targets(model, sparsity, rnnpool_sparsity, layer_sparsity, prune_stem, prune_depthwise):
    """Returns {layer name: {attribute name: sparsity > 0}}."""
    _check_fraction("sparsity", sparsity)
    layers = keras.layers
    names = {layer.name for layer in model.layers}
    for name, value in layer_sparsity.items():
        _check_fraction(f"layer_sparsity[{name!r}]", value)
        if name not in names:
            raise ValueError(
                f"`layer_sparsity` must name layers of '{model.name}'. Received: {name!r}"
            )
    stem = next((x.name for x in model.layers if type(x) is layers.Conv2D), None)
    targets = {}
    for layer in model.layers:
        own = layer_sparsity.get(layer.name)
        if isinstance(layer, RNNPoolLayer):
            wanted = own if own is not None else rnnpool_sparsity
            matrices = _rnnpool_targets(sparsity if wanted is None else wanted)
        elif type(layer) in (layers.Conv2D, layers.Dense):
            default = 0.0 if layer.name == stem and not prune_stem else sparsity
            matrices = {"kernel": default if own is None else own}
        elif type(layer) is layers.DepthwiseConv2D:
            default = sparsity if prune_depthwise else 0.0
            matrices = {"depthwise_kernel": default if own is None else own}
        elif own is not None:
            raise ValueError(
                "`layer_sparsity` must name Conv2D, DepthwiseConv2D, Dense or RNNPool layers. "
                f"Received: '{layer.name}', a {type(layer).__name__}"
            )
        else:
            continue
        targets[layer.name] = {name: value for name, value in matrices.items() if value > 0}
    if not any(targets.values()):
        raise ValueError(
            f"prune() found nothing to prune in '{model.name}': no Conv2D, Dense or RNNPool layer "
            f"with a sparsity above 0. Received: sparsity={sparsity}, "
            f"rnnpool_sparsity={rnnpool_sparsity}"
        )
    return targets


def _rnnpool_targets(wanted) -> dict[str, float]:
    if isinstance(wanted, str):
        if wanted != "paper":
            raise ValueError(
                "`rnnpool_sparsity` must be a number, a mapping or 'paper'. "
                f"Received: rnnpool_sparsity={wanted!r}"
            )
        return PAPER_RNNPOOL_SPARSITY
    if not isinstance(wanted, Mapping):
        _check_fraction("rnnpool_sparsity", wanted)
        return dict.fromkeys(PAPER_RNNPOOL_SPARSITY, wanted)
    for name, value in wanted.items():
        if name not in PAPER_RNNPOOL_SPARSITY:
            raise ValueError(
                f"`rnnpool_sparsity` must name matrices out of {list(PAPER_RNNPOOL_SPARSITY)}. "
                f"Received: {name!r}"
            )
        _check_fraction(f"rnnpool_sparsity[{name!r}]", value)
    return {name: wanted[name] for name in PAPER_RNNPOOL_SPARSITY if name in wanted}


def _schedule_factory(schedule, begin_step, end_step, initial_sparsity, frequency):
    """Returns a function from final sparsity to tfmot schedule."""
    import tensorflow_model_optimization as tfmot

    if schedule not in _SCHEDULES:
        raise ValueError(f"`schedule` must be one of {_SCHEDULES}. Received: schedule={schedule!r}")
    _check_fraction("initial_sparsity", initial_sparsity)
    for name, value in (("begin_step", begin_step), ("frequency", frequency)):
        if not isinstance(value, int) or value < 1:
            raise ValueError(f"`{name}` must be an integer of 1 or more. Received: {name}={value}")
    if schedule == "iht":
        return lambda s: tfmot.sparsity.keras.ConstantSparsity(s, begin_step=1, frequency=1)
    if schedule == "constant":
        return lambda s: tfmot.sparsity.keras.ConstantSparsity(
            s, begin_step=begin_step, frequency=frequency
        )
    if not isinstance(end_step, int) or end_step <= begin_step:
        raise ValueError(
            "`end_step` must be an integer above `begin_step` for the polynomial schedule, e.g. "
            "steps per epoch times the number of pruning epochs. Received: "
            f"end_step={end_step}, begin_step={begin_step}"
        )
    frequency = min(frequency, end_step - begin_step)
    # tfmot updates at begin + k*frequency only; unless the last of these is end_step, the final
    # sparsity is never reached.
    begin_step += (end_step - begin_step) % frequency
    return lambda s: tfmot.sparsity.keras.PolynomialDecay(
        min(initial_sparsity, s), s, begin_step, end_step, frequency=frequency
    )


def _check_fraction(name: str, value) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1:
        raise ValueError(
            f"`{name}` must be a fraction of zeros, 0 <= {name} < 1. Received: {name}={value!r}"
        )

"""Magnitude pruning of a whole model: convolutions, Dense and RNNPool's matrices."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from rnnpool_tf._keras import keras, require_legacy_keras
from rnnpool_tf.compression.checks import is_quantized, require_model, rnnpool_layers, unwrap
from rnnpool_tf.compression.pruning_schedules import schedule_maker
from rnnpool_tf.compression.pruning_targets import Choice, targets

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
    pattern: str = "1x1",
    layer_pattern: Mapping[str, str] | None = None,
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
        pattern: Which weights of a unit become zero together, along its inputs (Conv2D: its input
            channels): "1x1" any; "1x2" the neighbouring inputs 0 and 1, 2 and 3, …, by the sum of
            their magnitudes, `sparsity` being that of pairs (the last of an odd number of inputs is
            a pair of one); "2:4" two of every four inputs (of a rest of one to three, half is kept,
            rounded up), which is a sparsity of 0.5 from `begin_step` on: "polynomial" then chooses
            anew until `end_step` and increases nothing. Depthwise kernels, whose outputs have one
            input channel each, are always "1x1".
        layer_pattern: `{layer name: pattern}` for layers that differ.
        prune_stem: Prune the first Conv2D too (few weights, and all else depends on it).
        prune_depthwise: Prune DepthwiseConv2D too.

    Returns:
        The model wrapped for pruning.

    Raises:
        RuntimeError: `tf.keras` is Keras 3 in this process.
        ValueError: Not such a model, already quantised or wrapped, a number out of its range, an
            unknown schedule, pattern, layer or matrix name, "2:4" with another sparsity than 0.5,
            or nothing to prune.

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
    make_schedule = schedule_maker(schedule, begin_step, end_step, initial_sparsity, frequency)
    choice = Choice(
        sparsity,
        rnnpool_sparsity,
        layer_sparsity or {},
        pattern,
        layer_pattern or {},
        prune_stem,
        prune_depthwise,
    )
    chosen = targets(model, choice)
    if not rnnpool_layers(model):
        _log.warning("prune(): '%s' has no RNNPoolLayer; pruning the rest", model.name)

    def wrap(layer):
        copy = _copy(layer)
        matrices = chosen.get(layer.name)
        if not matrices:
            return copy
        return PruneMatrices(
            copy,
            {name: make_schedule(target) for name, target in matrices.items()},
            {name: target.pattern for name, target in matrices.items()},
        )

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

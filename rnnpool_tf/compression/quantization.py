"""`quantize()`: one call from a float model to a model that trains with int8 in mind."""

from __future__ import annotations

import logging

from rnnpool_tf._keras import keras, require_legacy_keras
from rnnpool_tf.compression.checks import is_quantized, nodes_in, require_model, rnnpool_layers
from rnnpool_tf.compression.l2_scales import fold_l2_scales
from rnnpool_tf.compression.ranges import calibrate, refresh_weight_ranges
from rnnpool_tf.layers import RNNPoolLayer

_log = logging.getLogger(__name__)


def quantize(model, calibration=None, *, preserve_sparsity: bool = False):
    """Returns a copy of `model` for quantisation-aware training (QAT), RNNPool layers included.

    Every tensor the int8 model will hold is fake-quantised: convolutions and Dense as tfmot's
    default 8-bit scheme does (BatchNormalization and ReLU after a convolution are treated as
    folded into it), RNNPool's matrices per tensor and symmetric, its output on the operator's
    fixed grid k/128 (`rnnpool_tf.compression.configs`). The scale of an L2Normalization is folded
    into the layers behind it (`fold_l2_scales`). The weight ranges are set at once, so the result
    can be evaluated or converted without training.

    Compile the result with a `tf_keras` optimizer (`tf.keras.optimizers` in this process).

    Args:
        model: Built functional or sequential tf_keras model; trained weights are copied, the
            model itself is left alone. A model without RNNPool layers is quantised too, and
            that is logged.
        calibration: Inputs to set the activation ranges from: an array [N, H, W, C], or an
            iterable of batches (inputs, or tuples that begin with them), e.g.
            `dataset.take(20)`. Without it every range starts at [-6, 6] and needs thousands of
            training steps to become right. Needs a trained model: BatchNormalization that never
            saw data gives ranges that its first training step leaves.
        preserve_sparsity: Keep every weight that is exactly zero now (after pruning) at zero.

    Returns:
        The QAT model; its layers are named "quant_" + the original name.

    Raises:
        RuntimeError: `tf.keras` is Keras 3 in this process.
        ValueError: Not a functional or sequential model, already quantised, still wrapped for
            pruning, mixed precision, a layer that cannot be quantised, an RNNPoolLayer with
            `trainable_zeta_nu=True` (the int8 operator has ζ = 1 and ν = 0), or one whose output
            goes into a Concatenate.

    Example:

    >>> qat = rnnpool_tf.compression.quantize(model, calibration=images[:256])
    >>> qat.compile(tf.keras.optimizers.SGD(1e-3, momentum=0.9), loss)
    >>> qat.fit(images, labels, epochs=5)
    """
    require_model(model, "quantize()")
    if is_quantized(model):
        raise ValueError(
            f"quantize() needs a float model. Received: '{model.name}', already quantised"
        )
    import tensorflow_model_optimization as tfmot

    from rnnpool_tf.compression import configs

    model = fold_l2_scales(model)
    scheme = configs.RNNPoolQuantizeScheme(preserve_sparsity)
    _check_layers(model, scheme.get_quantize_registry())
    if not rnnpool_layers(model):
        _log.warning("quantize(): '%s' has no RNNPoolLayer; quantising the rest", model.name)

    with quantize_scope():
        annotated = tfmot.quantization.keras.quantize_annotate_model(model)
        qat = tfmot.quantization.keras.quantize_apply(annotated, scheme)
    refresh_weight_ranges(qat)
    if calibration is not None:
        calibrate(model, qat, calibration)
    return qat


def quantize_scope():
    """Returns a context manager under which QAT and pruned models can be deserialised.

    `load()` enters it by itself; it is for `tf.keras.models.load_model`, `clone_model` and
    `model_from_json`.

    Raises:
        RuntimeError: `tf.keras` is Keras 3 in this process.
    """
    require_legacy_keras("quantize_scope()")
    import tensorflow_model_optimization as tfmot

    from rnnpool_tf.compression import configs, pruning_wrapper

    return tfmot.quantization.keras.quantize_scope(
        configs.CUSTOM_OBJECTS, pruning_wrapper.CUSTOM_OBJECTS
    )


def _check_layers(model, registry) -> None:
    layers = keras.layers
    for layer in model.layers:
        where = f"'{layer.name}' ({type(layer).__name__}) of the model '{model.name}'"
        if type(layer).__name__ == "PruneLowMagnitude" or hasattr(layer, "pruning_obj"):
            raise ValueError(
                f"quantize() needs a model without pruning wrappers; call strip_pruning() first. "
                f"Received: {where}"
            )
        if layer.compute_dtype != "float32":
            raise ValueError(
                f"quantize() needs float32 layers, because fake quantisation works in float32; "
                f"rebuild the model without mixed precision. Received: {where} computing in "
                f"{layer.compute_dtype}"
            )
        if getattr(layer, "trainable_zeta_nu", False):
            raise ValueError(
                "quantize() needs RNNPool layers with trainable_zeta_nu=False, because the int8 "
                f"operator has ζ = 1 and ν = 0. Received: {where}"
            )
        if isinstance(layer, RNNPoolLayer) and _feeds_concatenation(model, layer):
            raise ValueError(
                "quantize() cannot join the output of an RNNPoolLayer with other tensors: its int8 "
                "grid is fixed at k/128, and TensorFlow's converter would force that grid on all "
                f"inputs of the Concatenate. Received: {where} in front of a Concatenate"
            )
        if isinstance(layer, layers.InputLayer) or registry.supports(layer):
            continue
        if isinstance(layer, layers.BatchNormalization) and _follows_convolution(model, layer):
            continue
        raise ValueError(
            "quantize() cannot quantise this layer: tfmot's 8-bit scheme has no entry for it "
            "(BatchNormalization only directly after Conv2D, DepthwiseConv2D or Dense; "
            f"preprocessing belongs outside the model). Received: {where}"
        )


def _follows_convolution(model, layer) -> bool:
    layers = keras.layers
    return all(
        isinstance(node.inbound_layers, layers.Conv2D | layers.DepthwiseConv2D | layers.Dense)
        for node in nodes_in(model, layer._inbound_nodes)
    )


def _feeds_concatenation(model, layer) -> bool:
    readers = nodes_in(model, layer._outbound_nodes)
    return any(isinstance(node.outbound_layer, keras.layers.Concatenate) for node in readers)

"""The quantisation ranges inside a QAT model: set from data, refreshed, read out as int8 scales."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from rnnpool_tf._keras import keras, require_legacy_keras
from rnnpool_tf.compression.checks import is_quantized, rnnpool_layers

_CALIBRATION_BATCH = 32


def refresh_weight_ranges(model) -> None:
    """Sets the range of every fake-quantised weight of a QAT model from its present value.

    tfmot stores a range during a training step and updates the weight after it, so between steps
    the stored range is one update old; in a model that was never trained it is [-6, 6], far too
    coarse for RNNPool's matrices. `quantize()` calls this; call it after setting weights by hand.
    Conversion does not need it: it reads the stored ranges through `weight_scales()`.

    Args:
        model: A model made by `quantize()`.

    Raises:
        RuntimeError: `tf.keras` is Keras 3.
        ValueError: `model` is not quantised.
    """
    require_legacy_keras("refresh_weight_ranges()")
    _require_quantized(model, "refresh_weight_ranges()")
    for layer in model.layers:
        for weight, quantizer, variables in getattr(layer, "_weight_vars", ()):
            quantizer(tf.convert_to_tensor(weight), True, weights=variables)


def weight_scales(model) -> dict[str, dict[str, np.float32]]:
    """Returns the exact int8 scale of every RNNPool matrix of a QAT model.

    Deriving a scale from the fake-quantised values alone (largest magnitude / 127) is wrong
    whenever no weight sits on the end of its stored range; this reads the range itself.

    Args:
        model: A model made by `quantize()`.

    Returns:
        `{layer name: {attribute name: scale}}` with the names of the float model and the four
        attributes of RNNPoolLayer; the weight is `scale * q`, q in [-127, 127]. float32, the
        value TensorFlow's FakeQuant computes with: (max - min) / 254; 1/127 for a matrix of zeros.

    Raises:
        RuntimeError: `tf.keras` is Keras 3.
        ValueError: `model` is not quantised.

    Example:

    >>> weight_scales(quantize(model))["rnnpool"]["kernel1"]
    0.0078...
    """
    return {
        layer: {name: scale for name, (scale, _) in matrices.items()}
        for layer, matrices in _read_matrices(model, "weight_scales()").items()
    }


def int8_weights(model) -> dict[str, dict[str, np.ndarray]]:
    """Returns the int8 values of every RNNPool matrix of a QAT model, in Keras layout [in, out].

    Args, Raises: as `weight_scales()`; multiply by its scale to get the fake-quantised weight.
    """
    return {
        layer: {name: values for name, (_, values) in matrices.items()}
        for layer, matrices in _read_matrices(model, "int8_weights()").items()
    }


def _read_matrices(model, feature: str) -> dict[str, dict[str, tuple[np.float32, np.ndarray]]]:
    require_legacy_keras(feature)
    _require_quantized(model, feature)
    from rnnpool_tf.compression.configs import MATRICES

    matrices = {}
    for wrapper in rnnpool_layers(model):
        read = {}
        for name, (weight, quantizer, variables) in zip(
            MATRICES, wrapper._weight_vars, strict=True
        ):
            low, high = (variables[key].numpy() for key in ("min_var", "max_var"))
            scale = np.float32(np.float32(high - low) / np.float32(254))
            if scale == 0:
                scale = np.float32(
                    1 / 127
                )  # Zeros lie on every grid, but a scale must be positive.
            fake = quantizer(tf.convert_to_tensor(weight), False, weights=variables).numpy()
            read[name] = (scale, np.round(fake / scale).astype(np.int8))
        matrices[wrapper.layer.name] = read
    return matrices


def calibrate(float_model, qat_model, data) -> int:
    """Sets the activation ranges of a QAT model from what the float model computes on `data`.

    tfmot starts every activation range at [-6, 6] and moves it by 0.1 % per training step, so a
    short QAT run would end on ranges that were never right. Each range becomes the mean over
    batches of the batch's minimum and maximum (the input's: the extremes over all batches).

    Args:
        float_model: The model `qat_model` was made from, with the same weights.
        qat_model: Changed in place.
        data: An array [N, ...] of inputs, or an iterable (e.g. a tf.data.Dataset) of batches,
            each an input array or an (input, label, …) tuple. A few hundred images are enough.

    Returns:
        The number of batches read.

    Raises:
        ValueError: `data` has no batch.
    """
    targets = _calibration_targets(float_model, qat_model)
    if not targets:
        return 0
    probe = keras.Model(float_model.inputs, [source for source, _, _ in targets])

    @tf.function
    def extremes(batch):
        outputs = probe(batch, training=False)
        outputs = outputs if isinstance(outputs, list) else [outputs]
        return tf.stack([(tf.reduce_min(x), tf.reduce_max(x)) for x in outputs])

    seen = np.array([extremes(batch).numpy() for batch in _batches(data)])
    if not len(seen):
        raise ValueError("`calibration` must hold at least one batch. Received: none")
    for index, (_, variables, keep_extremes) in enumerate(targets):
        lows, highs = seen[:, index, 0], seen[:, index, 1]
        low, high = (lows.min(), highs.max()) if keep_extremes else (lows.mean(), highs.mean())
        # TFLite needs zero inside every range.
        variables["min_var"].assign(min(low, 0.0))
        variables["max_var"].assign(max(high, 0.0))
    return len(seen)


def set_input_range(model, low: float, high: float) -> None:
    """Sets the range of the inputs of a QAT model, from which scale and zero point follow.

    Calibration images may not fill the range that pixels can have. With the range of (u8 - 128) /
    128, which is -1 to 127/128, the scale of the int8 input is exactly 1/128 and its zero point 0.

    Args:
        model: A model made by `quantize()`.
        low: Smallest value that the input can have; 0 or less.
        high: Largest value; 0 or more, and above `low`.

    Raises:
        RuntimeError: `tf.keras` is Keras 3.
        ValueError: `model` is not quantised, or zero is not within the range.
    """
    require_legacy_keras("set_input_range()")
    _require_quantized(model, "set_input_range()")
    if not low <= 0 <= high or low == high:
        raise ValueError(f"zero must be within `low` and `high`. Received: low={low}, high={high}")
    for layer in model.layers:
        if hasattr(layer, "quantizer_vars"):  # tfmot's layer behind an input
            layer.quantizer_vars["min_var"].assign(low)
            layer.quantizer_vars["max_var"].assign(high)


def _calibration_targets(float_model, qat_model) -> list:
    """Lists (tensor of the float model, range variables, whether the range only ever grows)."""
    from tensorflow_model_optimization.python.core.quantization.keras import (
        quantize_layer,
        quantize_wrapper,
    )

    targets = []
    for layer in qat_model.layers:
        if isinstance(layer, quantize_layer.QuantizeLayer) and layer.quantizer:
            position = [x.name for x in qat_model.inputs].index(layer.input.name)
            targets.append((float_model.inputs[position], layer.quantizer_vars, True))
        elif isinstance(layer, quantize_wrapper.QuantizeWrapper):
            ranges = [
                a._post_activation_vars
                for a in layer._quantize_activations
                if a._should_post_quantize()
            ]
            if layer._output_quantizers and layer._output_quantizer_vars:
                ranges.append(layer._output_quantizer_vars)
            source = float_model.get_layer(layer.layer.name).output if ranges else None
            targets += [(source, variables, False) for variables in ranges]
    return targets


def _batches(data) -> Iterable:
    if isinstance(data, np.ndarray | tf.Tensor):
        return (data[i : i + _CALIBRATION_BATCH] for i in range(0, len(data), _CALIBRATION_BATCH))
    if not isinstance(data, Iterable):
        raise ValueError(
            "`calibration` must be an array of inputs or an iterable of batches. "
            f"Received: {type(data).__qualname__}"
        )
    return (batch[0] if isinstance(batch, tuple | list) else batch for batch in data)


def _require_quantized(model, feature: str) -> None:
    if not is_quantized(model):
        received = getattr(model, "name", type(model).__qualname__)
        raise ValueError(
            f"{feature} needs a model made by quantize(). Received: '{received}', not quantised"
        )

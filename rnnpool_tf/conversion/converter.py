"""`convert()`: a Keras model to a .tflite file, its RNNPool layers to RNNPool operators."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from rnnpool_tf.captured_stderr import captured_stderr
from rnnpool_tf.conversion import int8, source
from rnnpool_tf.conversion.atomic_files import check_output, write_files
from rnnpool_tf.conversion.calibration import CalibrationError, samples
from rnnpool_tf.conversion.finishing import Note, check_choices, finish
from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.conversion.pool_grid import use_pool_grid
from rnnpool_tf.conversion.verification import verify
from rnnpool_tf.native import load

# Of RNNPool for tf.lite, in the native library; the converter finds it by name.
_REGISTERER = "RNNPoolRegisterer"
_INPUT_OUTPUT_TYPES = {"int8": tf.int8, "float32": tf.float32}


def convert(
    model,
    output: str | os.PathLike | None = None,
    *,
    calibration=None,
    quantize: bool | None = None,
    inference_input_type: str = "int8",
    inference_output_type: str = "int8",
    batch_size: int | None = 1,
    fuse: str = "all",
    plan: str = "offline",
    pack: str = "auto",
    notes: list[Note] | None = None,
) -> bytes:
    """Converts a model to TensorFlow Lite, each RNNPool layer to one operator.

    A model without RNNPool layers goes through TensorFlow's converter, then its operators are fused
    and its memory is planned as those of the others are, so that the two can be compared.

    A float model gives a float32 file. A quantisation-aware model (made by
    `rnnpool_tf.compression.quantize`), or a float model with `calibration`, gives an int8 file,
    RNNPool operators included. The file is verified after conversion and written in one step, so
    that a failure leaves nothing behind.

    Args:
        model: Keras model, or the path of a SavedModel folder, a .keras or a .h5 file.
        output: Where to write the file; None only returns it.
        calibration: Representative inputs, to quantise a float model after its training: a few
            hundred, scaled as the training data. An array [N, H, W, C], or an iterable of batches
            (inputs, or tuples that begin with them); for several inputs see
            `rnnpool_tf.conversion.calibration.samples`. Ranges are the extremes seen, that of the
            input, too: with inputs (u8 − 128) / 128 its scale is 1/128 and its zero point 0 only if
            the samples hold both ends; two pixels, `images[0, 0, :2] = [[-1], [127 / 128]]`, will
            do. Else the scale is smaller, and cuts off what is darker or brighter than they are.
        quantize: True for int8, False for float32; None decides by the model and `calibration`.
        inference_input_type: "int8" or "float32": type of the model's inputs in an int8 file.
        inference_output_type: Likewise of its outputs.
        batch_size: Batch size of the file. None leaves it open, which costs extra operators
            wherever the model reshapes (microcontrollers run one image at a time).
        fuse: Which operators of an int8 file to fuse, so that less is in memory at a time: "none",
            "stem", "blocks" or "all"; see `rnnpool_tf.conversion.fusion.fuse`. Results are the
            same to the last bit.
        plan: "offline": the file brings a memory plan for TensorFlow Lite Micro where that takes
            less arena than its own ("greedy"); see `rnnpool_tf.conversion.memory_plan`.
        pack: "auto": matrices of large RNNPool layers with many pairs of zero weights, as pruning
            makes them, are packed where that is smaller in flash and faster; "none": all stay
            dense; see `rnnpool_tf.conversion.packing`. Results are the same to the last bit.
        notes: Gets what was fused and packed and what was not, and why.

    Returns:
        The .tflite file; every constant in it begins at a multiple of 16 bytes. Several outputs
        stand in the model's order.

    Raises:
        ValueError: No model, a model that does not fit `quantize` or `calibration`, data that the
            model cannot run with, an operator lost in conversion (`rnnpool_tf.conversion.verify`),
            or a layer that cannot become int8 (`rnnpool_tf.conversion.int8`).
        FileNotFoundError: No model at this path, or no folder to write `output` in.

    Example:

    >>> model = tf.keras.Sequential([
    ...     tf.keras.Input((96, 96, 3)),
    ...     tf.keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
    ...     rnnpool_tf.RNNPoolLayer(8, 8, pool_size=6, strides=4),
    ...     tf.keras.layers.GlobalAveragePooling2D(),
    ... ])
    >>> data = rnnpool_tf.convert(model, "model.tflite")
    >>> int8 = rnnpool_tf.convert(model, "int8.tflite", calibration=train_images[:300])
    """
    _check_arguments(inference_input_type, inference_output_type, batch_size)
    check_choices(fuse, plan, pack)
    if output is not None:
        check_output(Path(output))
    opened = source.open_source(model, batch_size)
    calibrated = calibration is not None
    if quantize is None:
        quantize = opened.is_quantized or calibrated
    _check_quantization(opened, quantize, calibrated)
    types = (inference_input_type, inference_output_type) if quantize else None
    batches = samples(calibration, opened.inputs, batch_size or 1) if calibrated else None
    graph = Graph.from_bytes(stock_conversion(opened, types, batches))
    if quantize:
        int8.fold(graph, opened.scales, calibrated=calibrated)
    if calibrated:
        use_pool_grid(graph)
    graph.order_outputs()
    data, found = finish(graph, fuse if quantize else "none", plan, pack)
    if notes is not None:
        notes.extend(found)
    verify(data, opened.pools, quantize)
    if output is not None:
        write_files({Path(output): data})
    return data


def stock_conversion(
    opened: source.Source,
    types: tuple[str, str] | None,
    batches: Iterator[list[np.ndarray]] | None = None,
) -> bytes:
    """What TensorFlow's converter makes of a model.

    Args:
        opened: The model.
        types: Type of the inputs and of the outputs of an int8 file; None for a float32 file.
        batches: What to calibrate a float model with: an array for each of its inputs, several
            times. None for a quantisation-aware model, which has its ranges.

    Raises:
        ValueError: The converter refuses the model; its own reason is part of the sentence. Or
            what `batches` raises.
    """
    with source.exported(opened) as folder, _without_warnings(), _quiet(batches is not None):
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if types is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.inference_input_type = _INPUT_OUTPUT_TYPES[types[0]]
            converter.inference_output_type = _INPUT_OUTPUT_TYPES[types[1]]
        if batches is not None:
            _calibrate(converter, opened, batches)
        try:
            return converter.convert()
        except CalibrationError:
            raise
        except Exception as error:  # ConverterError, and MLIR's own kinds
            # "<unknown>:0: error: loc(callsite(…)): 'tf.Foo' op …": what matters comes last.
            reason = f"{str(error).strip()}\n".splitlines()[0].rsplit("): ", 1)[-1]
            raise ValueError(
                f"TensorFlow's converter cannot convert the model. Received: '{opened.name}' "
                f"({reason})"
            ) from error


def _calibrate(converter, opened: source.Source, batches: Iterator[list[np.ndarray]]) -> None:
    names = [spec.name for spec in opened.inputs]

    def representative():
        for arrays in batches:
            # By name: the converter has an order of inputs of its own.
            yield dict(zip(names, arrays, strict=True)) if len(names) > 1 else arrays

    load()
    converter.target_spec._experimental_custom_op_registerers = [_REGISTERER]
    converter.representative_dataset = representative
    # One scale for the weights of a fully connected layer, as in quantisation-aware models: older
    # versions of TensorFlow Lite Micro know no others there.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True


@contextlib.contextmanager
def _quiet(calibrating: bool):
    """Keeps what the calibrating converter reports on stderr to itself; errors are exceptions."""
    with captured_stderr() if calibrating else contextlib.nullcontext():
        yield


@contextlib.contextmanager
def _without_warnings():
    # "Statistics for quantized inputs were expected": they are in the fake quantisation.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _check_arguments(input_type: str, output_type: str, batch_size: int | None) -> None:
    for name, value in (
        ("inference_input_type", input_type),
        ("inference_output_type", output_type),
    ):
        if value not in _INPUT_OUTPUT_TYPES:
            raise ValueError(f"`{name}` must be 'int8' or 'float32'. Received: {name}={value!r}")
    if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
        raise ValueError(
            f"`batch_size` must be a positive integer or None. Received: batch_size={batch_size!r}"
        )


def _check_quantization(opened: source.Source, quantize: bool, calibrated: bool) -> None:
    if calibrated and opened.is_quantized:
        raise ValueError(
            "`calibration` is for float models; a quantisation-aware one has the ranges it was "
            f"trained with. Received: '{opened.name}', a quantisation-aware model"
        )
    if calibrated and not quantize:
        raise ValueError(
            "`calibration` is for an int8 conversion. Received: calibration with quantize=False"
        )
    if quantize and not opened.is_quantized and not calibrated:
        raise ValueError(
            "an int8 conversion needs a quantisation-aware model: make it with "
            "`rnnpool_tf.compression.quantize(model, calibration=images)`, train it a little and "
            "convert that; or, without training, representative inputs as `calibration`. "
            f"Received: '{opened.name}', a float model, with quantize=True"
        )
    if opened.is_quantized and not quantize:
        raise ValueError(
            "a float conversion needs the float model that the quantisation-aware one was made "
            f"from. Received: '{opened.name}', a quantisation-aware model, with quantize=False"
        )
    if quantize:
        for layer, shape in opened.pools:
            if shape.zeta_nu:
                raise ValueError(
                    "an int8 conversion needs RNNPool layers with trainable_zeta_nu=False, because "
                    f"the int8 operator has ζ = 1 and ν = 0. Received: '{layer}'"
                )

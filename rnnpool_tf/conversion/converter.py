"""`convert()`: a Keras model with RNNPool layers to a .tflite file with RNNPool operators."""

from __future__ import annotations

import contextlib
import os
import warnings
from pathlib import Path

import tensorflow as tf

from rnnpool_tf.conversion import int8, source
from rnnpool_tf.conversion.atomic_files import check_output, write_files
from rnnpool_tf.conversion.finishing import Note, check_choices, finish
from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.conversion.verification import verify

_INPUT_OUTPUT_TYPES = {"int8": tf.int8, "float32": tf.float32}


def convert(
    model,
    output: str | os.PathLike | None = None,
    *,
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

    A float model gives a float32 file; a quantisation-aware model (made by
    `rnnpool_tf.compression.quantize`) gives an int8 file, RNNPool operators included. The file is
    verified after conversion and written in one step, so that a failure leaves nothing behind.

    Args:
        model: Keras model, or the path of a SavedModel folder, a .keras or a .h5 file.
        output: Where to write the file; None only returns it.
        quantize: True for int8, False for float32; None decides by the model.
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
        ValueError: No model, a model without RNNPool layers, a model that does not fit `quantize`,
            an operator lost in conversion (`rnnpool_tf.conversion.verify`), or a layer that cannot
            become int8 (`rnnpool_tf.conversion.int8`).
        FileNotFoundError: No model at this path, or no folder to write `output` in.

    Example:

    >>> model = tf.keras.Sequential([
    ...     tf.keras.Input((96, 96, 3)),
    ...     tf.keras.layers.Conv2D(8, 3, strides=2, activation="relu"),
    ...     rnnpool_tf.RNNPoolLayer(8, 8, pool_size=6, strides=4),
    ...     tf.keras.layers.GlobalAveragePooling2D(),
    ... ])
    >>> data = rnnpool_tf.convert(model, "model.tflite")
    """
    _check_arguments(inference_input_type, inference_output_type, batch_size)
    check_choices(fuse, plan, pack)
    if output is not None:
        check_output(Path(output))
    opened = source.open_source(model, batch_size)
    if not opened.pools:
        raise ValueError(
            "`model` must have an RNNPoolLayer; TensorFlow's own converter does the others. "
            f"Received: '{opened.name}', which has none"
        )
    if quantize is None:
        quantize = opened.is_quantized
    _check_quantization(opened, quantize)
    types = (inference_input_type, inference_output_type) if quantize else None
    graph = Graph.from_bytes(stock_conversion(opened, types))
    if quantize:
        int8.fold(graph, opened.scales)
    graph.order_outputs()
    data, found = finish(graph, fuse if quantize else "none", plan, pack)
    if notes is not None:
        notes.extend(found)
    verify(data, opened.pools, quantize)
    if output is not None:
        write_files({Path(output): data})
    return data


def stock_conversion(opened: source.Source, types: tuple[str, str] | None) -> bytes:
    """What TensorFlow's converter makes of a model.

    Args:
        opened: The model.
        types: Type of the inputs and of the outputs of an int8 file; None for a float32 file.

    Raises:
        ValueError: The converter refuses the model; its own reason is part of the sentence.
    """
    with source.exported(opened) as folder, _without_warnings():
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if types is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.inference_input_type = _INPUT_OUTPUT_TYPES[types[0]]
            converter.inference_output_type = _INPUT_OUTPUT_TYPES[types[1]]
        try:
            return converter.convert()
        except Exception as error:  # ConverterError, and MLIR's own kinds
            # "<unknown>:0: error: loc(callsite(…)): 'tf.Foo' op …": what matters comes last.
            reason = f"{str(error).strip()}\n".splitlines()[0].rsplit("): ", 1)[-1]
            raise ValueError(
                f"TensorFlow's converter cannot convert the model. Received: '{opened.name}' "
                f"({reason})"
            ) from error


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


def _check_quantization(opened: source.Source, quantize: bool) -> None:
    if quantize and not opened.is_quantized:
        raise ValueError(
            "an int8 conversion needs a quantisation-aware model: make it with "
            "`rnnpool_tf.compression.quantize(model, calibration=images)`, train it a little and "
            f"convert that. Received: '{opened.name}', a float model, with quantize=True"
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

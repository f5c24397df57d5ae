"""Names of TensorFlow Lite's operators in `MicroMutableOpResolver`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rnnpool_tf.conversion.flatbuffer import Graph

# What MicroMutableOpResolver of tflite-micro-arduino-examples 2.4.0-ALPHA (TensorFlow Lite Micro
# of February 2023) offers, the oldest vintage in use on Arduino; later ones offer these and more.
_AVAILABLE = """
ABS ADD ADD_N ARG_MAX ARG_MIN ASSIGN_VARIABLE AVERAGE_POOL_2D BATCH_TO_SPACE_ND BROADCAST_ARGS
BROADCAST_TO CALL_ONCE CAST CEIL CONCATENATION CONV_2D COS CUMSUM DEPTH_TO_SPACE
DEPTHWISE_CONV_2D DEQUANTIZE DIV ELU EQUAL EXP EXPAND_DIMS FILL FLOOR FLOOR_DIV FLOOR_MOD
FULLY_CONNECTED GATHER GATHER_ND GREATER GREATER_EQUAL HARD_SWISH IF L2_NORMALIZATION L2_POOL_2D
LEAKY_RELU LESS LESS_EQUAL LOG LOG_SOFTMAX LOGICAL_AND LOGICAL_NOT LOGICAL_OR LOGISTIC
MAX_POOL_2D MAXIMUM MEAN MINIMUM MIRROR_PAD MUL NEG NOT_EQUAL PACK PAD PADV2 PRELU QUANTIZE
READ_VARIABLE REDUCE_MAX RELU RELU6 RESHAPE RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR ROUND RSQRT
SELECT_V2 SHAPE SIN SLICE SOFTMAX SPACE_TO_BATCH_ND SPACE_TO_DEPTH SPLIT SPLIT_V SQRT SQUARE
SQUARED_DIFFERENCE SQUEEZE STRIDED_SLICE SUB SUM SVDF TANH TRANSPOSE TRANSPOSE_CONV
UNIDIRECTIONAL_SEQUENCE_LSTM UNPACK VAR_HANDLE WHILE ZEROS_LIKE
"""
_BUILTIN = frozenset(_AVAILABLE.split())
_IRREGULAR = {
    "CUMSUM": "AddCumSum",
    "PADV2": "AddPadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "AddUnidirectionalSequenceLSTM",
}


@dataclass(frozen=True)
class CustomOperator:
    """How a sketch gets at one of our operators: header and registration."""

    header: str
    registration: str


CUSTOM = {
    "ConvRNNPool": CustomOperator("RNNPool.h", "tflite::Register_CONV_RNN_POOL()"),
    "InvertedResidual": CustomOperator("RNNPool.h", "tflite::Register_INVERTED_RESIDUAL()"),
    "RNNPool": CustomOperator("RNNPool.h", "tflite::Register_RNN_POOL_INT8()"),
}


def resolver_method(builtin: str) -> str:
    """The resolver's method for a builtin operator of the TensorFlow Lite schema.

    >>> resolver_method("DEPTHWISE_CONV_2D")
    'AddDepthwiseConv2D'

    Raises:
        ValueError: TensorFlow Lite Micro on Arduino has no such operator.
    """
    if builtin not in _BUILTIN:
        raise ValueError(
            f"the model must use operators that TensorFlow Lite Micro for Arduino has. "
            f"Received: {builtin}"
        )
    words = (word.title() for word in builtin.split("_"))
    return _IRREGULAR.get(builtin) or "Add" + "".join(words).replace("2d", "2D")


def resolver_calls(builtins: Iterable[str], customs: Iterable[str]) -> list[str]:
    """C++ expressions that add exactly these operators to a resolver named `ops`.

    >>> resolver_calls(["SOFTMAX"], ["InvertedResidual"])
    ['ops.AddSoftmax()', 'ops.AddCustom("InvertedResidual", tflite::Register_INVERTED_RESIDUAL())']

    Raises:
        ValueError: as `resolver_method`.
    """
    calls = [f"ops.{resolver_method(name)}()" for name in builtins]
    return calls + [f'ops.AddCustom("{name}", {CUSTOM[name].registration})' for name in customs]


def builtin_names() -> list[str]:
    """Every builtin operator that can be exported."""
    return sorted(_BUILTIN)


def used_operators(graph: Graph) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of a model's builtin operators and of its custom ones, each sorted and once.

    Raises:
        ValueError: an operator that the device does not have.
    """
    builtins, customs = set(), set()
    for operator in graph.operators:
        name = graph.name_of(operator)
        if graph.model.operatorCodes[operator.opcodeIndex].customCode is None:
            resolver_method(name)
            builtins.add(name)
        elif name in CUSTOM:
            customs.add(name)
        else:
            raise ValueError(
                f"`model` must use no custom operators but {sorted(CUSTOM)}. Received: {name!r}"
            )
    return tuple(sorted(builtins)), tuple(sorted(customs))

"""Every resolver call that an export can contain exists in TensorFlow Lite Micro's header."""

from __future__ import annotations

import re

import pytest

from rnnpool_tf.deploy.operators import builtin_names, resolver_method
from tests.deploy.toolchain import real_tflm_headers

pytestmark = pytest.mark.keras_free


@pytest.mark.parametrize(
    ("builtin", "method"),
    [
        ("CONV_2D", "AddConv2D"),
        ("DEPTHWISE_CONV_2D", "AddDepthwiseConv2D"),
        ("PADV2", "AddPadV2"),
        ("RELU6", "AddRelu6"),
        ("UNIDIRECTIONAL_SEQUENCE_LSTM", "AddUnidirectionalSequenceLSTM"),
    ],
)
def test_resolver_method(builtin, method):
    assert resolver_method(builtin) == method


def test_unknown_operator_is_named():
    with pytest.raises(ValueError, match="Received: BATCH_MATMUL"):
        resolver_method("BATCH_MATMUL")


def test_every_method_is_in_the_header():
    headers = real_tflm_headers()
    if headers is None:
        pytest.skip("needs TensorFlow Lite Micro's headers; TFLM_INCLUDE does not name them")
    text = (headers / "tensorflow/lite/micro/micro_mutable_op_resolver.h").read_text()
    pattern = r"TfLiteStatus (Add\w+)\([^{]*\{\s*return AddBuiltin\(BuiltinOperator_(\w+)"
    methods = {builtin: method for method, builtin in re.findall(pattern, text)}
    assert len(methods) > 50  # the pattern still fits the header
    wrong = {b: methods.get(b) for b in builtin_names() if methods.get(b) != resolver_method(b)}
    assert not wrong

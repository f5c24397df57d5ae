"""From the exchange to the int8 file: QAT and conversion take the result."""

from __future__ import annotations

import numpy as np
import pytest

import rnnpool_tf
from rnnpool_tf.surgery import replace_with_rnnpool
from tests.surgery import networks


@pytest.mark.legacy_keras
def test_quantize_and_convert():
    from rnnpool_tf import compression

    new = replace_with_rnnpool(networks.residual(), "down_conv", "add", hidden2=4).model
    images = networks.images(16)
    qat = compression.quantize(new, calibration=images)
    runtime = rnnpool_tf.Runtime(rnnpool_tf.convert(qat), reference_kernels=True)
    expected = qat.predict(images, verbose=0)
    # A step or two of the int8 grid, where the engines round otherwise than float does.
    scale = runtime.output_details[0].scale
    np.testing.assert_allclose(runtime.predict(images), expected, rtol=0, atol=2.01 * scale)
    with pytest.raises(ValueError, match="`model` must be a float model without wrappers"):
        replace_with_rnnpool(qat, "quant_small_conv", "quant_small_relu")


@pytest.mark.keras3
def test_convert_after_training():
    new = replace_with_rnnpool(networks.concatenation(), "left_conv", "join").model
    images = networks.images(16)
    runtime = rnnpool_tf.Runtime(rnnpool_tf.convert(new))
    # Two float32 programs of the same layers.
    np.testing.assert_allclose(
        runtime.predict(images), new.predict(images, verbose=0), rtol=1e-4, atol=1e-5
    )

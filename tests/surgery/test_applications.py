"""Networks of keras.applications, not built by us, at a small size and without weights."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf._keras import keras
from rnnpool_tf.surgery import replace_with_rnnpool

SPANS = {
    "MobileNetV2": ("expanded_conv_depthwise", "block_5_add", "48x48x32 to 12x12x32"),
    "ResNet50": ("pool1_pad", "conv3_block4_out", "48x48x64 to 12x12x512"),
    "DenseNet121": ("the second padding", "conv3_block12_concat", "48x48x64 to 12x12x512"),
    "EfficientNetB0": ("block1a_dwconv", "block3b_add", "48x48x32 to 12x12x40"),
}


@pytest.mark.parametrize("name", SPANS)
def test_application(name):
    start, end, sizes = SPANS[name]
    model = getattr(keras.applications, name)(
        weights=None, input_shape=(96, 96, 3), classes=10, classifier_activation=None
    )
    if start == "the second padding":  # its number depends on what was built before
        start = [x.name for x in model.layers if type(x).__name__ == "ZeroPadding2D"][1]
    new = replace_with_rnnpool(model, start, end)
    assert sizes in str(new.report)
    assert new.report.after.paper.bytes < new.report.before.paper.bytes
    assert new.model.output_shape == model.output_shape
    assert np.isfinite(new.model(np.zeros((1, 96, 96, 3), np.float32)).numpy()).all()

"""A network of keras.applications, whose graph is not ours, at a small size and without weights."""

from __future__ import annotations

import numpy as np

from rnnpool_tf._keras import keras
from rnnpool_tf.surgery import replace_with_rnnpool


def test_mobilenet_v2():
    model = keras.applications.MobileNetV2((64, 64, 3), alpha=0.35, weights=None)
    new = replace_with_rnnpool(model, "expanded_conv_depthwise", "block_5_add")
    assert "32x32x16 to 8x8x16" in str(new.report)
    assert new.report.after.paper.bytes < new.report.before.paper.bytes
    assert new.model.output_shape == model.output_shape
    assert np.isfinite(new.model(np.zeros((1, 64, 64, 3), np.float32)).numpy()).all()

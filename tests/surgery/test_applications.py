"""Networks of keras.applications, whose graphs are not ours, at small sizes and without weights."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf._keras import keras
from rnnpool_tf.surgery import replace_with_rnnpool


@pytest.mark.parametrize(
    ("build", "start", "end", "span"),
    [
        (
            lambda: keras.applications.MobileNetV2((64, 64, 3), alpha=0.35, weights=None),
            "expanded_conv_depthwise",
            "block_5_add",
            "32x32x16 to 8x8x16",
        ),
        (
            lambda: keras.applications.DenseNet121(input_shape=(64, 64, 3), weights=None),
            "pool1",
            "pool2_pool",
            "34x34x64 to 8x8x128",
        ),
    ],
    ids=["MobileNetV2", "DenseNet121"],
)
def test_networks_of_keras(build, start, end, span):
    model = build()
    if model.name.startswith("densenet"):  # its pooling reads a padded map of odd size
        with pytest.raises(ValueError, match=f"must be a multiple.*{span}"):
            replace_with_rnnpool(model, start, end)
        start, span = "zero_padding2d_1", "32x32x64 to 8x8x128"
        start = next(
            layer.name
            for layer in model.layers
            if type(layer).__name__ == "ZeroPadding2D" and layer.output.shape[1] == 34
        )
    new = replace_with_rnnpool(model, start, end)
    assert span in str(new.report)
    assert new.report.after.paper.bytes < new.report.before.paper.bytes
    assert new.model.output_shape == model.output_shape
    assert np.isfinite(new.model(np.zeros((1, 64, 64, 3), np.float32)).numpy()).all()

"""The header of a detector's levels: its numbers, and what is no detector."""

from __future__ import annotations

import re

import numpy as np
import pytest

from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.deploy.detector import render_detector
from rnnpool_tf.integer.detection import DetectionLevel, DetectionSettings
from tests.deploy import toolchain
from tests.deploy.tiny_model import tiny_model

pytestmark = pytest.mark.keras_free


def quantizations(model: bytes):
    graph = Graph.from_bytes(model)
    return [graph.quantization(index) for index in graph.outputs]


def expected_levels(model: bytes) -> list[DetectionLevel]:
    outputs = quantizations(model)
    return [
        DetectionLevel(stride, size, *outputs[2 * i], *outputs[2 * i + 1])
        for i, (stride, size) in enumerate([(8, 8), (8, 16), (16, 32), (16, 48)])
    ]


def test_numbers_are_those_of_the_levels(tmp_path):
    model = tiny_model(size=40, detector=True)
    (tmp_path / "face.tflite").write_bytes(model)
    text = render_detector(tmp_path / "face.tflite", score_threshold=0.5)
    levels = expected_levels(model)
    assert len({level.logit_step for level in levels}) == 4
    rows = re.findall(r"\{(\d+), (\d+), (\d+), (\d+), (\d+), (-?\d+), kSizes\[(\d)\]\}", text)
    shapes = [(5, 5), (5, 5), (3, 3), (3, 3)]
    assert [tuple(map(int, row)) for row in rows] == [
        (*shape, level.stride, level.logit_step, level.centre_step, level.loc_zero_point, index)
        for index, (level, shape) in enumerate(zip(levels, shapes, strict=True))
    ]
    tables = text[text.index("kSizes[kLevelCount]") : text.index("// height")]
    values = np.array(re.findall(r"(?<![\w\[])\d+(?=[,}])", tables), int).reshape(4, 256)
    np.testing.assert_array_equal(values, [level.sizes for level in levels])
    assert "kSettings = {0, 9830, kCandidates" in text
    assert "kCandidates = 400;" in text and "kDetections = 50;" in text


_PROGRAM = """
#include <stdio.h>

#include "detection_levels.h"

int main() {
  using namespace detection;
  rnnpool::BoxDecoder decoder;
  const char* error = decoder.Open(kLevels, kLevelCount, kSettings);
  if (error != nullptr) puts(error);
  printf("%d anchors, %d %d %d %d\\n", static_cast<int>(decoder.anchors()),
         static_cast<int>(kSettings.logit_threshold), static_cast<int>(kSettings.iou_threshold_q15),
         static_cast<int>(kSettings.candidates), static_cast<int>(kSettings.detections));
  return error != nullptr;
}
"""


@pytest.mark.parametrize("score_threshold", [0, 0.05])
def test_header_compiles_and_is_accepted(tmp_path, score_threshold):
    text = render_detector(
        tiny_model(detector=True),
        score_threshold=score_threshold,
        iou_threshold=1,
        candidates=7,
        detections=3,
    )
    (tmp_path / "detection_levels.h").write_text(text)
    (tmp_path / "main.cpp").write_text(_PROGRAM)
    core = toolchain.KERNELS / "src" / "rnnpool"
    flags = ["-std=c++11", *toolchain.WARNINGS.split(), f"-I{core.parent}"]
    sources = [tmp_path / "main.cpp", core / "box_decoding.cpp", core / "tables.cpp"]
    toolchain.run([toolchain.compiler("g++"), *flags, *sources, "-o", tmp_path / "program"])
    threshold = DetectionSettings(score_threshold).logit_threshold
    printed = toolchain.run([tmp_path / "program"]).stdout
    assert printed == f"26 anchors, {threshold} 32768 7 3\n"  # 2 · 3·3 + 2 · 2·2


def changed(**changes) -> bytes:
    """A detector whose file has other outputs, or another scale for the first."""
    graph = Graph.from_bytes(tiny_model(detector=True))
    if "scale" in changes:
        quantization = graph.quantization(graph.outputs[0])
        graph.set_quantization(graph.outputs[0], quantization._replace(scale=changes["scale"]))
    order = changes.get("order", range(8))
    graph.subgraph.outputs = np.array([graph.outputs[i] for i in order], np.int32)
    return graph.to_bytes()


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (tiny_model, {}, r"must have 8 outputs, loc and conf .* Received: 1 outputs"),
        (lambda: changed(order=range(6)), {}, r"must have 8 outputs.*Received: 6"),
        (lambda: changed(order=[1, 0, *range(2, 8)]), {}, r"outputs 0 and 1 .*\[1, 3, 3, 2\] and"),
        (lambda: changed(order=[0, 1, 2, 5, 4, 3, 6, 7]), {}, r"of level 1\. Received"),
        (lambda: changed(order=[4, 5, 2, 3, 0, 1, 6, 7]), {}, r"level 0 .* every 8 pixels"),
        (lambda: tiny_model(detector=True), {"anchors": ((4, 8),) * 4}, "every 4 pixels"),
        (lambda: tiny_model(detector=True), {"anchors": ((8, 0),) * 4}, "`size` must be"),
        (lambda: changed(scale=1e6), {}, "`loc_scale` must be positive"),
        (lambda: tiny_model(detector=True), {"candidates": 0}, "`candidates` must be"),
        (lambda: tiny_model(quantized=False), {}, "int8 model"),
        (lambda: b"not a model", {}, "not a TensorFlow Lite file"),
    ],
    ids=[
        *("classifier", "six", "conf_loc", "mixed", "levels", "stride", "size", "scale"),
        *("capacity", "float", "text"),
    ],
)
def test_refused(model, options, message):
    with pytest.raises(ValueError, match=message):
        render_detector(model(), **options)

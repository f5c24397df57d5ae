"""The box decoder on the emulated Cortex-M4 gives what the specification gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rnnpool_tf.bench.m4.firmware import DSP, emulate
from rnnpool_tf.c_source import integers
from rnnpool_tf.deploy.detector import render_levels
from rnnpool_tf.integer.detection import DetectionSettings, decode_detections
from tests.kernels.detection_cases import Case, qvga_case, random_case

pytestmark = pytest.mark.keras_free

HERE = Path(__file__).parent


def image_source(number: int, case: Case) -> tuple[str, str]:
    """C++ text of a case: its levels, maps and faces; and its entry in the list."""
    space = f"image{number}"
    settings = DetectionSettings(**case.options)
    shapes = [loc.shape[:2] for loc in case.maps[::2]]
    lines = [
        "#undef DETECTION_LEVELS_H_",
        render_levels(case.levels, shapes, settings, space),
        f"namespace {space} {{",
    ]
    for index, array in enumerate(case.maps):
        lines.append(f"const int8_t map{index}[] = {{\n{integers(array.ravel())}}};")
    maps = ", ".join(f"map{index}" for index in range(len(case.maps)))
    found = decode_detections(case.levels, case.maps, **case.options)
    faces = ", ".join(
        f"{{{logit}, {', '.join(map(str, box))}}}"
        for logit, box in zip(found.logits, found.boxes.tolist(), strict=True)
    )
    lines += [
        f"const int8_t* const maps[] = {{{maps}}};",
        f"const rnnpool::Detection expected[] = {{{faces or '{0, 0, 0, 0, 0}'}}};",
        f"}}  // namespace {space}",
    ]
    names = ("kLevels", "kLevelCount", "kSettings", "maps", "expected")
    values = ", ".join(f"{space}::{name}" for name in names)
    return "\n".join(lines), f"{{{values}, {len(found)}, {found.dropped}}},"


def images_source(cases: list[Case]) -> str:
    images = [image_source(number, case) for number, case in enumerate(cases)]
    return "\n".join(
        [
            f'#include "{HERE / "detection_check.h"}"',
            *(text for text, _ in images),
            "const Image kImages[] = {" + "\n".join(entry for _, entry in images) + "};",
            f"const int kImageCount = {len(images)};",
        ]
    )


def test_faces_equal_the_specification(firmware, path, tmp_path):
    if path != DSP:
        pytest.skip("the box decoder has one path")
    random = [random_case(seed) for seed in range(40)]
    # The capacities of a desktop do not fit into this processor's memory.
    cases = [replace(c, options=c.options | {"candidates": 300, "detections": 200}) for c in random]
    cases.append(qvga_case(25))  # 3,000 anchors, some 100 candidates; what is measured
    images = tmp_path / "images.cpp"
    images.write_text(images_source(cases))
    # A difference is an exit status that `emulate` raises, with the images' numbers.
    printed = emulate(firmware.link_sources("detections", [HERE / "detection_check.cpp", images]))
    print(printed)
    report = {}
    for line in printed.splitlines():
        name, value = line.split("=")
        report[name] = int(value)
    assert report["matches"] == len(cases)
    # What docs/DETECTION.md states.
    assert report["object"] <= 248
    assert report["stack"] <= 250

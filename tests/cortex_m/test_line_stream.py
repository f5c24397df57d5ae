"""Line streams on the emulated Cortex-M4 give what the unfused operators give on the desktop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rnnpool_tf.bench.m4.firmware import emulate
from rnnpool_tf.c_source import hexadecimal
from tests.kernels.front_cases import random_case, visual_wake_words_stem

pytestmark = pytest.mark.keras_free

HERE = Path(__file__).parent


def pictures_source(cases) -> str:
    """C++ text of the cases: front images, a picture for each and its map."""
    arrays, entries = [], []
    for number, case in enumerate(cases):
        x = case.inputs()
        for name, data in (("image", case.image()), ("lines", x), ("map", case.map(x))):
            values = hexadecimal(np.frombuffer(bytes(data), np.uint8))
            arrays.append(f"alignas(4) const uint8_t {name}{number}[] = {{\n{values}}};")
        entries.append(f"{{image{number}, sizeof(image{number}), lines{number}, map{number}}}")
    return "\n".join(
        [
            f'#include "{HERE / "stream_check.h"}"',
            *arrays,
            "const Picture kPictures[] = {" + ",\n".join(entries) + "};",
            f"const int kPictureCount = {len(entries)};",
        ]
    )


def test_streams_equal_the_unfused_operators(firmware, tmp_path):
    cases = [random_case(seed) for seed in range(40)] + [visual_wake_words_stem(96)]
    pictures = tmp_path / "pictures.cpp"
    pictures.write_text(pictures_source(cases))
    # A difference is an exit status that `emulate` raises, with the pictures' numbers.
    printed = emulate(firmware.link_sources("streams", [HERE / "stream_check.cpp", pictures]))
    report = {}
    for line in printed.splitlines():
        name, value = line.split("=")
        report[name] = int(value)
    assert report["matches"] == len(cases)
    # What docs/KERNEL.md states; all in bytes.
    assert report["object"] <= 1_550
    assert report["open_stack"] <= 1_900
    # Depthwise convolutions keep a pointer per tap of up to 11x11.
    assert report["line_stack"] <= 1_250

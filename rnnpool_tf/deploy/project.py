"""The part of a firmware project that every target shares, as source files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnpool_tf import c_source, runtime
from rnnpool_tf.datasets.preprocess import Normalization, normalization
from rnnpool_tf.deploy import pictures
from rnnpool_tf.deploy.memory import MemoryPlan
from rnnpool_tf.deploy.model_info import ModelInfo
from rnnpool_tf.deploy.operators import CUSTOM, resolver_method
from rnnpool_tf.deploy.rendering import TEMPLATES, render

ENUMERATORS = {"grey8": "kGrey8", "rgb888": "kRgb888", "rgb565": "kRgb565"}


@dataclass(frozen=True)
class Project:
    """A model with its labels, preprocessing and test pictures, and what the desktop computed.

    Attributes:
        tests: The pictures of the self-test; the first one is a generated pattern.
        inputs: int8 `[tests, height, width, channels]`, the preprocessed pictures.
        scores: int8 `[tests, labels]`, from TensorFlow Lite Micro.
        arena_bytes: Measured in the same run.
    """

    info: ModelInfo
    labels: tuple[str, ...]
    normalization: Normalization
    table: np.ndarray
    tests: tuple[pictures.Picture, ...]
    inputs: np.ndarray
    scores: np.ndarray
    arena_bytes: int

    @property
    def pixel_format(self) -> str:
        """How a camera should deliver frames."""
        return self.tests[0].pixel_format

    @property
    def summary(self) -> str:
        """One line about the model."""
        height, width, channels = self.info.input.shape
        colour = "grey" if channels == 1 else "RGB"
        labels = " / ".join(self.labels)
        return c_source.comment(f"{labels}, {width} x {height} {colour}, int8")

    @property
    def picture_bytes(self) -> int:
        """Flash taken by the test pictures."""
        return sum(test.pixels.size for test in self.tests)


def build_project(
    info: ModelInfo,
    images: Sequence[str | Path | np.ndarray] | None,
    labels: Sequence[str],
    normalize: str | Normalization,
) -> Project:
    """Preprocesses the test pictures and runs them through TensorFlow Lite Micro.

    Raises:
        ValueError: wrong number of labels, an image that does not fit, an unknown normalisation.
    """
    if isinstance(labels, str) or len(labels) != info.output.shape[0]:
        raise ValueError(
            f"`labels` must be {info.output.shape[0]} names, one for each score of the model. "
            f"Received: labels={labels!r}"
        )
    if isinstance(images, (str, Path, np.ndarray)):
        raise ValueError(f"`images` must be a list of images. Received: {type(images).__name__}")
    height, width, channels = info.input.shape
    normalize = normalization(normalize)
    table = normalize.lookup_table(channels, info.input.scale, info.input.zero_point)
    tests = [pictures.pattern(channels)]
    tests += [pictures.load(image, i, info.input.shape) for i, image in enumerate(images or [])]
    inputs = np.stack([pictures.preprocess(test, height, width, table) for test in tests])
    engine = runtime.Runtime(info.data, engine="tflm")
    return Project(
        info=info,
        labels=tuple(labels),
        normalization=normalize,
        table=table,
        tests=tuple(tests),
        inputs=inputs,
        scores=np.concatenate([engine.predict_quantized(row[None]) for row in inputs]),
        arena_bytes=engine.arena_bytes,
    )


def operator_calls(info: ModelInfo) -> list[str]:
    """The resolver's calls for exactly the operators of the model."""
    calls = [f"ops.{resolver_method(name)}()" for name in info.builtins]
    return calls + [
        f'ops.AddCustom("{name}", {CUSTOM[name].registration})' for name in info.customs
    ]


def common_files(project: Project, memory: MemoryPlan) -> dict[str, str]:
    """Text of the sources shared by all targets, by file name."""
    info = project.info
    height, width, channels = info.input.shape
    facts = {
        "summary": project.summary,
        "width": width,
        "height": height,
        "channels": channels,
        "input_bytes": height * width * channels,
        "normalization": project.normalization.name,
        "input_scale": f"{info.input.scale:.9g}",
        "input_zero_point": info.input.zero_point,
        "label_count": len(project.labels),
        "labels": ", ".join(map(c_source.literal, project.labels)),
        "output_scale": c_source.float_literal(info.output.scale),
        "output_zero_point": info.output.zero_point,
        "measured_arena": memory.arena_measured,
        "arena_margin": memory.arena_margin,
        "arena_bytes": memory.arena,
        "model_bytes": len(info.data),
        "model_data": c_source.hexadecimal(info.data),
        "input_table": ",\n".join(
            f"    {{\n{c_source.integers(row, ' ' * 8)}}}" for row in project.table
        ),
    }
    calls = operator_calls(info)
    headers = sorted({CUSTOM[name].header for name in info.customs})
    ops = {
        "op_includes": "".join(f"#include <{header}>\n\n" for header in headers),
        "op_count": len(calls),
        "op_calls": " &&\n         ".join(f"{call} == kTfLiteOk" for call in calls),
    }
    files = {
        name: (TEMPLATES / "common" / name).read_text(encoding="utf-8")
        for name in (
            "picture.h",
            "picture.cpp",
            "preprocess.h",
            "preprocess.cpp",
            "classifier.h",
            "classifier.cpp",
            "test_input.h",
            "test_input.cpp",
        )
    }
    files["model.h"] = render("common/model.h", **facts)
    files["model.cpp"] = render("common/model.cpp", **facts)
    files["ops.h"] = render("common/ops.h", **ops)
    files["test_pictures.h"] = render(
        "common/test_pictures.h",
        picture_count=len(project.tests),
        checked="the preprocessed picture",
    )
    files["test_pictures.cpp"] = _test_pictures(project)
    return files


def _test_pictures(project: Project) -> str:
    arrays, entries = [], []
    for index, test in enumerate(project.tests):
        height, width = test.pixels.shape[:2]
        scores = ", ".join(str(score) for score in project.scores[index])
        arrays.append(
            f"const uint8_t kPixels{index}[{test.pixels.size}] = {{\n"
            f"{c_source.hexadecimal(test.pixels)}}};\n"
        )
        entries.append(
            f"    {{{c_source.literal(test.name)},\n"
            f"     {{kPixels{index}, {width}, {height}, {ENUMERATORS[test.pixel_format]}}},\n"
            f"     0x{pictures.checksum(project.inputs[index]):08x},\n"
            f"     {{{scores}}}}},"
        )
    return render(
        "common/test_pictures.cpp",
        picture_arrays="\n".join(arrays),
        picture_entries="\n".join(entries),
    )

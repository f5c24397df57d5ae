"""The part of a firmware project that every kind and target shares, as source files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnpool_tf import c_source
from rnnpool_tf.deploy import pictures
from rnnpool_tf.deploy.answers import Faces, Scores
from rnnpool_tf.deploy.memory import MemoryPlan
from rnnpool_tf.deploy.model_info import ModelInfo
from rnnpool_tf.deploy.operators import CUSTOM, resolver_calls
from rnnpool_tf.deploy.rendering import TEMPLATES, render

ENUMERATORS = {"grey8": "kGrey8", "rgb888": "kRgb888", "rgb565": "kRgb565"}


@dataclass(frozen=True)
class Project:
    """A model with its labels and test pictures, and what the desktop computed.

    Attributes:
        info: The model.
        shape: `(height, width, channels)` of the pictures that it takes.
        answers: What its outputs mean.
        tests: The pictures of the self-test; the first one is a generated pattern.
        inputs: int8 `[tests, ...]`, what each picture becomes at the interpreter's input.
        outputs: int8 `[tests, ...]` of each output, from TensorFlow Lite Micro.
        arena_bytes: Measured in the same run.
    """

    info: ModelInfo
    shape: tuple[int, int, int]
    answers: Scores | Faces
    tests: tuple[pictures.Picture, ...]
    inputs: np.ndarray
    outputs: tuple[np.ndarray, ...]
    arena_bytes: int

    @property
    def pixel_format(self) -> str:
        """How a camera should deliver frames."""
        return self.tests[0].pixel_format

    @property
    def summary(self) -> str:
        """One line about the model."""
        height, width, channels = self.shape
        colour = "grey" if channels == 1 else "RGB"
        return c_source.comment(f"{self.answers.summary}, {width} x {height} {colour}, int8")

    @property
    def picture_bytes(self) -> int:
        """Flash taken by the test pictures."""
        return sum(test.pixels.size for test in self.tests)


@dataclass(frozen=True)
class ReadmeSections:
    """What README.md says of one kind of project.

    Attributes:
        check: What the self-test compares.
        live: What follows it; empty lines around.
        preprocessing: How a resized picture becomes the model's input.
        arena: What is in it.
        stream_row: Row of the table of RAM for what a stream takes, or "".
    """

    check: str
    live: str
    preprocessing: str
    arena: str
    stream_row: str = ""


def load_tests(
    images: Sequence[str | Path | np.ndarray] | None, shape: tuple[int, int, int]
) -> tuple[pictures.Picture, ...]:
    """The pattern and the given images, as test pictures for a model of this picture shape.

    Raises:
        ValueError: an image that does not fit.
        FileNotFoundError: a missing file.
    """
    if isinstance(images, (str, Path, np.ndarray)):
        raise ValueError(f"`images` must be a list of images. Received: {type(images).__name__}")
    loaded = (pictures.load(image, i, shape) for i, image in enumerate(images or []))
    return (pictures.pattern(shape[2]), *loaded)


def join_outputs(results: Sequence[np.ndarray | list[np.ndarray]]) -> tuple[np.ndarray, ...]:
    """What `predict_quantized` gave for batches of the test pictures, as `Project.outputs`."""
    batches = [result if isinstance(result, list) else [result] for result in results]
    return tuple(np.concatenate(output) for output in zip(*batches, strict=True))


def operator_calls(info: ModelInfo) -> list[str]:
    """The resolver's calls for exactly the operators of the model."""
    return resolver_calls(info.builtins, info.customs)


def model_facts(project: Project, memory: MemoryPlan) -> dict[str, object]:
    """What the templates of model.h and model.cpp say of every model."""
    info = project.info
    height, width, channels = project.shape
    return {
        "summary": project.summary,
        "width": width,
        "height": height,
        "channels": channels,
        **project.answers.model_facts(),
        "measured_arena": memory.arena_measured,
        "arena_margin": memory.arena_margin,
        "arena_bytes": memory.arena,
        "model_bytes": len(info.data),
        "model_data": c_source.hexadecimal(info.data),
    }


def common_files(project: Project, checked: str) -> dict[str, str]:
    """Text of the sources shared by all kinds and targets, by file name.

    Args:
        project: The project.
        checked: What the self-test's checksums are of, in words.
    """
    calls = operator_calls(project.info)
    headers = sorted({CUSTOM[name].header for name in project.info.customs})
    files = texts("common", "picture.h", "picture.cpp", "test_input.h")
    files |= project.answers.files()
    files["ops.h"] = render(
        "common/ops.h",
        op_includes="".join(f"#include <{header}>\n\n" for header in headers),
        op_count=len(calls),
        op_calls=" &&\n         ".join(f"{call} == kTfLiteOk" for call in calls),
    )
    files["test_pictures.h"] = render(
        "common/test_pictures.h",
        picture_count=len(project.tests),
        checked=checked,
        expected_fields=project.answers.expected_fields,
    )
    files["test_pictures.cpp"] = _test_pictures(project)
    return files


def texts(folder: str, *names: str) -> dict[str, str]:
    """Templates without blanks, by file name."""
    return {name: (TEMPLATES / folder / name).read_text(encoding="utf-8") for name in names}


def _test_pictures(project: Project) -> str:
    arrays, entries = [], []
    for index, test in enumerate(project.tests):
        height, width = test.pixels.shape[:2]
        array, expected = project.answers.expected([out[index] for out in project.outputs], index)
        arrays.append(
            f"const uint8_t kPixels{index}[{test.pixels.size}] = {{\n"
            f"{c_source.hexadecimal(test.pixels)}}};\n{array}"
        )
        entries.append(
            f"    {{{c_source.literal(test.name)},\n"
            f"     {{kPixels{index}, {width}, {height}, {ENUMERATORS[test.pixel_format]}}},\n"
            f"     0x{pictures.checksum(project.inputs[index]):08x},\n"
            f"     {expected}}},"
        )
    return render(
        "common/test_pictures.cpp",
        picture_arrays="\n".join(arrays),
        picture_entries="\n".join(entries),
    )

"""A project whose interpreter takes a whole preprocessed picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnpool_tf import c_source, runtime
from rnnpool_tf.datasets.preprocess import Normalization, normalization
from rnnpool_tf.deploy import pictures
from rnnpool_tf.deploy.answers import AnswerChoice
from rnnpool_tf.deploy.memory import MemoryPlan
from rnnpool_tf.deploy.model_info import ModelInfo
from rnnpool_tf.deploy.project import (
    Project,
    ReadmeSections,
    common_files,
    join_outputs,
    load_tests,
    model_facts,
    texts,
)
from rnnpool_tf.deploy.rendering import render
from rnnpool_tf.runtime.arena_probe import check_survives

_LIVE = """
After the self-test the sketch prints, for every frame of the OV7675:
{printed}.
"""
_REPEATED = """
The sketch repeats the self-test every five seconds.
"""


@dataclass(frozen=True)
class ResidentProject(Project):
    """The project; see `Project`.

    Attributes:
        normalization: How the model was trained.
        table: int8 `[channels, 256]`: byte of a pixel to the model's input.
    """

    normalization: Normalization
    table: np.ndarray


def build_project(
    info: ModelInfo,
    images: Sequence[str | Path | np.ndarray] | None,
    choice: AnswerChoice,
    normalize: str | Normalization,
) -> ResidentProject:
    """Preprocesses the test pictures and runs them through TensorFlow Lite Micro.

    Raises:
        ValueError: outputs that are not what was chosen, an image that does not fit, an unknown
            normalisation, a model that the interpreter refuses or aborts on.
    """
    answers = choice.of(info, info.input.shape)
    height, width, channels = info.input.shape
    normalize = normalization(normalize)
    table = normalize.lookup_table(channels, info.input.scale, info.input.zero_point)
    tests = load_tests(images, info.input.shape)
    inputs = np.stack([pictures.preprocess(test, height, width, table) for test in tests])
    check_survives(info.data)
    engine = runtime.Runtime(info.data, engine="tflm")
    return ResidentProject(
        info=info,
        shape=info.input.shape,
        answers=answers,
        tests=tests,
        inputs=inputs,
        outputs=join_outputs([engine.predict_quantized(row[None]) for row in inputs]),
        arena_bytes=engine.arena_bytes,
        normalization=normalize,
        table=table,
    )


def source_files(project: ResidentProject, memory: MemoryPlan) -> dict[str, str]:
    """Text of all sources but the sketch and its camera, by file name."""
    details = project.info.input
    facts = {
        **model_facts(project, memory),
        "input_bytes": project.inputs[0].size,
        "normalization": project.normalization.name,
        "input_scale": f"{details.scale:.9g}",
        "input_zero_point": details.zero_point,
        "input_table": ",\n".join(
            f"    {{\n{c_source.integers(row, ' ' * 8)}}}" for row in project.table
        ),
    }
    return {
        **common_files(project, "the preprocessed picture"),
        **texts("resident", "preprocess.h", "preprocess.cpp", "classifier.h", "classifier.cpp"),
        **texts("resident", "test_input.cpp"),
        "model.h": render("resident/model.h", **facts),
        "model.cpp": render("resident/model.cpp", **facts),
    }


def readme_sections(project: ResidentProject, live: bool) -> ReadmeSections:
    """What README.md says of this kind of project; `live`: whether it has a camera."""
    return ReadmeSections(
        check="Each picture goes from flash through `preprocess.cpp` and the model; the "
        "preprocessed bytes and the answers are compared with those that TensorFlow Lite "
        "Micro computed on the desktop.",
        live=_LIVE.format(printed=project.answers.printed) if live else _REPEATED,
        preprocessing="Every byte is then looked up in a table that holds the model's "
        f"normalisation ({project.normalization.name}), scale and zero point.",
        arena="The arena includes the model's input and all intermediate tensors, the camera "
        "frame is extra.",
    )

"""A project whose pictures arrive line by line: a front, and the body in the interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnpool_tf.conversion.stream_header import read_header
from rnnpool_tf.deploy import pictures
from rnnpool_tf.deploy.answers import AnswerChoice
from rnnpool_tf.deploy.memory import MemoryPlan
from rnnpool_tf.deploy.model_info import read_body
from rnnpool_tf.deploy.project import (
    ENUMERATORS,
    Project,
    ReadmeSections,
    common_files,
    join_outputs,
    load_tests,
    model_facts,
    texts,
)
from rnnpool_tf.deploy.rendering import render
from rnnpool_tf.runtime import StreamedRuntime

FRONT_FILE = "front.h"
_PLUG = """\
A sensor or a link that delivers lines, such as a FIFO, is plugged in at one place: the three
functions of `line_source.h`. Every line must have been fed before the next one arrives, or wait in
a buffer.
"""
_LIVE = f"""
After the self-test the sketch prints, for every frame of the OV7675:
{{printed}}.

## Lines

Nothing behind `LineBuffer()` needs more of a picture than one line. The OV7675's library, however,
delivers whole frames only, so `line_source_ov7675.cpp` keeps one frame and resizes the model's
lines from it. {_PLUG}"""
_PICTURES = f"""
After the self-test the sketch goes on with the test pictures, one every five seconds, and prints:
{{printed}}.

## Lines

Nothing behind `LineBuffer()` needs more of a picture than one line. Here lines come from the test
pictures in flash. {_PLUG}"""


@dataclass(frozen=True)
class StreamedProject(Project):
    """The project; see `Project`.

    Attributes:
        header: Text of the front's header.
        namespace: Of the constants in it.
        front_bytes: Of the front image, in flash.
        workspace_bytes: Of the stream, in the arena.
        stream_bytes: RAM outside the arena: stream object and one line.
    """

    header: str
    namespace: str
    front_bytes: int
    workspace_bytes: int
    stream_bytes: int


def build_project(
    body: str | Path | bytes,
    front: str | Path | bytes,
    images: Sequence[str | Path | np.ndarray] | None,
    choice: AnswerChoice,
) -> StreamedProject:
    """Runs the test pictures through the pair, line by line.

    Args:
        body: The .tflite file of the body, or its bytes.
        front: The front's header, or the bytes of its text.
        images: Test pictures, as for `export_arduino`.
        choice: What the outputs mean.

    Raises:
        ValueError: no such pair, outputs that are not what was chosen, an image that does not fit.
        FileNotFoundError: a missing file.
    """
    text = front if isinstance(front, bytes) else Path(front).read_bytes()
    info = read_body(body)
    engine = StreamedRuntime(text, info.data, engine="tflm")
    pictures.check_input_size(*engine.picture_shape[:2])
    answers = choice.of(info, engine.picture_shape)
    tests = load_tests(images, engine.picture_shape)
    resized = np.stack([pictures.resize(test, *engine.picture_shape[:2]) for test in tests])
    header = read_header(text)
    return StreamedProject(
        info=info,
        shape=engine.picture_shape,
        answers=answers,
        tests=tests,
        inputs=engine.front(resized),
        outputs=join_outputs([engine.predict_quantized(resized)]),
        arena_bytes=engine.arena_breakdown["total"],
        header=text.decode(),
        namespace=header.namespace,
        front_bytes=len(header.image),
        workspace_bytes=engine.workspace_bytes,
        stream_bytes=engine.stream_bytes + resized[0][0].size,
    )


def source_files(project: StreamedProject, memory: MemoryPlan) -> dict[str, str]:
    """Text of all sources but the sketch and its line source, by file name."""
    facts = {
        **model_facts(project, memory),
        "front_file": FRONT_FILE,
        "line_bytes": project.shape[1] * project.shape[2],
        "map_bytes": project.inputs[0].size,
    }
    return {
        **common_files(project, "the front's map"),
        **texts("streamed", "classifier.h", "test_input.cpp"),
        FRONT_FILE: project.header,
        "classifier.cpp": render(
            "streamed/classifier.cpp",
            front=project.namespace,
            line_format=ENUMERATORS["grey8" if project.shape[2] == 1 else "rgb888"],
        ),
        "model.h": render("streamed/model.h", **facts),
        "model.cpp": render("streamed/model.cpp", **facts),
    }


def readme_sections(project: StreamedProject, live: bool) -> ReadmeSections:
    """What README.md says of this kind of project; `live`: whether it has a camera."""
    return ReadmeSections(
        check="Each picture is fed line by line; what the front makes of it, and the answers, are "
        "compared with those that the desktop computed.",
        live=(_LIVE if live else _PICTURES).format(printed=project.answers.printed),
        preprocessing=f"`{FRONT_FILE}` holds how its bytes become the model's input: with the "
        "normalisation that was given to `rnnpool convert --stream`.",
        arena=f"The arena includes the front's map ({project.inputs[0].size:,} bytes), the "
        f"stream's workspace ({project.workspace_bytes:,} bytes, which the layers behind use "
        "again) and all other tensors.",
        stream_row=f"| stream object and one line | {project.stream_bytes:,} |\n",
    )

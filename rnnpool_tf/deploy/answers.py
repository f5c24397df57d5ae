"""What the outputs of a model mean: scores of labels, or faces; as part of a firmware project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnnpool_tf import c_source
from rnnpool_tf.deploy.choices import DETECTORS
from rnnpool_tf.deploy.detector import CANDIDATES, DETECTIONS, read_levels, render_levels
from rnnpool_tf.deploy.model_info import ModelInfo, QuantizedTensor
from rnnpool_tf.deploy.rendering import TEMPLATES
from rnnpool_tf.integer.detection import DetectionLevel, DetectionSettings, decode_detections

LABELS = ("no person", "person")
# Of rnnpool::BoxDecoder with 32-bit pointers, as tests/cortex_m/test_detection.py measures it.
_DECODER_BYTES = 248


@dataclass(frozen=True)
class Scores:
    """A classifier's: one score for each label.

    Attributes:
        labels: Names of the scores.
        output: The model's output.
    """

    labels: tuple[str, ...]
    output: QuantizedTensor

    ram_bytes = 0
    printed = "scores, milliseconds and the winning label"

    @property
    def summary(self) -> str:
        """In a line about the model."""
        return " / ".join(self.labels)

    def model_facts(self) -> dict[str, str]:
        """What model.h and model.cpp say of them."""
        labels = ", ".join(map(c_source.literal, self.labels))
        declarations = (
            f"constexpr int kLabelCount = {len(self.labels)};",
            "extern const char* const kLabels[kLabelCount];",
            f"constexpr float kScoreScale = {c_source.float_literal(self.output.scale)};"
            "  // score = (int8 - zero point) * scale",
            f"constexpr int kScoreZeroPoint = {self.output.zero_point};",
        )
        return {
            "answer_declarations": "\n".join(declarations),
            "answer_definitions": f"const char* const kLabels[kLabelCount] = {{{labels}}};\n\n",
        }

    expected_fields = "  int8_t scores[kLabelCount];"

    def expected(self, outputs: list[np.ndarray], number: int) -> tuple[str, str]:
        """Of test picture `number`: C++ arrays, and the values of `expected_fields`."""
        return "", f"{{{', '.join(str(score) for score in outputs[0])}}}"

    def files(self) -> dict[str, str]:
        """Sources by file name."""
        return _answer_files("scores.cpp")


@dataclass(frozen=True)
class Faces:
    """A detector's: faces in the maps of its levels.

    Attributes:
        levels: The levels.
        shapes: Height and width of each level's maps.
        settings: Thresholds, and capacities on the device.
    """

    levels: tuple[DetectionLevel, ...]
    shapes: tuple[tuple[int, ...], ...]
    settings: DetectionSettings

    printed = (
        "probability, x1, y1, x2 and y2 of every face, in pixels of the model's input, and "
        "milliseconds"
    )
    summary = "faces"

    @property
    def ram_bytes(self) -> int:
        """Of the decoder, its candidates and its faces."""
        return _DECODER_BYTES + 8 * self.settings.candidates + 20 * self.settings.detections

    def model_facts(self) -> dict[str, str]:
        """What model.h and model.cpp say of them."""
        return {
            "answer_declarations": "// What its outputs mean is in detection_levels.h.",
            "answer_definitions": "",
        }

    expected_fields = (
        "  const int32_t (*faces)[5];  // logit in 1/65536; x1, y1, x2, y2 in 1/16 pixel\n"
        "  int face_count;"
    )

    def expected(self, outputs: list[np.ndarray], number: int) -> tuple[str, str]:
        """Of test picture `number`: C++ arrays, and the values of `expected_fields`."""
        settings = self.settings
        found = decode_detections(
            self.levels,
            outputs,
            score_threshold=settings.score_threshold,
            iou_threshold=settings.iou_threshold,
            candidates=settings.candidates,
            detections=settings.detections,
        )
        if len(found) == 0:
            return "", "nullptr, 0"
        numbers = np.column_stack([found.logits, found.boxes]).tolist()
        rows = ",\n".join(f"    {{{', '.join(map(str, row))}}}" for row in numbers)
        array = f"const int32_t kFaces{number}[{len(found)}][5] = {{\n{rows}}};\n"
        return array, f"kFaces{number}, {len(found)}"

    def files(self) -> dict[str, str]:
        """Sources by file name."""
        levels = render_levels(self.levels, self.shapes, self.settings)
        return {**_answer_files("faces.cpp"), "detection_levels.h": levels}


@dataclass(frozen=True)
class AnswerChoice:
    """What `export_arduino` was told of the model's outputs; its arguments.

    Raises:
        ValueError: labels of a detector, a threshold without one, or an unknown one.
    """

    labels: Sequence[str] | None = None
    detector: str | None = None
    score_threshold: float | None = None

    def __post_init__(self):
        if self.detector is None:
            if self.score_threshold is not None:
                raise ValueError(
                    "`score_threshold` must be given with a `detector` only. "
                    f"Received: score_threshold={self.score_threshold!r}"
                )
            return
        if self.detector not in DETECTORS:
            raise ValueError(
                f"`detector` must be one of {sorted(DETECTORS)}. "
                f"Received: detector={self.detector!r}"
            )
        if self.labels is not None:
            raise ValueError(
                "`labels` must not be given with a `detector`, which has none. "
                f"Received: labels={self.labels!r}"
            )

    def of(self, info: ModelInfo, picture: tuple[int, ...]) -> Scores | Faces:
        """The answers of a model for pictures `[height, width, channels]`.

        Raises:
            ValueError: outputs that are not what was chosen, or a wrong number of labels.
        """
        if self.detector is None:
            labels = LABELS if self.labels is None else self.labels
            count = info.scores.shape[0]
            if isinstance(labels, str) or len(labels) != count:
                raise ValueError(
                    f"`labels` must be {count} names, one for each score of the model. "
                    f"Received: labels={labels!r}"
                )
            return Scores(tuple(labels), info.scores)
        kind = DETECTORS[self.detector]
        threshold = kind.score_threshold if self.score_threshold is None else self.score_threshold
        return Faces(
            tuple(read_levels(info, picture, kind.anchors)),
            tuple(loc.shape[:2] for loc in info.outputs[::2]),
            DetectionSettings(threshold, candidates=CANDIDATES, detections=DETECTIONS),
        )


def _answer_files(source: str) -> dict[str, str]:
    names = {"answer.h": "answer.h", "answer.cpp": source}
    return {
        name: (TEMPLATES / "answers" / template).read_text(encoding="utf-8")
        for name, template in names.items()
    }

"""A sketch for the Arduino IDE, with the operator as a library beside it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnpool_tf.c_source import identifier
from rnnpool_tf.datasets.preprocess import Normalization
from rnnpool_tf.deploy import folder, resident, streamed
from rnnpool_tf.deploy.answers import AnswerChoice
from rnnpool_tf.deploy.arduino_sources import ArduinoSources
from rnnpool_tf.deploy.choices import CAMERAS, TFLM_LIBRARIES
from rnnpool_tf.deploy.memory import NANO_33_BLE_FLASH, NANO_33_BLE_RAM, MemoryPlan
from rnnpool_tf.deploy.model_info import read_model
from rnnpool_tf.deploy.project import Project, operator_calls
from rnnpool_tf.native import kernels_path


@dataclass(frozen=True)
class Export:
    """What `export_arduino` wrote.

    Attributes:
        output: The folder: a sketchbook with `<name>/<name>.ino` and `libraries/`.
        name: Of the sketch.
        operators: Calls on the resolver.
        tests: Names of the self-test's pictures.
        memory: RAM and flash, in bytes.
    """

    output: Path
    name: str
    operators: tuple[str, ...]
    tests: tuple[str, ...]
    memory: MemoryPlan

    @property
    def sketch(self) -> Path:
        """The file to open in the Arduino IDE."""
        return self.output / self.name / f"{self.name}.ino"

    def as_dict(self) -> dict[str, object]:
        """JSON-able."""
        return {
            "sketch": f"{self.name}/{self.name}.ino",
            "operators": list(self.operators),
            "tests": list(self.tests),
            "bytes": self.memory.as_dict(),
        }


def export_arduino(
    model: str | Path | bytes,
    output: str | Path,
    *,
    front: str | Path | bytes | None = None,
    images: Sequence[str | Path | np.ndarray] | None = None,
    labels: Sequence[str] | None = None,
    detector: str | None = None,
    score_threshold: float | None = None,
    name: str | None = None,
    camera: str = "ov7675",
    normalization: str | Normalization | None = None,
    tflm: str = "chirale",
    ram_bytes: int = NANO_33_BLE_RAM,
    flash_bytes: int = NANO_33_BLE_FLASH,
    force: bool = False,
) -> Export:
    """Writes an Arduino project that runs an int8 image classifier or face detector.

    The sketch tests itself on pictures stored in flash, whose expected scores or faces are computed
    here with TensorFlow Lite Micro, then looks at what the camera sees. Both go through one
    preprocessing source. The folder appears whole or not at all.

    With a `front`, the sketch feeds pictures line by line and never stores one, except where the
    camera's library delivers whole frames only, as the OV7675's does.

    Args:
        model: int8 .tflite file, or its bytes. Input `[1, height, width, 1 or 3]`, output
            `[1, labels]` or a detector's maps. With a `front` the body that belongs to it.
        output: Folder to write, new or empty.
        front: Header of a streamed model's front (`rnnpool convert --stream`), or the bytes of its
            text.
        images: Pictures for the self-test: image files at least as large as the model's input, or
            uint8 arrays `[height, width, channels]`. A generated pattern is always tested.
        labels: Names of the model's scores; by default "no person" and "person".
        detector: `"qvga"` or `"vga"`: the model is a face detector of that family, whose outputs
            are the maps of each level (`outputs="levels"`), and the sketch prints faces.
        score_threshold: Of a detector: faces with a larger probability are found; by default what
            the paper evaluates with, 0.05 and 0.01, which is little for the eye.
        name: Name of the sketch, a C identifier; by default made from the model's file name.
        camera: `"ov7675"` (160 x 120, grey or RGB565) or `"none"` for the test pictures alone.
        normalization: How the model was trained: a name or a `Normalization`; by default
            "symmetric", of a detector "faces". A front knows it already.
        tflm: The TensorFlow Lite Micro library that will be installed in the Arduino IDE,
            `"chirale"` or `"tensorflow"`.
        ram_bytes: RAM of the board; Arduino Nano 33 BLE by default.
        flash_bytes: Flash of the board that a sketch may use.
        force: Replace an earlier export.

    Raises:
        ValueError: a model, image, label or name that does not fit, or a project too large for
            the board; the message has the sum.
        FileNotFoundError: a missing file.
        FileExistsError: `output` is in use.

    Example:
        >>> from rnnpool_tf.deploy import export_arduino
        >>> export = export_arduino("vww.tflite", "firmware", images=["me.jpg"])  # doctest: +SKIP
        >>> export.sketch, export.memory.arena  # doctest: +SKIP
    """
    if camera not in CAMERAS:
        raise ValueError(f"`camera` must be one of {CAMERAS}. Received: camera={camera!r}")
    if tflm not in TFLM_LIBRARIES:
        raise ValueError(f"`tflm` must be one of {sorted(TFLM_LIBRARIES)}. Received: tflm={tflm!r}")
    name = _sketch_name(name, model)
    output = Path(output)
    folder.check_output(output, force)
    choice = AnswerChoice(labels, detector, score_threshold)
    project: Project
    if front is None:
        usual = "symmetric" if detector is None else "faces"
        project = resident.build_project(read_model(model), images, choice, normalization or usual)
    elif normalization is None:
        project = streamed.build_project(model, front, images, choice)
    else:
        raise ValueError(
            "`normalization` must not be given with a front, which was made for one. "
            f"Received: normalization={normalization!r}"
        )
    sources = ArduinoSources(project, name, camera, TFLM_LIBRARIES[tflm])
    memory = sources.memory()
    memory.check(ram_bytes, flash_bytes)
    export = Export(
        output=output,
        name=name,
        operators=tuple(operator_calls(project.info)),
        tests=tuple(test.name for test in project.tests),
        memory=memory,
    )
    with folder.replacing(output) as fresh:
        _write(fresh, export, sources)
    return export


def _sketch_name(name: str | None, model: str | Path | bytes) -> str:
    if name is None:
        stem = "" if isinstance(model, bytes) else Path(model).stem
        return identifier(stem.removesuffix("_body"))
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", name) or name == "libraries":
        raise ValueError(
            f"`name` must be letters, digits and underscores, at most 63, starting with a letter, "
            f"and not 'libraries'. Received: name={name!r}"
        )
    return name


def _write(root: Path, export: Export, sources: ArduinoSources) -> None:
    sketch = root / export.name
    sketch.mkdir()
    for file, text in sources.files(export.memory).items():
        (sketch / file).write_text(text, encoding="utf-8")
    if sources.needs_library:
        _copy_library(root / "libraries" / "RNNPool")
    (root / "README.md").write_text(sources.readme(export.memory), encoding="utf-8")
    manifest = {**export.as_dict(), **sources.as_dict()}
    (root / folder.MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _copy_library(target: Path) -> None:
    source = kernels_path()
    target.mkdir(parents=True)
    for file in ("library.properties", "keywords.txt"):
        shutil.copyfile(source / file, target / file)
    shutil.copytree(source / "src", target / "src")

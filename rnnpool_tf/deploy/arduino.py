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
from rnnpool_tf.deploy import folder
from rnnpool_tf.deploy.choices import CAMERAS, TFLM_LIBRARIES, TflmLibrary
from rnnpool_tf.deploy.memory import NANO_33_BLE_FLASH, NANO_33_BLE_RAM, MemoryPlan, plan
from rnnpool_tf.deploy.model_info import read_model
from rnnpool_tf.deploy.project import (
    ENUMERATORS,
    Project,
    build_project,
    common_files,
    operator_calls,
)
from rnnpool_tf.deploy.rendering import render
from rnnpool_tf.runtime.native import kernels_path

_CAMERA_FORMATS = {"grey8": ("GRAYSCALE", 1), "rgb565": ("RGB565", 2)}
_CAMERA_PIXELS = 160 * 120

_LIVE = """
After the self-test the sketch prints scores, milliseconds and the winning label for every frame
of the OV7675.
"""
_REPEATED = """
The sketch repeats the self-test every five seconds.
"""


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
    images: Sequence[str | Path | np.ndarray] | None = None,
    labels: Sequence[str] = ("no person", "person"),
    name: str | None = None,
    camera: str = "ov7675",
    normalization: str | Normalization | None = None,
    tflm: str = "chirale",
    ram_bytes: int = NANO_33_BLE_RAM,
    flash_bytes: int = NANO_33_BLE_FLASH,
    force: bool = False,
) -> Export:
    """Writes an Arduino project that runs an int8 image classifier.

    The sketch tests itself on pictures stored in flash, whose expected scores TensorFlow Lite
    Micro computes here, then classifies what the camera sees. Both go through one preprocessing
    source. The folder appears whole or not at all.

    Args:
        model: int8 .tflite file, or its bytes. Input `[1, height, width, 1 or 3]`, output
            `[1, labels]`.
        output: Folder to write, new or empty.
        images: Pictures for the self-test: image files at least as large as the model's input, or
            uint8 arrays `[height, width, channels]`. A generated pattern is always tested.
        labels: Names of the model's scores.
        name: Name of the sketch, a C identifier; by default made from the model's file name.
        camera: `"ov7675"` (160 x 120, grey or RGB565) or `"none"` for the self-test alone.
        normalization: How the model was trained: a name or a `Normalization`; by default
            "symmetric".
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
    if name is None:
        name = identifier("" if isinstance(model, bytes) else Path(model).stem)
    elif not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", name) or name == "libraries":
        raise ValueError(
            f"`name` must be letters, digits and underscores, at most 63, starting with a letter, "
            f"and not 'libraries'. Received: name={name!r}"
        )
    output = Path(output)
    folder.check_output(output, force)
    info = read_model(model)
    project = build_project(info, images, labels, normalization or "symmetric")
    memory = plan(
        arena_measured=project.arena_bytes,
        cmsis_nn_scratch=info.cmsis_nn_scratch,
        frame=_frame_bytes(project) if camera != "none" else 0,
        model=len(info.data),
        pictures=project.picture_bytes,
    )
    memory.check(ram_bytes, flash_bytes)
    export = Export(
        output=output,
        name=name,
        operators=tuple(operator_calls(info)),
        tests=tuple(test.name for test in project.tests),
        memory=memory,
    )
    with folder.replacing(output) as fresh:
        _write(fresh, export, project, camera, TFLM_LIBRARIES[tflm])
    return export


def _frame_bytes(project: Project) -> int:
    return _CAMERA_PIXELS * _CAMERA_FORMATS[project.pixel_format][1]


def _write(root: Path, export: Export, project: Project, camera: str, tflm: TflmLibrary) -> None:
    facts = {"name": export.name, "summary": project.summary, "tflm_header": tflm.header}
    files = common_files(project, export.memory)
    for file in ("self_test.h", "self_test.cpp"):
        files[file] = render(f"arduino/{file}")
    if camera == "none":
        files[f"{export.name}.ino"] = render("arduino/sketch_self_test.ino", **facts)
    else:
        camera_format, pixel_bytes = _CAMERA_FORMATS[project.pixel_format]
        files[f"{export.name}.ino"] = render("arduino/sketch_camera.ino", **facts)
        files["camera.h"] = render("arduino/camera.h")
        files["camera_ov7675.cpp"] = render(
            "arduino/camera_ov7675.cpp",
            camera_format=camera_format,
            camera_bytes_per_pixel=pixel_bytes,
            pixel_format=ENUMERATORS[project.pixel_format],
        )
    sketch = root / export.name
    sketch.mkdir()
    for file, text in files.items():
        (sketch / file).write_text(text, encoding="utf-8")
    if project.info.customs:
        _copy_library(root / "libraries" / "RNNPool")
    (root / "README.md").write_text(_readme(export, project, camera, tflm), encoding="utf-8")
    manifest = {**export.as_dict(), "normalization": project.normalization.name, "camera": camera}
    (root / folder.MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _copy_library(target: Path) -> None:
    source = kernels_path()
    target.mkdir(parents=True)
    for file in ("library.properties", "keywords.txt"):
        shutil.copyfile(source / file, target / file)
    shutil.copytree(source / "src", target / "src")


def _readme(export: Export, project: Project, camera: str, tflm: TflmLibrary) -> str:
    memory = export.memory
    libraries = [tflm.install]
    if camera != "none":
        libraries.append("`Arduino_OV767X` 0.0.2 from the Library Manager")
    if project.info.customs:
        libraries.append(
            "`RNNPool`: copy the folder `libraries/RNNPool` of this project into the `libraries` "
            "folder of your sketchbook (File > Preferences shows where that is)"
        )
    return render(
        "arduino/README.md",
        name=export.name,
        summary=project.summary,
        libraries="\n".join(f"   * {line}" for line in libraries),
        live=_LIVE if camera != "none" else _REPEATED,
        tests="\n".join(f"    {name}: PASS" for name in export.tests),
        test_count=len(export.tests),
        operators="\n".join(f"* `{call[4:]}`" for call in export.operators),
        normalization=project.normalization.name,
        **{key: f"{value:,}" for key, value in memory.as_dict().items()},
    )

"""Text of an Arduino project: the sketch with its camera, and the README."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from rnnpool_tf.deploy import resident, streamed
from rnnpool_tf.deploy.choices import TflmLibrary
from rnnpool_tf.deploy.memory import MemoryPlan, plan
from rnnpool_tf.deploy.project import ENUMERATORS, operator_calls, texts
from rnnpool_tf.deploy.rendering import render

_CAMERA_FORMATS = {"grey8": ("GRAYSCALE", 1), "rgb565": ("RGB565", 2)}
_CAMERA_PIXELS = 160 * 120
_CHECK = (
    "`pattern` is a generated picture in the camera's pixel format, which tests unpacking, "
    "cropping and resizing."
)
_RESIZED = (
    "The largest centred part of the picture with the shape of the model's input is resized "
    "(bilinear, integers only)."
)
_WRONG = "If the device's answers make no sense, compare this with how the model was trained."
_DEVICE = (
    "Tensors take the same space on the desktop and on the device; the interpreter's own "
    "structures are smaller on the device, where pointers have 32 bits. The margin is for scratch "
    "buffers that CMSIS-NN kernels ask for and the desktop's kernels do not. The sketch prints "
    "what it really uses; `kArenaBytes` in `model.h` may be lowered to that."
)
_PAUSE = 5000  # milliseconds between pictures that are only test pictures


@dataclass(frozen=True)
class ArduinoSources:
    """The texts of one project.

    Attributes:
        project: The model and its test pictures.
        name: Of the sketch.
        camera: "ov7675" or "none".
        tflm: The TensorFlow Lite Micro library in use.
    """

    project: resident.ResidentProject | streamed.StreamedProject
    name: str
    camera: str
    tflm: TflmLibrary

    @property
    def streams(self) -> bool:
        """Whether pictures are fed line by line."""
        return isinstance(self.project, streamed.StreamedProject)

    @property
    def needs_library(self) -> bool:
        """Whether the sketch uses the RNNPool library."""
        return self.streams or bool(self.project.info.customs or self.project.answers.ram_bytes)

    def memory(self) -> MemoryPlan:
        """RAM and flash of the project."""
        project, outside, front = self.project, 0, 0
        if isinstance(project, streamed.StreamedProject):
            outside, front = project.stream_bytes, project.front_bytes
        frame_bytes = _CAMERA_PIXELS * _CAMERA_FORMATS[project.pixel_format][1]
        return plan(
            arena_measured=project.arena_bytes,
            cmsis_nn_scratch=project.info.cmsis_nn_scratch,
            frame=frame_bytes if self.camera != "none" else 0,
            model=len(project.info.data) + front,
            pictures=project.picture_bytes,
            stream=outside,
            faces=project.answers.ram_bytes,
        )

    def as_dict(self) -> dict[str, object]:
        """What the manifest says beside the export's own figures."""
        if isinstance(self.project, streamed.StreamedProject):
            return {"streamed": True, "camera": self.camera}
        return {"normalization": self.project.normalization.name, "camera": self.camera}

    def files(self, memory: MemoryPlan) -> dict[str, str]:
        """Every file of the sketch, by name."""
        facts = {
            "name": self.name,
            "summary": self.project.summary,
            "tflm_header": self.tflm.header,
        }
        files = texts("arduino", "self_test.h", "self_test.cpp")
        if isinstance(self.project, streamed.StreamedProject):
            pause = _PAUSE if self.camera == "none" else 0
            sketch = render("arduino/sketch_stream.ino", **facts, pause=pause)
            files |= streamed.source_files(self.project, memory) | self._line_source()
        else:
            kind = "self_test" if self.camera == "none" else "camera"
            sketch = render(f"arduino/sketch_{kind}.ino", **facts)
            files |= resident.source_files(self.project, memory) | self._camera()
        return {**files, f"{self.name}.ino": sketch}

    def _camera(self) -> dict[str, str]:
        if self.camera == "none":
            return {}
        source = render("arduino/camera_ov7675.cpp", **self._camera_facts())
        return {**texts("arduino", "camera.h"), "camera_ov7675.cpp": source}

    def _line_source(self) -> dict[str, str]:
        kind = "pictures" if self.camera == "none" else "ov7675"
        source = f"line_source_{kind}.cpp"
        return {
            "line_source.h": render("streamed/line_source.h", source_file=source),
            source: render(f"streamed/{source}", **self._camera_facts()),
        }

    def _camera_facts(self) -> dict[str, object]:
        camera_format, pixel_bytes = _CAMERA_FORMATS[self.project.pixel_format]
        return {
            "camera_format": camera_format,
            "camera_bytes_per_pixel": pixel_bytes,
            "pixel_format": ENUMERATORS[self.project.pixel_format],
        }

    def readme(self, memory: MemoryPlan) -> str:
        """Text of README.md."""
        live = self.camera != "none"
        libraries = [self.tflm.install]
        if live:
            libraries.append("`Arduino_OV767X` 0.0.2 from the Library Manager")
        if self.needs_library:
            libraries.append(
                "`RNNPool`: copy the folder `libraries/RNNPool` of this project into the "
                "`libraries` folder of your sketchbook (File > Preferences shows where that is)"
            )
        sections = (streamed if self.streams else resident).readme_sections(self.project, live)
        tests = [test.name for test in self.project.tests]
        return render(
            "arduino/README.md",
            name=self.name,
            summary=self.project.summary,
            libraries="\n".join(f"   * {line}" for line in libraries),
            tests="\n".join(f"    {name}: PASS" for name in tests),
            test_count=len(tests),
            operators="\n".join(f"* `{call[4:]}`" for call in operator_calls(self.project.info)),
            check=_paragraph(sections.check, _CHECK),
            live=sections.live,
            preprocessing=_paragraph(_RESIZED, sections.preprocessing, _WRONG),
            arena_contents=_paragraph(sections.arena, _DEVICE),
            stream_row=sections.stream_row + _faces_row(memory.faces),
            **{key: f"{value:,}" for key, value in memory.as_dict().items()},
        )


def _faces_row(size: int) -> str:
    return f"| face decoder, its candidates and faces | {size:,} |\n" if size else ""


def _paragraph(*sentences: str) -> str:
    return textwrap.fill(" ".join(sentences), 100, break_on_hyphens=False, break_long_words=False)

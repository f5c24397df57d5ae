"""What `rnnpool export arduino` offers to choose from; importing this loads nothing else."""

from __future__ import annotations

from dataclasses import dataclass

CAMERAS = ("ov7675", "none")


@dataclass(frozen=True)
class DetectorKind:
    """Face detectors of the RNNPool paper: what their files do not say.

    Attributes:
        anchors: `(stride, side)` in pixels of each level's anchors.
        score_threshold: Of the paper's decoding.
    """

    anchors: tuple[tuple[int, int], ...]
    score_threshold: float


DETECTORS = {
    "qvga": DetectorKind(((8, 8), (8, 16), (16, 32), (16, 48)), 0.05),
    "vga": DetectorKind(((4, 16), (8, 32), (16, 64), (32, 128), (64, 256), (128, 512)), 0.01),
}


@dataclass(frozen=True)
class TflmLibrary:
    """A packaging of TensorFlow Lite Micro for Arduino."""

    header: str
    install: str


TFLM_LIBRARIES = {
    "chirale": TflmLibrary(
        "Chirale_TensorFlowLite.h",
        "`Chirale_TensorFLowLite` 2.0.0 from the Library Manager",
    ),
    "tensorflow": TflmLibrary(
        "TensorFlowLite.h",
        "`Arduino_TensorFlowLite` 2.4.0-ALPHA: download `tensorflow/tflite-micro-arduino-examples` "
        "from GitHub as a ZIP file, then Sketch > Include Library > Add .ZIP Library",
    ),
}

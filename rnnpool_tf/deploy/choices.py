"""What `rnnpool export arduino` offers to choose from; importing this loads nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from rnnpool_tf.vision.anchors import (
    QVGA_LEVELS,
    QVGA_SCORE_THRESHOLD,
    VGA_LEVELS,
    VGA_SCORE_THRESHOLD,
    AnchorLevel,
)

CAMERAS = ("ov7675", "none")


@dataclass(frozen=True)
class DetectorKind:
    """Face detectors of the RNNPool paper: what their files do not say.

    Attributes:
        anchors: Of each level.
        score_threshold: Of the paper's decoding.
    """

    anchors: tuple[AnchorLevel, ...]
    score_threshold: float


DETECTORS = {
    "qvga": DetectorKind(QVGA_LEVELS, QVGA_SCORE_THRESHOLD),
    "vga": DetectorKind(VGA_LEVELS, VGA_SCORE_THRESHOLD),
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

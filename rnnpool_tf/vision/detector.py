"""A face detector as one call: picture in, boxes out, whatever holds the network."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from rnnpool_tf.box_decoding import native_detections
from rnnpool_tf.datasets.preprocess import normalization
from rnnpool_tf.integer.detection import DetectionLevel, DetectionSettings
from rnnpool_tf.runtime import Runtime
from rnnpool_tf.vision.anchors import (
    QVGA_LEVELS,
    QVGA_SCORE_THRESHOLD,
    VGA_LEVELS,
    VGA_SCORE_THRESHOLD,
    AnchorLevel,
    make_anchors,
)
from rnnpool_tf.vision.decoding import CANDIDATES, DETECTIONS, IOU_THRESHOLD, detections
from rnnpool_tf.vision.frame import Frame, fit_frame, scale_frame

# Pixels to which networks of any input size shrink pictures (Saha et al., 2020, §5.2). QVGA ones
# see grey, VGA networks RGB.
_QVGA_AREA, _VGA_AREA = 320 * 240, 640 * 480


class Detector:
    """Finds faces (or what the network was trained for) in pictures.

    Args:
        model: A Keras detector of `rnnpool_tf.models`, or a .tflite file of one (path or bytes),
            float or int8, its outputs joined ("anchors") or apart ("levels").
        engine: For .tflite files: "litert" or "tflm", see `rnnpool_tf.Runtime`.
        levels: Anchors of the network; None takes those of the paper's networks.
        score_threshold: Boxes with at most this score are dropped; None takes the paper's: 0.05
            for QVGA networks, 0.01 for VGA networks.
        iou_threshold: Boxes that overlap a better one by more are dropped.
        area: Pixels to which pictures are shrunk for a network of any input size; None takes the
            paper's, `math.inf` shrinks none.

    An input of fixed size gets the whole picture, as large as it fits, on a mean-coloured ground.
    A network of any input size gets the picture at 320×240 pixels' area (VGA networks: 640×480),
    never enlarged, as the paper evaluates, and padded to multiples of the largest stride.

    Raises:
        ValueError: The model's inputs or outputs are not those of a detector, or a threshold is
            out of its range.

    Example:

    >>> import numpy as np
    >>> from rnnpool_tf.models import face_m4
    >>> detector = Detector(face_m4(), score_threshold=0.9)
    >>> detector(np.zeros((100, 100, 3), np.uint8)).shape[1]
    5
    """

    def __init__(
        self,
        model,
        *,
        engine: str = "litert",
        levels: Sequence[AnchorLevel] | None = None,
        score_threshold: float | None = None,
        iou_threshold: float = IOU_THRESHOLD,
        area: float | None = None,
    ):
        if isinstance(model, (str, os.PathLike, bytes, bytearray)):
            self._network = _TfliteNetwork(model, engine)
        else:
            self._network = _KerasNetwork(model)
        grey = self._network.input_shape[2] == 1
        self.levels = tuple(levels) if levels is not None else QVGA_LEVELS if grey else VGA_LEVELS
        if area is None:
            area = _QVGA_AREA if grey else _VGA_AREA
        self.area = area
        if score_threshold is None:
            score_threshold = QVGA_SCORE_THRESHOLD if grey else VGA_SCORE_THRESHOLD
        # Refuses thresholds that are none; maps of an int8 model are decoded with these settings.
        DetectionSettings(score_threshold, iou_threshold, CANDIDATES, DETECTIONS)
        self.score_threshold = score_threshold
        self.iou_threshold = iou_threshold

    @property
    def input_size(self) -> tuple[int | None, int | None]:
        """Height and width of the network's input; None where any will do."""
        return self._network.input_shape[:2]

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Boxes in one picture.

        Args:
            image: uint8 (height, width, 3), RGB, or (height, width), grey.

        Returns:
            float32 (N, 5), best first: score (0 … 1), x1, y1, x2, y2 in pixels of the picture.
            They may reach over its border.
        """
        frame = self.frame(image)
        rows = self._network.detect(frame.pixels, self)
        return np.concatenate((rows[:, :1], frame.to_picture(rows[:, 1:])), 1)

    def frame(self, image: np.ndarray) -> Frame:
        """The picture as the network gets it, before pixels become its numbers."""
        height, width, channels = self._network.input_shape
        if height is not None and width is not None:
            return fit_frame(image, height, width, channels)
        return scale_frame(image, self.area, max(level.stride for level in self.levels), channels)


class _KerasNetwork:
    """A Keras model as a function of uint8 pixels."""

    def __init__(self, model):
        self._model = model
        shape = getattr(model, "input_shape", None)
        self.input_shape = _checked_input(shape)
        outputs = model.output_shape
        _check_outputs(
            [tuple(shape) for shape in outputs] if isinstance(outputs, list) else [outputs]
        )

    def detect(self, pixels: np.ndarray, detector: Detector) -> np.ndarray:
        """(N, 5): score and corners in pixels of the input."""
        values = self._model(normalization("faces")(pixels)[np.newaxis], training=False)
        return _float_detections([np.asarray(value)[0] for value in values], pixels, detector)


class _TfliteNetwork:
    """A .tflite file as a function of uint8 pixels."""

    def __init__(self, model, engine: str):
        self.runtime = Runtime(model, engine=engine)
        self._input = self.runtime.input_details[0]
        self.input_shape = _checked_input(self._input.shape)
        shapes = [details.shape for details in self.runtime.output_details]
        _check_outputs(shapes)
        # Maps of an int8 model are decoded as a microcontroller does, in integers.
        self._integer = all(
            len(details.shape) == 4 and details.dtype == np.int8
            for details in self.runtime.output_details
        )

    def detect(self, pixels: np.ndarray, detector: Detector) -> np.ndarray:
        """As `_KerasNetwork.detect`."""
        numbers = self._numbers(pixels)
        if not self._integer:
            maps = [value[0] for value in self.runtime.predict(numbers)]
            return _float_detections(maps, pixels, detector)
        maps = [value[0] for value in self.runtime.predict_quantized(numbers)]
        outputs = self.runtime.output_details
        _check_levels(len(maps) // 2, detector)
        levels = [
            DetectionLevel(*level, loc.scale, loc.zero_point, conf.scale, conf.zero_point)
            for level, loc, conf in zip(detector.levels, outputs[::2], outputs[1::2], strict=True)
        ]
        faces = native_detections(
            levels,
            maps,
            score_threshold=detector.score_threshold,
            iou_threshold=detector.iou_threshold,
            candidates=CANDIDATES,
            detections=DETECTIONS,
        )
        rows = np.concatenate((faces.scores[:, np.newaxis], faces.pixels), 1)
        return rows.astype(np.float32)

    def _numbers(self, pixels: np.ndarray) -> np.ndarray:
        normalize = normalization("faces")
        if self._input.quantized:
            numbers = normalize.quantize(pixels, self._input.scale, self._input.zero_point)
        else:
            numbers = normalize(pixels)
        return numbers[np.newaxis]


def _checked_input(shape) -> tuple[int | None, int | None, int]:
    if not isinstance(shape, tuple) or len(shape) != 4 or shape[3] not in (1, 3):
        raise ValueError(
            "`model` must take one picture (batch, height, width, 1 or 3). "
            f"Received: an input of shape {shape}"
        )
    return shape[1:]


def _check_outputs(shapes: list[tuple]) -> None:
    """Pairs of offsets and scores: of all anchors joined, or of each level's map."""
    proper = (
        len(shapes) >= 2
        and len(shapes) % 2 == 0
        and all(len(shape) in (3, 4) and shape[-1] == 4 for shape in shapes[0::2])
        and all(len(shape) in (3, 4) and shape[-1] == 2 for shape in shapes[1::2])
    )
    if not proper:
        raise ValueError(
            "`model` must give a detector's outputs: four offsets and two scores in turn. "
            f"Received: outputs of shapes {shapes}"
        )


def _check_levels(count: int, detector: Detector) -> None:
    if count != len(detector.levels):
        raise ValueError(
            f"`levels` must be those of the network, which has {count}. Received: {detector.levels}"
        )


def _float_detections(maps: list[np.ndarray], pixels: np.ndarray, detector: Detector) -> np.ndarray:
    """Decodes real outputs, joined or as maps of the levels."""
    loc, conf = (
        np.concatenate([values.reshape(-1, values.shape[-1]) for values in maps[first::2]])
        for first in (0, 1)
    )
    height, width = pixels.shape[:2]
    anchors = make_anchors(detector.levels, height, width)
    if loc.shape != anchors.shape:
        raise ValueError(
            f"`model` must have {len(anchors)} anchors for {height}x{width} pixels and the "
            f"levels {detector.levels}. Received: {len(loc)}"
        )
    rows = detections(
        loc,
        conf,
        anchors,
        score_threshold=detector.score_threshold,
        iou_threshold=detector.iou_threshold,
    )
    return rows * np.array([1, width, height, width, height], np.float32)

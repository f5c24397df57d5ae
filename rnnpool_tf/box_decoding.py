"""The C++ `BoxDecoder` from Python: faces from a detector's int8 maps, as on a device.

>>> from rnnpool_tf.box_decoding import native_detections
>>> faces = native_detections(levels, maps, score_threshold=0.5)  # doctest: +SKIP
>>> faces.pixels, faces.scores  # doctest: +SKIP
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence

import numpy as np

from rnnpool_tf.integer.detection import (
    DetectionLevel,
    Detections,
    DetectionSettings,
    check_maps,
)
from rnnpool_tf.integer.detection_setup import LARGEST_CAPACITY
from rnnpool_tf.native import library_path

_ERROR_BYTES = 256


@functools.cache
def _library() -> ctypes.CDLL:
    library = ctypes.CDLL(str(library_path("librnnpool")))
    pointer, number = ctypes.c_void_p, ctypes.c_int
    library.rnnpool_detect.argtypes = (
        *(pointer, pointer, number, pointer, pointer, pointer, pointer),
        *(ctypes.c_char_p, number),
    )
    return library


def native_detections(
    levels: Sequence[DetectionLevel],
    maps: Sequence[np.ndarray],
    *,
    score_threshold: float = 0.05,
    iou_threshold: float = 0.3,
    candidates: int = 5000,
    detections: int = 750,
) -> Detections:
    """`rnnpool_tf.integer.detection.decode_detections` by the C++ core; the same integers.

    Args, Returns, Raises: as there.

    Example:

    >>> import numpy as np
    >>> from rnnpool_tf.integer.detection import DetectionLevel
    >>> level = DetectionLevel(8, 16, 0.05, 0, 0.1, 0)
    >>> loc, conf = np.zeros((1, 1, 4), np.int8), np.array([[[0, 20]]], np.int8)
    >>> native_detections([level], [loc, conf]).pixels.tolist()
    [[-4.0, -4.0, 12.0, 12.0]]
    """
    settings = DetectionSettings(score_threshold, iou_threshold, candidates, detections)
    check_maps(levels, maps)
    rows = [
        (
            *loc.shape[:2],
            level.stride,
            level.logit_step,
            level.centre_step,
            level.loc_zero_point,
        )
        for level, loc in zip(levels, maps[::2], strict=True)
    ]
    limits = (
        settings.logit_threshold,
        settings.iou_threshold_q15,
        settings.candidates,
        settings.detections,
    )
    return detect(rows, [level.sizes for level in levels], limits, maps)


def detect(
    levels: Sequence[Sequence[int]],
    sizes: Sequence[np.ndarray],
    settings: Sequence[int],
    maps: Sequence[np.ndarray],
) -> Detections:
    """The C interface: integers as they stand in a device's header, unchecked.

    Args:
        levels: Per level height, width, stride, logit step, centre step, zero point of loc.
        sizes: Per level uint16 [256].
        settings: Logit threshold, IoU threshold in Q15, candidates, detections.
        maps: int8 arrays of the sizes that `levels` name.

    Raises:
        ValueError: The core refuses the levels or settings.
    """
    rows = np.array(levels, np.int32).reshape(-1, 6)
    tables = np.array(sizes, np.uint16).reshape(-1, 256)
    limits = np.array(settings, np.int32)
    arrays = [np.ascontiguousarray(array) for array in maps]
    pointers = np.array([array.ctypes.data for array in arrays], np.uintp)
    found = np.empty((np.clip(limits[3], 0, LARGEST_CAPACITY), 5), np.int32)
    counts = np.zeros(2, np.int32)
    error = ctypes.create_string_buffer(_ERROR_BYTES)
    refused = _library().rnnpool_detect(
        rows.ctypes.data,
        tables.ctypes.data,
        len(rows),
        limits.ctypes.data,
        pointers.ctypes.data,
        found.ctypes.data,
        counts.ctypes.data,
        error,
        _ERROR_BYTES,
    )
    if refused:
        raise ValueError(
            f"{error.value.decode()} Received: levels={rows.tolist()}, settings={limits.tolist()}"
        )
    count, dropped = counts.tolist()
    return Detections(found[:count, 1:].copy(), found[:count, 0].copy(), dropped)

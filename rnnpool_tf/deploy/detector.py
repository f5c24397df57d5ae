"""A face detector's levels, read from its int8 file, and as a header for the C++ box decoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rnnpool_tf import c_source
from rnnpool_tf.deploy.choices import DETECTORS
from rnnpool_tf.deploy.model_info import ModelInfo, QuantizedTensor, read_model
from rnnpool_tf.deploy.rendering import render
from rnnpool_tf.integer.detection import DetectionLevel, DetectionSettings

# For the RAM of a microcontroller: 4.2 KB, where the paper's 5,000 and 750 take 55 KB.
CANDIDATES = 400
DETECTIONS = 50


def render_detector(
    model: str | Path | bytes,
    anchors: Sequence[tuple[int, int]] = DETECTORS["qvga"].anchors,
    *,
    score_threshold: float = DETECTORS["qvga"].score_threshold,
    iou_threshold: float = 0.3,
    candidates: int = CANDIDATES,
    detections: int = DETECTIONS,
) -> str:
    """The C++ header `detection_levels.h` of a face detector: scales and tables as integers.

    With it and `rnnpool/box_decoding.h` a sketch finds faces in the outputs of TensorFlow Lite
    Micro without computing with floats.

    Args:
        model: int8 .tflite file, or its bytes, of a detector whose outputs are the maps of each
            level (`outputs="levels"`): loc0 `[1, h, w, 4]`, conf0 `[1, h, w, 2]`, loc1, conf1, …
        anchors: `(stride, side)` in pixels of each level's anchors; those of the QVGA models of the
            paper by default.
        score_threshold: Faces with a larger probability are kept.
        iou_threshold: A box goes whose intersection over union with a better one is larger.
        candidates: How many of the best boxes are compared at all, 8 bytes of RAM each.
        detections: How many faces there can be, 20 bytes of RAM each.

    Returns:
        Text of the header.

    Raises:
        ValueError: no such model, anchors that do not go with it, or a malformed argument.
        FileNotFoundError: a missing file.

    Example:
        >>> from rnnpool_tf.deploy.detector import render_detector
        >>> text = render_detector("face_m4.tflite", score_threshold=0.5)  # doctest: +SKIP
        >>> Path("detection_levels.h").write_text(text)  # doctest: +SKIP
    """
    settings = DetectionSettings(score_threshold, iou_threshold, candidates, detections)
    info = read_model(model)
    levels = read_levels(info, info.input.shape, anchors)
    return render_levels(levels, [loc.shape[:2] for loc in info.outputs[::2]], settings)


def read_levels(
    info: ModelInfo, picture: tuple[int, ...], anchors: Sequence[tuple[int, int]]
) -> list[DetectionLevel]:
    """The levels of a detector.

    Args:
        info: The model, or the body of a streamed one.
        picture: Height and width of its pictures, and channels.
        anchors: As for `render_detector`.

    Raises:
        ValueError: outputs that are not loc and conf of these levels, or scales out of range.
    """
    if len(info.outputs) != 2 * len(anchors):
        raise ValueError(
            f"`model` must have {2 * len(anchors)} outputs, loc and conf of each level "
            f'(`outputs="levels"`, `detection_levels`). Received: {len(info.outputs)} outputs'
        )
    levels = []
    for index, (stride, side) in enumerate(anchors):
        loc, conf = info.outputs[2 * index : 2 * index + 2]
        level = DetectionLevel(stride, side, loc.scale, loc.zero_point, conf.scale, conf.zero_point)
        _check_shapes(index, level, loc, conf, picture)
        levels.append(level)
    return levels


def _check_shapes(
    index: int,
    level: DetectionLevel,
    loc: QuantizedTensor,
    conf: QuantizedTensor,
    picture: tuple[int, ...],
) -> None:
    if (len(loc.shape), loc.shape[2:], conf.shape) != (3, (4,), (*loc.shape[:2], 2)):
        raise ValueError(
            f"outputs {2 * index} and {2 * index + 1} of `model` must be loc [1, h, w, 4] and conf "
            f"[1, h, w, 2] of level {index}. "
            f"Received: {[1, *loc.shape]} and {[1, *conf.shape]}"
        )
    for cells, pixels in zip(loc.shape[:2], picture[:2], strict=True):
        # Padding decides whether an incomplete cell at the end counts.
        if not -level.stride < cells * level.stride - pixels < level.stride:
            raise ValueError(
                f"the maps of level {index} must have a cell every {level.stride} pixels, as "
                f"`anchors` says. Received: {loc.shape[0]} x {loc.shape[1]} cells for "
                f"{picture[0]} x {picture[1]} pixels"
            )


def render_levels(
    levels: Sequence[DetectionLevel],
    shapes: Sequence[tuple[int, ...]],
    settings: DetectionSettings,
    namespace: str = "detection",
) -> str:
    """The header of levels with maps of these heights and widths; see `render_detector`."""
    rows = [
        f"    {{{height}, {width}, {level.stride}, {level.logit_step}, {level.centre_step}, "
        f"{level.loc_zero_point}, kSizes[{index}]}},"
        for index, (level, (height, width)) in enumerate(zip(levels, shapes, strict=True))
    ]
    tables = [f"    {{\n{c_source.integers(level.sizes, ' ' * 8)}}}" for level in levels]
    threshold = settings.logit_threshold
    return render(
        "detector/detection_levels.h",
        namespace=namespace,
        level_count=len(levels),
        sizes=",\n".join(tables),
        levels="\n".join(rows),
        limits=f"Face probability above {settings.score_threshold:g}, intersection over union up "
        f"to {settings.iou_threshold:g}.",
        candidates=settings.candidates,
        detections=settings.detections,
        # C++ has no literal for the smallest integer.
        logit_threshold=threshold if threshold > -(2**31) else "INT32_MIN",
        iou_threshold_q15=settings.iou_threshold_q15,
    )

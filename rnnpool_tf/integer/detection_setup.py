"""What the decoding of detections is told in advance: levels and limits, as integers.

The host prepares them; a device never computes with a float. Every integer here follows from the
arguments by exactly rounded operations alone, so that all machines agree on it.
"""

from __future__ import annotations

import decimal
import functools
import math
from dataclasses import dataclass

import numpy as np

from rnnpool_tf.integer.arithmetic import round_half_away

STEPS = 16  # of a box's coordinate, per pixel
LARGEST_SIDE = 65_535  # of a box, in steps: uint16
LARGEST_ANCHOR = LARGEST_SIDE // STEPS  # in pixels
LARGEST_EXTENT = 1 << 15  # of a level, in pixels
LARGEST_CENTRE_STEP = (1 << 27) - 1
CONF_SCALES = (2.0**-16, 128.0)
LARGEST_CAPACITY = 1 << 20
# Beyond exp(±12) every side of every anchor saturates, or is the smallest there is.
_LARGEST_EXPONENT = 12
_EXPONENTIAL = decimal.Context(prec=40, rounding=decimal.ROUND_HALF_EVEN)


@dataclass(frozen=True)
class DetectionLevel:
    """One level of a detector: a square anchor per cell, offsets and scores with their scales.

    Args:
        stride: Pixels between cells, 1 to 32,768.
        size: Pixels of an anchor's side, 1 to 4,095.
        loc_scale: Real value of a step of the offsets; positive. Rounded to float32, as
            `conf_scale`; `loc_scale * size` must be below 1280.
        loc_zero_point: The offsets' zero point, -128 to 127.
        conf_scale: Real value of a step of the two class scores, from 2**-16 to 128.
        conf_zero_point: The scores' zero point. It cancels out: only their difference matters.

    Raises:
        ValueError: An argument is malformed or out of range.

    Example::

        level = DetectionLevel(8, 16, 0.05, 0, 0.1, 0)
        level.sizes[128]  # 256: an offset of 0 leaves the side at 16 pixels
    """

    stride: int
    size: int
    loc_scale: float
    loc_zero_point: int
    conf_scale: float
    conf_zero_point: int

    def __post_init__(self):
        for name, lowest, highest in (
            ("stride", 1, LARGEST_EXTENT),
            ("size", 1, LARGEST_ANCHOR),
            ("loc_zero_point", -128, 127),
            ("conf_zero_point", -128, 127),
        ):
            object.__setattr__(self, name, whole(getattr(self, name), name, lowest, highest))
        loc_scale, conf_scale = (
            _float32(getattr(self, name), name) for name in ("loc_scale", "conf_scale")
        )
        if not (loc_scale > 0 and _centre_step(loc_scale, self.size) <= LARGEST_CENTRE_STEP):
            raise ValueError(
                "`loc_scale` must be positive, and below 1280 when multiplied by `size`. "
                f"Received: loc_scale={self.loc_scale!r}, size={self.size}"
            )
        if not CONF_SCALES[0] <= conf_scale <= CONF_SCALES[1]:
            raise ValueError(
                "`conf_scale` must be at least 2**-16 and at most 128. "
                f"Received: conf_scale={self.conf_scale!r}"
            )
        object.__setattr__(self, "loc_scale", loc_scale)
        object.__setattr__(self, "conf_scale", conf_scale)

    @property
    def logit_step(self) -> int:
        """`round(conf_scale * 2**16)`: a step of the scores as a Q16 logit, at most 2**23."""
        return int(round_half_away(self.conf_scale * 2.0**16))

    @property
    def centre_step(self) -> int:
        """A step of the first two offsets as a shift of the centre, in steps of 2**-20 pixel.

        `round(loc_scale * size * 2**20 / 10)`; the tenth is the variance of the centre.
        """
        return _centre_step(self.loc_scale, self.size)

    @property
    def sizes(self) -> np.ndarray:
        """A box's side for each value of an offset: uint16 [256], in sixteenths of a pixel.

        Entry `q + 128` is `16 * size * exp(0.2 * loc_scale * (q - loc_zero_point))`, rounded to
        nearest, at least 1 and at most 65,535; 0.2 is the variance of the size.
        """
        return _sizes(self.size, self.loc_scale, self.loc_zero_point)


@dataclass(frozen=True)
class DetectionSettings:
    """Thresholds and capacities of the decoding.

    Args:
        score_threshold: Boxes are kept whose face probability is larger; at least 0, below 1.
        iou_threshold: Boxes are removed whose intersection over union with a better one is larger;
            0 to 1.
        candidates: The best boxes that are compared with each other at all, 1 to 2**20.
        detections: Boxes in the result, at most; 1 to 2**20.

    Raises:
        ValueError: An argument is malformed or out of range.
    """

    score_threshold: float = 0.05
    iou_threshold: float = 0.3
    candidates: int = 5000
    detections: int = 750

    def __post_init__(self):
        for name, end in (("score_threshold", "below"), ("iou_threshold", "at most")):
            value = number(getattr(self, name), name)
            if not (0 <= value < 1 or (value == 1 and end == "at most")):
                raise ValueError(
                    f"`{name}` must be at least 0 and {end} 1. Received: {name}={value!r}"
                )
            object.__setattr__(self, name, value)
        for name in ("candidates", "detections"):
            value = whole(getattr(self, name), name, 1, LARGEST_CAPACITY)
            object.__setattr__(self, name, value)

    @property
    def logit_threshold(self) -> int:
        """`round(log(t / (1 - t)) * 2**16)` of the score threshold t; below any logit for 0."""
        t = self.score_threshold
        return -(1 << 31) if t == 0 else round((math.log(t) - math.log1p(-t)) * 2**16)

    @property
    def iou_threshold_q15(self) -> int:
        """`round(iou_threshold * 2**15)`."""
        return int(round_half_away(self.iou_threshold * 2.0**15))


def whole(value, name: str, lowest: int, highest: int) -> int:
    """`value` as an int; ValueError unless it is one from `lowest` to `highest`."""
    whole_number = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole_number or not lowest <= value <= highest:
        raise ValueError(
            f"`{name}` must be an integer from {lowest} to {highest}. Received: {name}={value!r}"
        )
    return int(value)


def number(value, name: str) -> float:
    """`value` as a float; ValueError unless it is a finite number."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float, np.integer, np.floating))
        or not math.isfinite(value)
    ):
        raise ValueError(f"`{name}` must be a finite number. Received: {name}={value!r}")
    return float(value)


def _float32(value, name: str) -> float:
    """Rounded to float32, in which scales are stored; infinity when that is too small for it."""
    with np.errstate(over="ignore"):
        return float(np.float32(number(value, name)))


def _centre_step(loc_scale: float, size: int) -> int:
    # The product is exact: 24 bits by 12. So only the division and `round` round.
    step = loc_scale * size * 2.0**20 / 10
    return int(round_half_away(min(step, 2.0**31)))


@functools.lru_cache(maxsize=64)
def _sizes(size: int, loc_scale: float, zero_point: int) -> np.ndarray:
    side = decimal.Decimal(STEPS * size)
    unit = _EXPONENTIAL.divide(decimal.Decimal(loc_scale), decimal.Decimal(5))
    table = np.empty(256, np.uint16)
    for q in range(-128, 128):
        exponent = _EXPONENTIAL.multiply(unit, decimal.Decimal(q - zero_point))
        exponent = max(-_LARGEST_EXPONENT, min(exponent, _LARGEST_EXPONENT))
        # Decimal's exponential is correctly rounded, unlike that of C libraries.
        grown = _EXPONENTIAL.multiply(side, _EXPONENTIAL.exp(decimal.Decimal(exponent)))
        table[q + 128] = max(1, min(round(grown), LARGEST_SIDE))
    table.flags.writeable = False
    return table

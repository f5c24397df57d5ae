"""The integer decoding of detections against one in real numbers, and at its limits."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from rnnpool_tf.integer.detection import (
    DetectionLevel,
    Detections,
    DetectionSettings,
    decode_detections,
)
from tests.kernels.detection_cases import QVGA, qvga_case

pytestmark = pytest.mark.keras_free

LEVEL = DetectionLevel(8, 16, 0.05, 0, 0.1, 0)
# See the specification: of a coordinate in pixels, and of a logit.
COORDINATE = (1 / 2 + 1 / 4 + 255 / 2**17) / 16
LOGIT = 255 / 2**17


def one_level(scores: np.ndarray, loc=None) -> list[np.ndarray]:
    """Maps of one level whose face scores are these, against a background of 0."""
    conf = np.stack([np.zeros_like(scores), scores], axis=-1).astype(np.int8)
    return [np.zeros((*scores.shape, 4), np.int8) if loc is None else loc, conf]


def decode_float(levels, maps) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Corners in pixels, face probabilities and their logits, by the paper's formulas."""
    boxes, scores, logits = [], [], []
    for level, loc, conf in zip(levels, maps[::2], maps[1::2], strict=True):
        offsets = level.loc_scale * (loc.reshape(-1, 4).astype(float) - level.loc_zero_point)
        steps = conf.reshape(-1, 2).astype(float) - level.conf_zero_point
        i, j = np.divmod(np.arange(len(offsets)), loc.shape[1])
        anchors = np.stack([(j + 0.5) * level.stride, (i + 0.5) * level.stride], axis=1)
        centres = anchors + 0.1 * offsets[:, :2] * level.size
        sides = level.size * np.exp(0.2 * offsets[:, 2:])
        boxes.append(np.concatenate([centres - sides / 2, centres + sides / 2], axis=1))
        powers = np.exp(level.conf_scale * (steps - steps.max(axis=1, keepdims=True)))
        scores.append(powers[:, 1] / powers.sum(axis=1))
        logits.append(level.conf_scale * (steps[:, 1] - steps[:, 0]))
    return np.concatenate(boxes), np.concatenate(scores), np.concatenate(logits)


def iou_matrix(boxes: np.ndarray) -> np.ndarray:
    low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    intersection = np.prod(np.maximum(high - low, 0), axis=2)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return intersection / (areas[:, None] + areas[None] - intersection)


def suppress_float(boxes: np.ndarray, scores: np.ndarray, threshold: float) -> list[int]:
    order = np.lexsort((np.arange(len(scores)), -scores))
    overlaps = iou_matrix(boxes)
    kept: list[int] = []
    for index in order:
        if all(overlaps[index, other] <= threshold for other in kept):
            kept.append(int(index))
    return kept


def random_maps(rng: np.random.Generator, share: float) -> tuple[list[DetectionLevel], list]:
    """A QVGA detector's levels and maps, this share of whose anchors pass."""
    levels, maps = [], []
    for stride, size in QVGA:
        loc, conf = rng.uniform(0.02, 0.06), rng.uniform(0.03, 0.2)
        levels.append(DetectionLevel(stride, size, loc, int(rng.integers(-20, 20)), conf, 7))
        shape = (240 // stride, 320 // stride)
        maps.append(rng.integers(-128, 128, (*shape, 4)).astype(np.int8))
        scores = rng.integers(-128, 128, (*shape, 2))
        scores[rng.random(shape) >= share] = (127, -128)
        maps.append(scores.astype(np.int8))
    return levels, maps


@pytest.mark.parametrize("seed", range(4))
def test_coordinates_and_logits_are_within_the_stated_bounds(seed):
    levels, maps = random_maps(np.random.default_rng([31, seed]), 1)
    # A threshold of 1 removes nothing, so that all anchors come out, best first.
    found = decode_detections(
        levels, maps, score_threshold=0, iou_threshold=1, candidates=3000, detections=3000
    )
    boxes, scores, _ = decode_float(levels, maps)
    assert len(found) == len(boxes) == 3000
    logits = np.concatenate([(c[..., 1].astype(int) - c[..., 0]).ravel() for c in maps[1::2]])
    steps = np.repeat([level.logit_step for level in levels], [c[..., 0].size for c in maps[1::2]])
    order = np.argsort(-(logits * steps), kind="stable")
    error = np.abs(found.pixels - boxes[order]).max()
    print(f"seed={seed}: largest error {error * 16:.3f} sixteenths of a pixel")
    assert error <= COORDINATE
    # A sigmoid is nowhere steeper than 1/4.
    assert np.abs(found.scores - scores[order]).max() <= LOGIT / 4
    # Its table: steps of 1/128, half of one off, and what is beyond 8; Q15 is floored.
    assert np.abs(found.probabilities_q15 / 2**15 - found.scores).max() <= 0.001


def test_well_separated_detections_are_those_of_real_numbers():
    """Seeds count in which no rounding may decide: neither an overlap's side nor an order."""
    compared = 0
    for seed in range(120):
        rng = np.random.default_rng([32, seed])
        levels, maps = random_maps(rng, 0.02)
        levels[0] = replace(levels[0], size=16)
        boxes, _, logits = decode_float(levels, maps)
        threshold = math.log(0.05 / 0.95)
        passed = np.flatnonzero(logits > threshold)
        gaps = np.diff(np.sort(logits[passed]))
        # Equal scores of one level are equal in both; those of two levels must differ clearly.
        ambiguous = (gaps > 0) & (gaps <= 2 * LOGIT)
        near = np.abs(iou_matrix(boxes[passed]) - 0.3) < 0.02
        if ambiguous.any() or near.any() or np.abs(logits - threshold).min() <= 2 * LOGIT:
            continue
        kept = passed[suppress_float(boxes[passed], logits[passed], 0.3)]
        found = decode_detections(levels, maps)
        assert len(found) == len(kept), f"seed={seed}"
        assert np.abs(found.pixels - boxes[kept]).max() <= COORDINATE, f"seed={seed}"
        compared += len(kept) < len(passed)
    print(f"{compared} of 120 seeds")
    assert compared >= 10


def test_overlaps_are_exact():
    """Against fractions; the same candidates fall on either side of a threshold met exactly."""
    # Two boxes of 16×16 pixels that are 4 pixels apart: 12·16 / (2·256 − 12·16) = 3/5.
    maps = one_level(np.array([[50, 40]]))
    levels = [replace(LEVEL, stride=4)]
    assert Fraction(12 * 16, 2 * 256 - 12 * 16) == Fraction(3, 5)
    below, above = 19660 / 2**15, 19661 / 2**15
    assert below < 3 / 5 < above
    assert len(decode_detections(levels, maps, iou_threshold=below)) == 1
    assert len(decode_detections(levels, maps, iou_threshold=above)) == 2
    # 8 pixels apart: exactly 1/3; and 0 where boxes only touch, which is not larger than 0.
    touching = [replace(LEVEL, stride=16)]
    assert len(decode_detections(touching, maps, iou_threshold=0)) == 2
    assert len(decode_detections([LEVEL], maps, iou_threshold=0)) == 1


def test_nothing_is_found_in_an_empty_image():
    maps = one_level(np.full((30, 40), -60))
    found = decode_detections([LEVEL], maps)
    assert len(found) == 0
    assert found.boxes.shape == (0, 4) and found.boxes.dtype == np.int32
    assert found.scores.shape == found.probabilities_q15.shape == (0,)
    assert found.dropped == 0


@pytest.mark.parametrize("passing", [1000, 5000])
def test_many_anchors_pass(passing):
    rng = np.random.default_rng([33, passing])
    scores = np.full(120 * 160, -128)
    scores[rng.choice(scores.size, passing, replace=False)] = rng.integers(-29, 127, passing)
    found = decode_detections([LEVEL], one_level(scores.reshape(120, 160)))
    assert found.dropped == 0
    assert 0 < len(found) <= 750
    assert np.all(np.diff(found.logits) <= 0)
    overlaps = iou_matrix(found.pixels) - np.eye(len(found))
    # The threshold in Q15 is 9830 / 2**15, a little below 0.3.
    assert overlaps.max() <= 0.3


def test_equal_scores_keep_the_lower_anchors():
    maps = one_level(np.full((4, 8), 10))
    apart = [replace(LEVEL, stride=16)]
    found = decode_detections(apart, maps, candidates=11, detections=32)
    assert found.dropped == 32 - 11
    centres = found.pixels[:, :2] + 8
    expected = [((j + 0.5) * 16, (i + 0.5) * 16) for i in range(4) for j in range(8)]
    np.testing.assert_array_equal(centres, expected[:11])
    assert len(decode_detections(apart, maps, detections=5)) == 5


def test_capacity_keeps_the_best():
    rng = np.random.default_rng(34)
    scores = rng.integers(-20, 100, (30, 40))
    options = {"iou_threshold": 1, "detections": 1200}
    everything = decode_detections([LEVEL], one_level(scores), **options)
    assert everything.dropped == 0 and len(everything) == 1200
    best = decode_detections([LEVEL], one_level(scores), candidates=100, **options)
    assert best.dropped == 1100
    np.testing.assert_array_equal(best.logits, everything.logits[:100])
    np.testing.assert_array_equal(best.boxes, everything.boxes[:100])


def test_boxes_at_the_border_are_not_clipped():
    found = decode_detections([replace(LEVEL, size=48)], one_level(np.array([[30]])))
    np.testing.assert_array_equal(found.pixels, [[-20, -20, 28, 28]])


@pytest.mark.parametrize(
    ("offset", "side"), [(127, 65_535), (-128, 1)], ids=["largest", "smallest"]
)
def test_sides_saturate(offset, side):
    """exp(0.2 · 2 · 127) and exp(−0.2 · 2 · 128) times 48 pixels, on either axis."""
    level = DetectionLevel(8, 48, 2.0, 0, 0.1, 0)
    loc = np.zeros((1, 1, 4), np.int8)
    loc[0, 0, 2] = offset
    found = decode_detections([level], one_level(np.array([[30]]), loc))
    x1, y1, x2, y2 = found.boxes[0].tolist()
    assert x2 - x1 == side and y2 - y1 == 48 * 16
    assert abs((x1 + x2) / 2 - 4 * 16) <= 1 / 2  # the centre stays
    assert len(decode_detections([level], one_level(np.array([[30, 30]]), loc.repeat(2, 1)))) >= 1


def test_one_cell_maps_of_eight_levels():
    levels = [replace(LEVEL, size=2**power) for power in range(2, 10)]
    maps = [array for score in range(8) for array in one_level(np.array([[score]]))]
    found = decode_detections(levels, maps, iou_threshold=1)
    np.testing.assert_array_equal(
        np.diff(found.boxes[:, [0, 2]]).ravel(), 16 * 2 ** np.arange(9, 1, -1)
    )


def test_tables_are_correctly_rounded():
    """Against math.exp, where that is not too near to half a step to tell."""
    rng = np.random.default_rng(35)
    for _ in range(20):
        size, zero = int(rng.integers(1, 4096)), int(rng.integers(-128, 128))
        level = replace(LEVEL, size=size, loc_scale=2.0 ** rng.uniform(-9, -2), loc_zero_point=zero)
        exact = [16 * size * math.exp(level.loc_scale * (q - zero) / 5) for q in range(-128, 128)]
        clear = np.abs(np.mod(exact, 1) - 0.5) > 1e-6
        expected = np.clip(np.round(exact), 1, 65_535)
        np.testing.assert_array_equal(level.sizes[clear], expected[clear])
        assert clear.sum() > 250 and level.sizes.min() >= 1


def test_prepared_integers():
    level = DetectionLevel(8, 48, 0.05, 0, 0.1, 0)
    assert level.logit_step == round(Fraction(float(np.float32(0.1))) * 2**16)
    assert level.centre_step == round(Fraction(float(np.float32(0.05))) * 48 * 2**20 / 10)
    assert DetectionSettings(0.5).logit_threshold == 0
    assert DetectionSettings(0).logit_threshold == -(2**31)
    assert DetectionSettings(0.05).logit_threshold == -192_967  # −2.9444 · 2^16
    assert DetectionSettings(iou_threshold=0.3).iou_threshold_q15 == 9830
    largest = DetectionLevel(1, 4095, 1279.999 / 4095, 0, 128, 0)
    assert largest.centre_step < 2**27 and 255 * largest.logit_step < 2**31


def test_probabilities_at_the_ends():
    logits = np.array([-(2**31), -(2**19), 0, 2**19, 2**31 - 1], np.int32)
    faces = Detections(np.zeros((5, 4), np.int32), logits, 0)
    assert np.all(faces.probabilities_q15 >= 0) and np.all(faces.probabilities_q15 < 2**15)
    assert np.abs(faces.probabilities_q15 / 2**15 - faces.scores).max() <= 0.001


GOOD = one_level(np.array([[1, 2]]))
BAD_LEVELS = {
    "stride": {"stride": 0},
    "stride_type": {"stride": 8.0},
    "size": {"size": 4096},
    "zero_point": {"loc_zero_point": 128},
    "loc_scale_nan": {"loc_scale": float("nan")},
    "loc_scale_zero": {"loc_scale": 0.0},
    "loc_scale_product": {"loc_scale": 80.0},
    "loc_scale_float32": {"loc_scale": 1e300},
    "loc_scale_type": {"loc_scale": "0.1"},
    "conf_scale_inf": {"conf_scale": float("inf")},
    "conf_scale_small": {"conf_scale": 1e-6},
    "conf_scale_large": {"conf_scale": 128.1},
    "conf_zero_point": {"conf_zero_point": -129},
}


@pytest.mark.parametrize("wrong", BAD_LEVELS.values(), ids=BAD_LEVELS)
def test_levels_are_refused(wrong):
    with pytest.raises(ValueError, match=rf"`{next(iter(wrong))}` must be .* Received: "):
        replace(LEVEL, **wrong)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("score_threshold", 1),
        ("score_threshold", -0.1),
        ("score_threshold", None),
        ("iou_threshold", 1.01),
        ("iou_threshold", float("nan")),
        ("candidates", 0),
        ("candidates", 2**20 + 1),
        ("detections", 1.5),
        ("detections", True),
    ],
)
def test_settings_are_refused(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .* Received: "):
        decode_detections([LEVEL], GOOD, **{name: value})


def with_map(index: int, array) -> list:
    return [array if i == index else good for i, good in enumerate(GOOD)]


@pytest.mark.parametrize(
    ("levels", "maps", "message"),
    [
        ([], [], "`levels` must be 1 to 8"),
        ([LEVEL] * 9, GOOD * 9, "`levels` must be 1 to 8"),
        ([8], GOOD, "must hold DetectionLevel"),
        ([LEVEL], GOOD[:1], "`maps` must be two for each"),
        ([LEVEL], with_map(0, GOOD[0].astype(np.float32)), "loc of level 0 .* float32"),
        ([LEVEL], with_map(1, GOOD[0]), "conf of level 0 .* int8 array of shape"),
        ([LEVEL], with_map(1, None), "conf of level 0 .* NoneType"),
        ([LEVEL], with_map(0, GOOD[0][:, :1]), "must have one height and width"),
        ([LEVEL], [array[:0] for array in GOOD], "must cover 1 to 32768 pixels"),
        ([replace(LEVEL, stride=2**15)], GOOD, "must cover 1 to 32768 pixels"),
    ],
    ids=["none", "nine", "type", "count", "float", "swapped", "None", "sizes", "empty", "large"],
)
def test_maps_are_refused(levels, maps, message):
    with pytest.raises(ValueError, match=message):
        decode_detections(levels, maps)


def test_faces_of_a_network():
    case = qvga_case(12)
    found = decode_detections(case.levels, case.maps, **case.options)
    assert 4 <= len(found) <= 12 * 4 and found.dropped == 0
    assert found.scores.min() > 0.5

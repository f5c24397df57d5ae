"""The C++ box decoder gives what the specification gives, and refuses what it cannot hold."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from rnnpool_tf import box_decoding
from rnnpool_tf.box_decoding import detect, native_detections
from rnnpool_tf.integer.detection import Detections, decode_detections
from tests.kernels.detection_cases import Case, noise, qvga_case, random_case

pytestmark = pytest.mark.keras_free

SEEDS = range(240)


def compare(case: Case) -> Detections:
    expected = decode_detections(case.levels, case.maps, **case.options)
    found = native_detections(case.levels, case.maps, **case.options)
    np.testing.assert_array_equal(found.boxes, expected.boxes, err_msg=case.name)
    np.testing.assert_array_equal(found.logits, expected.logits, err_msg=case.name)
    assert found.dropped == expected.dropped, case.name
    return found


def test_equals_the_specification():
    found = [compare(random_case(seed)) for seed in SEEDS]
    # All kinds occur: nothing found, little, much, more than there is room for.
    assert sum(len(faces) == 0 for faces in found) > 10
    assert sum(len(faces) > 50 for faces in found) > 10
    assert sum(faces.dropped > 0 for faces in found) > 50


@pytest.mark.parametrize("faces", [0, 1, 10, 60])
def test_equals_the_specification_on_a_qvga_network(faces):
    compare(qvga_case(faces))


@pytest.mark.parametrize(("candidates", "width"), [(5000, 127), (1000, 3), (1, 3), (4999, 0)])
def test_heap_and_sort(candidates, width):
    """Many anchors with few different scores, so that their order decides."""
    rng = np.random.default_rng([41, candidates, width])
    level = qvga_case(0).levels[0]
    maps = [noise(rng, (60, 100, values), width) for values in (4, 2)]
    for threshold in (0.0, 0.5):
        options = {
            "score_threshold": threshold,
            "iou_threshold": 1,
            "candidates": candidates,
            "detections": 1500,
        }
        compare(Case(f"{candidates}-{width}", [level], maps, options))


def test_maps_need_not_be_contiguous():
    case = random_case(3)
    views = [np.repeat(array, 2, axis=1)[:, ::2] for array in case.maps]
    assert not any(view.flags.c_contiguous for view in views if view.shape[1] > 1)
    found = native_detections(case.levels, views, **case.options)
    expected = decode_detections(case.levels, case.maps, **case.options)
    np.testing.assert_array_equal(found.boxes, expected.boxes)


def test_probabilities():
    rng = np.random.default_rng(42)
    edges = np.array([-(2**31), 2**31 - 1, -1, 0, 511, 512, -(8 << 16), (8 << 16) - 1])
    logits = np.concatenate([edges, rng.integers(-(10 << 16), 10 << 16, 5000)]).astype(np.int32)
    found = np.empty_like(logits)
    box_decoding._library().rnnpool_probabilities_q15(
        ctypes.c_void_p(logits.ctypes.data),
        ctypes.c_int64(logits.size),
        ctypes.c_void_p(found.ctypes.data),
    )
    expected = Detections(np.zeros((logits.size, 4), np.int32), logits, 0).probabilities_q15
    np.testing.assert_array_equal(found, expected)


# Height, width, stride, logit step, centre step, zero point of loc.
GOOD = (1, 1, 8, 6554, 83886, 0)
SETTINGS = (0, 9830, 4, 4)
SIZES = np.full(256, 256, np.uint16)
MAPS = [np.zeros((1, 1, 4), np.int8), np.array([[[0, 5]]], np.int8)]


def changed(values, index: int, value: int) -> tuple[int, ...]:
    return (*values[:index], value, *values[index + 1 :])


@pytest.mark.parametrize(
    ("index", "value", "sentence"),
    [
        (0, 0, "cover 1 to 32768 pixels"),
        (0, -1, "cover 1 to 32768 pixels"),
        (1, 0, "cover 1 to 32768 pixels"),
        (1, 4097, "cover 1 to 32768 pixels"),
        (0, 2**31 - 1, "cover 1 to 32768 pixels"),
        (2, 0, "stride must be at least 1"),
        (2, -(2**31), "stride must be at least 1"),
        (2, 2**31 - 1, "cover 1 to 32768 pixels"),
        (3, 0, "logit step"),
        (3, 2**23 + 1, "logit step"),
        (4, -1, "centre step"),
        (4, 2**27, "centre step"),
        (5, -129, "zero point"),
        (5, 128, "zero point"),
    ],
)
def test_levels_are_refused(index, value, sentence):
    assert len(detect([GOOD], [SIZES], SETTINGS, MAPS)) == 1
    with pytest.raises(ValueError, match=sentence):
        detect([changed(GOOD, index, value)], [SIZES], SETTINGS, MAPS)


@pytest.mark.parametrize(
    ("index", "value", "sentence"),
    [
        (1, -1, "intersection over union"),
        (1, 2**15 + 1, "intersection over union"),
        (2, 0, "capacities"),
        (2, -1, "capacities"),
        (2, 2**20 + 1, "capacities"),
        (3, 0, "capacities"),
        (3, 2**31 - 1, "capacities"),
    ],
)
def test_settings_are_refused(index, value, sentence):
    with pytest.raises(ValueError, match=sentence):
        detect([GOOD], [SIZES], changed(SETTINGS, index, value), MAPS)


def test_other_levels_are_refused():
    with pytest.raises(ValueError, match="1 to 8 levels"):
        detect([], [], SETTINGS, [])
    with pytest.raises(ValueError, match="1 to 8 levels"):
        detect([GOOD] * 9, [SIZES] * 9, SETTINGS, MAPS * 9)
    with pytest.raises(ValueError, match="sizes must be at least 1"):
        detect([GOOD], [np.where(np.arange(256) == 255, 0, SIZES)], SETTINGS, MAPS)
    huge = (2**15, 2**15, 1, *GOOD[3:])
    with pytest.raises(ValueError, match="too many anchors"):
        detect([huge] * 2, [SIZES] * 2, SETTINGS, MAPS * 2)

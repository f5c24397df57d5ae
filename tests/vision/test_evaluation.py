"""Average precision of a detector over a list of pictures."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from rnnpool_tf.datasets.boxes import BoxExample
from rnnpool_tf.vision.evaluation import curve, detect_all

pytestmark = pytest.mark.keras_free


def example(shade: int, boxes, ignored=()) -> BoxExample:
    buffer = io.BytesIO()
    Image.fromarray(np.full((20, 30, 3), shade, np.uint8)).save(buffer, "PNG")
    return BoxExample(f"{shade}.png", buffer.getvalue, np.array(boxes), np.array(ignored, bool))


EXAMPLES = [
    example(1, [[0, 0, 10, 10], [12, 0, 22, 10]]),
    example(2, np.zeros((0, 4))),
    example(3, [[0, 0, 10, 10]], [True]),
]


def test_detections_come_in_the_order_of_the_pictures():
    def detect(image):
        return np.array([[0.5, 0, 0, image[0, 0, 0], 1]], np.float32)

    assert [rows[0, 3] for rows in detect_all(detect, EXAMPLES)] == [1, 2, 3]


def test_half_found_and_one_error():
    found = [
        np.array([[0.9, 0, 0, 10, 10]]),
        np.array([[0.95, 0, 0, 5, 5]]),  # nothing is there
        np.array([[0.99, 0, 0, 10, 10]]),  # to be ignored
    ]
    assert curve(found, EXAMPLES).average_precision == pytest.approx(0.25)  # half × a half


def test_nothing_found():
    assert curve([np.zeros((0, 5))] * 3, EXAMPLES).average_precision == 0

"""Precision over recall as a picture."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from rnnpool_tf.vision.average_precision import Curve, precision_recall_curve
from rnnpool_tf.vision.plots import plot_precision_recall

pytestmark = pytest.mark.keras_free


def curve(score: float) -> Curve:
    face = np.array([[0.0, 0, 9, 9]])
    return precision_recall_curve([np.array([[score, 0, 0, 9, 9]])], [face])


def test_every_curve_is_drawn(tmp_path):
    pytest.importorskip("matplotlib", reason="needs matplotlib to draw")
    none = precision_recall_curve([np.zeros((0, 5))], [np.zeros((0, 4))])
    plot_precision_recall({"one": curve(0.5)}, tmp_path / "one.png")
    plot_precision_recall({"one": curve(0.5), "none": none}, tmp_path / "two.png")
    one, two = (np.asarray(Image.open(tmp_path / name)) for name in ("one.png", "two.png"))
    assert one.shape == two.shape and not np.array_equal(one, two)


@pytest.mark.parametrize("count", [0, 22])
def test_number_of_curves(tmp_path, count):
    pytest.importorskip("matplotlib", reason="needs matplotlib to draw")
    with pytest.raises(ValueError, match=f"must be 1 to 21 curves. Received: {count}"):
        plot_precision_recall({str(i): curve(0.5) for i in range(count)}, tmp_path / "x.png")
    assert not list(tmp_path.iterdir())

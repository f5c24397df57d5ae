"""The generated scenes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from rnnpool_tf.datasets import load_dataset
from rnnpool_tf.datasets.synthetic import draw_scene

pytestmark = pytest.mark.keras_free


def test_seed_and_index_decide_a_scene():
    small, large = (load_dataset(f"synthetic:{n}:2", 16, seed=4) for n in (4, 8))
    np.testing.assert_array_equal(small.train.images, large.train.images[:4])
    other = load_dataset("synthetic:4:2", 16, seed=5)
    assert not np.array_equal(small.train.images, other.train.images)
    # No validation scene is a training scene.
    assert not set(small.train.names) & set(small.validation.names)


@pytest.mark.parametrize("channels", [1, 3])
def test_shapes_and_balance(channels):
    dataset = load_dataset("synthetic:6:4", 24, channels)
    assert dataset.train.images.shape == (6, 36, 36, channels)
    assert dataset.validation.images.shape == (4, 24, 24, channels)
    assert dataset.train.labels.tolist() == [0, 1] * 3
    assert dataset.train.images.dtype == np.uint8


def test_the_scene_does_not_depend_on_the_resolution():
    """Shrunk to 12 × 12, scenes drawn at 48 and 96 pixels look alike (pixel noise averages out)."""
    for index in range(6):
        pictures = [
            draw_scene(np.random.default_rng((9, index)), size, person=True) for size in (48, 96)
        ]
        shrunk = [
            np.asarray(
                Image.fromarray((255 * p).astype(np.uint8)).resize((12, 12), Image.Resampling.BOX)
            ).astype(float)
            for p in pictures
        ]
        # Unrelated scenes differ by 30 to 90.
        assert np.abs(shrunk[0] - shrunk[1]).mean() < 4, f"scene {index}"

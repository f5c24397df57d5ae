"""Random detectors' maps, and the detector of the paper's Cortex-M4 network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpool_tf.integer.detection import DetectionLevel

# (stride, size) of the QVGA networks' levels.
QVGA = ((8, 8), (8, 16), (16, 32), (16, 48))


@dataclass(frozen=True)
class Case:
    """Arguments of `decode_detections`."""

    name: str
    levels: list[DetectionLevel]
    maps: list[np.ndarray]
    options: dict[str, float | int]


def noise(rng: np.random.Generator, shape, width: int) -> np.ndarray:
    """int8 values up to `width` away from a common middle; a few at the ends of int8."""
    middle = rng.integers(-100, 101)
    values = np.clip(middle + rng.integers(-width, width + 1, shape), -128, 127)
    ends = rng.random(shape) < 0.01
    return np.where(ends, rng.choice([-128, 127], shape), values).astype(np.int8)


def random_case(seed: int) -> Case:
    """Up to 8 levels of any scales; thresholds and capacities from nothing to more than enough."""
    rng = np.random.default_rng([21, seed])
    levels, maps = [], []
    for _ in range(rng.integers(1, 9)):
        height, width = (int(size) for size in rng.integers(1, rng.choice([2, 24]), 2))
        levels.append(
            DetectionLevel(
                stride=int(rng.integers(1, 33)),
                size=int(rng.choice([1, 8, 48, rng.integers(1, 4096)])),
                loc_scale=float(2.0 ** rng.uniform(-20, -1.7)),
                loc_zero_point=int(rng.integers(-128, 128)),
                conf_scale=float(2.0 ** rng.uniform(-16, 7)) if seed % 3 else 0.125,
                conf_zero_point=int(rng.integers(-128, 128)),
            )
        )
        maps.append(noise(rng, (height, width, 4), int(rng.choice([0, 20, 127]))))
        maps.append(noise(rng, (height, width, 2), int(rng.choice([0, 2, 127]))))
    options = {
        "score_threshold": float(rng.choice([0, 0.05, 0.5, rng.random()])),
        "iou_threshold": float(rng.choice([0, 0.3, 1, rng.random()])),
        "candidates": int(rng.choice([1, 2, 16, 100, 5000])),
        "detections": int(rng.choice([1, 5, 750])),
    }
    anchors = sum(conf[..., 0].size for conf in maps[1::2])
    return Case(f"seed{seed}-{len(levels)}levels-{anchors}anchors", levels, maps, options)


def qvga_case(faces: int, candidates_per_face: int = 4) -> Case:
    """320×240 with clusters of anchors above the threshold, as a trained network gives them."""
    rng = np.random.default_rng([22, faces])
    levels, maps = [], []
    for index, (stride, size) in enumerate(QVGA):
        levels.append(DetectionLevel(stride, size, 0.05 + 0.01 * index, -5, 0.1 + 0.02 * index, 0))
        shape = (240 // stride, 320 // stride)
        maps.append(noise(rng, (*shape, 4), 20))
        conf = rng.integers(-10, 10, (*shape, 2)).astype(np.int8)
        conf[..., 0] = 60
        maps.append(conf)
    for face in range(faces):
        conf = maps[2 * (face % len(levels)) + 1]
        row, column = (int(rng.integers(0, extent - 1)) for extent in conf.shape[:2])
        for k in range(candidates_per_face):
            conf[row + k // 2 % 2, column + k % 2] = (-20, rng.integers(0, 60))
    return Case(f"qvga-{faces}faces", levels, maps, {"candidates": 400, "detections": 50})

"""How well a detector does on a data set: average precision."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np

from rnnpool_tf.datasets.boxes import BoxExample
from rnnpool_tf.vision.average_precision import Curve, precision_recall_curve


def detect_all(
    detect: Callable[[np.ndarray], np.ndarray], examples: Sequence[BoxExample], title: str = ""
) -> list[np.ndarray]:
    """`detect(image)` of every picture; shows its progress on a terminal.

    Args:
        detect: A `Detector`, or any function from uint8 (height, width, 3) to (N, 5).
        examples: Pictures.
        title: Of the progress line.

    Returns:
        What `detect` returned, in the order of `examples`.
    """
    found = []
    for index, example in enumerate(examples, start=1):
        found.append(detect(example.image()))
        if sys.stderr.isatty():
            end = "\n" if index == len(examples) else ""
            print(f"\r{title} {index}/{len(examples)}", end=end, file=sys.stderr, flush=True)
    return found


def curve(found: Sequence[np.ndarray], examples: Sequence[BoxExample], iou: float = 0.5) -> Curve:
    """Precision over recall of `detect_all`'s result at 1,000 thresholds (SCUT-HEAD in EdgeML).

    >>> from rnnpool_tf.datasets.boxes import BoxExample
    >>> example = BoxExample("picture", bytes, [[0, 0, 10, 10]])
    >>> curve([np.array([[0.9, 0, 0, 10, 10]])], [example]).average_precision
    1.0
    """
    return precision_recall_curve(
        found,
        [example.boxes for example in examples],
        [example.ignored for example in examples],
        iou=iou,
    )

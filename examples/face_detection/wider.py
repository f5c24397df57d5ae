"""Evaluate on WIDER FACE: easy, medium and hard faces, and pictures with at most three faces.

    python wider.py --run runs/face_c --dataset wider:WIDER --subsets eval_tools/ground_truth

--subsets is the folder of wider_easy_val.mat, wider_medium_val.mat and wider_hard_val.mat from
WIDER FACE's evaluation tools (reading them needs scipy). The float network sees every picture at
several sizes and mirrored, and its boxes vote, as in the paper; --single-scale shows it each once.
"""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import rnnpool_tf

rnnpool_tf.use_legacy_keras()

import common  # noqa: E402

SUBSETS = ("easy", "medium", "hard")
FEW_FACES = 3


def main(argv: list[str] | None = None) -> int:
    parser = common.parser(__doc__)
    parser.add_argument(
        "--subsets", type=Path, required=True, help="folder of the three .mat files"
    )
    parser.add_argument("--single-scale", action="store_true", help="one pass over each picture")
    arguments = parser.parse_args(argv)
    from rnnpool_tf.vision.detector import Detector
    from rnnpool_tf.vision.evaluation import detect_all
    from rnnpool_tf.vision.multi_scale import multi_scale_detect
    from rnnpool_tf.vision.plots import plot_precision_recall
    from rnnpool_tf.vision.wider_evaluation import load_wider_subset, wider_curve

    files = {name: arguments.subsets / f"wider_{name}_val.mat" for name in SUBSETS}
    subsets = {name: load_wider_subset(file) for name, file in files.items()}
    detector = Detector(common.load_float_model(arguments.run, (None, None)), area=math.inf)
    detect = detector if arguments.single_scale else partial(multi_scale_detect, detector)
    examples = common.load_data(arguments).validation
    rows = detect_all(detect, examples, "WIDER FACE")
    found = {example.name: boxes for example, boxes in zip(examples, rows, strict=True)}
    curves = {}
    for name, subset in subsets.items():
        curves[name] = wider_curve(found, subset)
        curves[f"{name}, at most {FEW_FACES} faces"] = wider_curve(
            found, subset, most_faces=FEW_FACES
        )
    for name, curve in curves.items():
        print(f"{name:<24} AP {curve.average_precision:.3f}")
    plot_precision_recall(curves, arguments.run / "wider.png")
    return 0


if __name__ == "__main__":
    common.start(main)

"""Step 3: convert to int8, and look at what every form of the detector finds.

    python convert_and_verify.py --dataset scut_head_b.zip --run runs/face_m4

Writes into the run: int8.tflite (fused and planned for microcontrollers), report.json, pictures/
(boxes of the data set, of the float network and of the int8 network in TensorFlow Lite Micro side
by side), curves (precision_recall.png, learning_curve.png; need matplotlib) and MODEL_CARD.md.
"any size" is the paper's protocol: every picture at 320×240 pixels' area, in its own shape. The
other rows see it within the fixed input of the converted network.
"""

from __future__ import annotations

import json

import rnnpool_tf

rnnpool_tf.use_legacy_keras()

import card  # noqa: E402
import common  # noqa: E402

ANY_SIZE = "float, Keras, any size"


def main(argv: list[str] | None = None) -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--images", type=int, help="validation images to use (default: all)")
    parser.add_argument("--pictures", type=int, default=4, help="to draw side by side")
    parser.add_argument(
        "--no-instructions",
        action="store_true",
        help="do not count instructions on the emulated Cortex-M4",
    )
    parser.add_argument("--data", default="", help="name and licence of the data, for the card")
    arguments = parser.parse_args(argv)
    from rnnpool_tf import Runtime, compression
    from rnnpool_tf.analysis import count
    from rnnpool_tf.vision.detector import Detector
    from rnnpool_tf.vision.evaluation import curve, detect_all

    run = arguments.run
    description = common.read_description(run)
    qat = compression.load(common.require(run / common.QAT_MODEL, "compress.py"))
    dataset = common.load_data(arguments)
    examples = dataset.validation[: arguments.images]
    int8_path = run / common.INT8_TFLITE
    int8_path.write_bytes(rnnpool_tf.convert(qat))
    float_model = common.load_float_model(run)
    detectors = {
        ANY_SIZE: Detector(common.load_float_model(run, (None, None))),
        "float, Keras": Detector(float_model),
        "QAT, Keras": Detector(qat),
        "int8, LiteRT": Detector(int8_path),
        "int8, TFLM": Detector(int8_path, engine="tflm"),
    }
    found = {name: detect_all(detect, examples, name) for name, detect in detectors.items()}
    curves = {name: curve(rows, examples) for name, rows in found.items()}
    counts = count(float_model)
    tflm = Runtime(int8_path, engine="tflm")
    report = {
        **description,
        "dataset": str(dataset),
        "images": len(examples),
        "average_precision": {name: c.average_precision for name, c in curves.items()},
        "parameters": counts.params,
        "madds": counts.madds_shared,
        "sparsity": compression.sparsity_report(qat).sparsity,
        "int8_bytes": int8_path.stat().st_size,
        "arena_bytes": tflm.arena_bytes,
        "smallest_arena": tflm.smallest_arena,
        "instructions": None if arguments.no_instructions else card.instructions(int8_path),
    }
    draw(run, examples[: arguments.pictures], found)
    plot(run, curves)
    (run / common.REPORT).write_text(json.dumps(report, indent=1) + "\n")
    (run / common.CARD).write_text(card.write(run, report, arguments.data))
    for name, value in report["average_precision"].items():
        print(f"{name:<24} AP {value:.3f}")
    print(f"TFLM arena {report['arena_bytes']:,} bytes, .tflite {report['int8_bytes']:,} bytes")
    print(f"{run / common.CARD}")
    return 0


def draw(run, examples, found) -> None:
    """Data set, float network and int8 network in TFLM side by side."""
    from rnnpool_tf.vision.command import DRAWING_THRESHOLD
    from rnnpool_tf.vision.drawing import TRUTH, draw_boxes, side_by_side

    folder = run / "pictures"
    folder.mkdir(exist_ok=True)
    for index, example in enumerate(examples):
        image = example.image()
        pictures = [draw_boxes(image, example.boxes, TRUTH)]
        for name in ("float, Keras", "int8, TFLM"):
            rows = found[name][index]
            rows = rows[rows[:, 0] > DRAWING_THRESHOLD]
            pictures.append(draw_boxes(image, rows[:, 1:], scores=rows[:, 0]))
        titles = ("boxes of the data set", "float", "int8 in TFLM")
        side_by_side(pictures, titles).save(folder / f"{index:03}.png")


def plot(run, curves) -> None:
    """Precision over recall of every form, and the losses over the epochs of all trainings."""
    from rnnpool_tf.plots import require_matplotlib
    from rnnpool_tf.vision.plots import plot_losses, plot_precision_recall

    try:
        require_matplotlib()
    except RuntimeError as error:
        print(f"no curves: {error}")
        return
    plot_precision_recall(curves, run / "precision_recall.png")
    plot_losses(card.histories(run), run / "learning_curve.png")


if __name__ == "__main__":
    common.start(main)

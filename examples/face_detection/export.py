"""Step 4: write an Arduino project with the int8 detector and some pictures as self-test.

    python export.py --dataset scut_head_b.zip --run runs/face_m4 --output firmware

The same for any detector and any pictures:
rnnpool export arduino int8.tflite --detector qvga --normalization faces -o firmware.
The sketch prints score and corners of every face. Without Arduino: rnnpool_tf.deploy.detector's
`render_detector` writes the header that the C++ box decoder needs, for any firmware.
"""

from __future__ import annotations

from pathlib import Path

import common


def main(argv: list[str] | None = None) -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--output", type=Path, help="folder to write (default: in the run)")
    parser.add_argument("--images", type=int, default=2, help="pictures for the self-test")
    parser.add_argument("--camera", choices=("ov7675", "none"), default="ov7675")
    parser.add_argument("--score-threshold", type=float, default=0.5, help="of printed faces")
    parser.add_argument("--force", action="store_true", help="replace an earlier export")
    arguments = parser.parse_args(argv)
    from rnnpool_tf.deploy import export_arduino
    from rnnpool_tf.vision.frame import fit_frame

    description = common.read_description(arguments.run)
    model = common.require(arguments.run / common.INT8_TFLITE, "convert_and_verify.py")
    qvga = description["network"] in common.QVGA_NETWORKS
    size = (*description["image_size"], 1 if qvga else 3)
    examples = common.load_data(arguments).validation[: arguments.images]
    export = export_arduino(
        model,
        arguments.output or arguments.run / "arduino",
        images=[fit_frame(example.image(), *size).pixels for example in examples],
        detector="qvga" if qvga else "vga",
        score_threshold=arguments.score_threshold,
        name=description["network"],
        camera=arguments.camera,
        normalization="faces",
        force=arguments.force,
    )
    print(f"sketch {export.sketch}, self-test on {len(export.tests)} pictures")
    return 0


if __name__ == "__main__":
    common.start(main)

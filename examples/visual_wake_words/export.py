"""Step 4: write an Arduino project with the int8 model and some validation images as self-test.

    python export.py --dataset synthetic --run runs/rnnpool --output firmware

The same for any model and any pictures: rnnpool export arduino int8.tflite -o firmware.
"""

from __future__ import annotations

from pathlib import Path

import common


def main(argv: list[str] | None = None) -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--output", type=Path, help="folder to write (default: in the run)")
    parser.add_argument("--images", type=int, default=2, help="per class, for the self-test")
    parser.add_argument("--camera", choices=("ov7675", "none"), default="ov7675")
    parser.add_argument("--force", action="store_true", help="replace an earlier export")
    arguments = parser.parse_args(argv)
    from rnnpool_tf.deploy import export_arduino

    description = common.read_description(arguments.run)
    model = common.require(arguments.run / common.INT8_TFLITE, "convert_and_verify.py")
    validation = common.load_data(arguments, description).validation
    rows = [
        row
        for label in range(len(common.LABELS))
        for row in (validation.labels == label).nonzero()[0][: arguments.images]
    ]
    export = export_arduino(
        model,
        arguments.output or arguments.run / "arduino",
        images=[validation.images[row] for row in rows],
        labels=common.LABELS,
        name="visual_wake_words",
        camera=arguments.camera,
        normalization=description["normalization"],
        force=arguments.force,
    )
    print(f"sketch {export.sketch}, self-test on {len(export.tests)} pictures")
    return 0


if __name__ == "__main__":
    common.start(main)

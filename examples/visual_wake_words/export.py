"""Step 4: write an Arduino project with the int8 model and some validation images as self-test.

    python export.py --dataset synthetic --run runs/rnnpool --output firmware

The same for any model and any pictures: rnnpool export arduino int8.tflite -o firmware.
With --stream pictures go in line by line, which is, for any model:
rnnpool export arduino int8_body.tflite --front int8_front.h -o firmware.
"""

from __future__ import annotations

from pathlib import Path

import common


def main(argv: list[str] | None = None) -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--output", type=Path, help="folder to write (default: in the run)")
    parser.add_argument("--images", type=int, default=2, help="per class, for the self-test")
    parser.add_argument("--camera", choices=("ov7675", "none"), default="ov7675")
    parser.add_argument("--stream", action="store_true", help="feed pictures line by line")
    parser.add_argument("--force", action="store_true", help="replace an earlier export")
    arguments = parser.parse_args(argv)
    from rnnpool_tf.deploy import export_arduino

    description = common.read_description(arguments.run)
    step = "convert_and_verify.py"
    model, front = common.INT8_TFLITE, None
    if arguments.stream:
        model = common.STREAM_BODY
        front = common.require(arguments.run / common.STREAM_HEADER, step)
    model = common.require(arguments.run / model, step)
    validation = common.load_data(arguments, description).validation
    rows = [
        row
        for label in range(len(common.LABELS))
        for row in (validation.labels == label).nonzero()[0][: arguments.images]
    ]
    export = export_arduino(
        model,
        arguments.output or arguments.run / "arduino",
        front=front,
        images=[validation.images[row] for row in rows],
        labels=common.LABELS,
        name="visual_wake_words",
        camera=arguments.camera,
        # The front holds it already.
        normalization=None if arguments.stream else description["normalization"],
        force=arguments.force,
    )
    print(f"sketch {export.sketch}, self-test on {len(export.tests)} pictures")
    return 0


if __name__ == "__main__":
    common.start(main)

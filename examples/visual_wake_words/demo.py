"""All steps on the generated pictures, small enough for two processor cores and a few minutes.

    python demo.py --output demo_output

Leaves a whole run in the output folder: the trained and the compressed network, both .tflite files,
report.json, predictions.png and an Arduino project. With more time, run the steps one by one.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import rnnpool_tf

rnnpool_tf.use_legacy_keras()

import common  # noqa: E402
import compress  # noqa: E402
import convert_and_verify  # noqa: E402
import export  # noqa: E402
import numpy as np  # noqa: E402
import train  # noqa: E402

TRAINING = {"epochs": 10, "batch-size": 32, "lr": 0.03, "clip-norm": 5, "batch-norm-momentum": 0.9}
COMPRESSION = {"prune-epochs": 2, "qat-epochs": 2, "batch-size": 32, "lr": 0.005}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("demo_output"))
    parser.add_argument("--dataset", default="synthetic", help="as in the steps")
    arguments = parser.parse_args(argv)
    run = arguments.output
    source = ["--dataset", arguments.dataset, "--run", str(run)]
    steps = (
        ("train", train, options(TRAINING)),
        ("prune and quantise", compress, options(COMPRESSION)),
        ("convert and verify", convert_and_verify, []),
        ("export for Arduino", export, ["--force"]),
    )
    began = time.perf_counter()
    for number, (title, step, more) in enumerate(steps, start=1):
        command = " ".join([f"{step.__name__}.py", *source, *more])
        print(f"\n== {number}/{len(steps)} {title} ({time.perf_counter() - began:.0f} s)")
        print(f"   python {command}", flush=True)
        step.main([*source, *more])
    report = json.loads((run / common.REPORT).read_text())
    draw_predictions(arguments.dataset, run, report)
    right = report["models"]["int8, TFLM"]["accuracy"]
    ram = " -> ".join(f"{size:,} {name}" for name, size in report["ram_bytes"].items())
    print(f"\n== done in {time.perf_counter() - began:.0f} s; in {run}:")
    for path, text in (
        (common.INT8_TFLITE, f"{right:.1%} of the validation images right in TFLM"),
        ("", f"bytes of RAM in TFLM: {ram}"),
        (common.STREAM_HEADER, f"with {common.STREAM_BODY}, the streamed form"),
        (common.REPORT, "the table above"),
        ("predictions.png", "validation images with the int8 model's answer"),
        ("arduino", "a sketch for the Arduino IDE; its README says what to do"),
    ):
        print(f"   {path:<16} {text}")
    return 0


def options(values: dict[str, float]) -> list[str]:
    """Command line arguments, one pair per entry."""
    return [text for name, value in values.items() for text in (f"--{name}", str(value))]


def draw_predictions(
    dataset: str, run: Path, report: dict, columns: int = 8, rows: int = 4
) -> None:
    """predictions.png: validation images with P(person) by the int8 model in TFLM.

    A green frame is a right answer, a red frame a wrong one.
    """
    from PIL import Image, ImageDraw

    description = common.read_description(run)
    data = common.load_dataset(dataset, description["image_size"], description["channels"])
    tile, margin, line = 112, 4, 14
    sheet = Image.new("RGB", (columns * tile, rows * (tile + line)), "white")
    draw = ImageDraw.Draw(sheet)
    examples = zip(data.validation.images, data.validation.labels, strict=True)
    for index, (pixels, label) in enumerate(examples):
        if index == columns * rows:
            break
        probability = report["person_probability"][index]
        right = (probability > 0.5) == bool(label)
        x, y = index % columns * tile, index // columns * (tile + line)
        draw.rectangle((x, y, x + tile - 1, y + tile - 1), "#2a2" if right else "#d22")
        picture = Image.fromarray(np.squeeze(pixels)).resize((tile - 2 * margin,) * 2)
        sheet.paste(picture, (x + margin, y + margin))
        draw.text((x + margin, y + tile + 1), f"person {probability:.0%}", "black")
    sheet.save(run / "predictions.png")


if __name__ == "__main__":
    common.start(main)

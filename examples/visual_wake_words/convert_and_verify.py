"""Step 3: convert to .tflite, and run every form of the network on the same validation images.

    python convert_and_verify.py --dataset synthetic --run runs/rnnpool

Writes float.tflite, int8.tflite and report.json into the run, for RNNPool networks also the pair
int8_front.h and int8_body.tflite, and prints the report as a table (--json: as JSON). "as QAT" is
the part of the predictions that are those of the QAT model, "as TFLM" of the int8 model in
TensorFlow Lite Micro. "streamed" is the pair: pictures go in line by line and are never stored.
"""

from __future__ import annotations

import json
from pathlib import Path

import rnnpool_tf

rnnpool_tf.use_legacy_keras()

import common  # noqa: E402
import numpy as np  # noqa: E402

_RAM = (
    ("TFLM arena", "unfused", "bytes, layer by layer"),
    ("  fused", "fused", "bytes"),
    ("  streamed", "streamed", "bytes in all: no picture is stored"),
)


def main(argv: list[str] | None = None) -> int:
    parser = common.parser(__doc__)
    parser.add_argument("--images", type=int, help="validation images to use (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    arguments = parser.parse_args(argv)
    description = common.read_description(arguments.run)
    common.require(arguments.run / common.QAT_MODEL, "compress.py")
    dataset = common.load_data(arguments, description)
    report = verify(arguments.run, description, dataset, arguments.images)
    (arguments.run / common.REPORT).write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1) if arguments.json else table(report), flush=True)
    return 0


def verify(run: Path, description: dict, dataset, images: int | None = None) -> dict:
    """Convert the float and the QAT model of `run`, and compare everything on `images` images."""
    from rnnpool_tf import Runtime, compression
    from rnnpool_tf.analysis import count
    from rnnpool_tf.conversion import fuse_model
    from rnnpool_tf.datasets import Examples, normalization
    from rnnpool_tf.training import accuracy, predict

    chosen = np.arange(len(dataset.validation))[:images]
    pictures, labels = dataset.validation.images[chosen], dataset.validation.labels[chosen]
    examples = Examples(pictures, labels, dataset.validation.aspects[chosen], ())
    float_model = common.load_float_model(run)
    qat = compression.load(run / common.QAT_MODEL)
    (run / common.FLOAT_TFLITE).write_bytes(rnnpool_tf.convert(float_model))
    # Apart, so that what fusion saves can be measured.
    unfused = rnnpool_tf.convert(qat, fuse="none", plan="greedy")
    int8_path = run / common.INT8_TFLITE
    int8_path.write_bytes(fuse_model(unfused))
    tflm = Runtime(int8_path, engine="tflm")
    ram = {"unfused": Runtime(unfused, engine="tflm").arena_bytes, "fused": tflm.arena_bytes}
    # What a device computes: integers from the pixels, by the model's own scale and zero point.
    details = tflm.input_details[0]
    normalize = normalization(description["normalization"])
    integers = normalize.quantize(pictures, details.scale, details.zero_point)
    logits = {
        "float, Keras": predict(float_model, examples, normalize),
        "float, LiteRT": Runtime(run / common.FLOAT_TFLITE).predict(normalize(pictures)),
        "QAT, Keras": predict(qat, examples, normalize),
        "int8, LiteRT": Runtime(int8_path).predict(integers),
        # The fast kernels round differently from those of microcontrollers; these do not.
        "int8, LiteRT ref.": Runtime(int8_path, reference_kernels=True).predict(integers),
        "int8, TFLM": tflm.predict(integers),
    }
    if description["pooling"] == "rnnpool":
        streamed = stream(int8_path, description)
        logits["int8, streamed"] = streamed.predict(pictures)
        ram["streamed"] = streamed.total_bytes
    classes = {name: np.argmax(values, axis=1) for name, values in logits.items()}
    counts = count(float_model)
    return {
        "images": len(labels),
        "models": {
            name: {
                "accuracy": accuracy(values, labels),
                "agreement": float(np.mean(classes[name] == classes["QAT, Keras"])),
                "tflm_agreement": float(np.mean(classes[name] == classes["int8, TFLM"])),
            }
            for name, values in logits.items()
        },
        "person_probability": _softmax(logits["int8, TFLM"].astype(float))[:, 1].round(4).tolist(),
        "input_scale": details.scale,
        "input_zero_point": details.zero_point,
        "sparsity": compression.sparsity_report(qat).sparsity,
        "parameters": counts.params,
        "madds": counts.madds_shared,
        "int8_bytes": int8_path.stat().st_size,
        "float_bytes": (run / common.FLOAT_TFLITE).stat().st_size,
        "ram_bytes": ram,
    }


def stream(int8_path: Path, description: dict):
    """Splits the int8 model into the pair beside it; returns its runtime."""
    from rnnpool_tf import StreamedRuntime
    from rnnpool_tf.conversion import split_stream

    pair = split_stream(int8_path, normalization=description["normalization"])
    header, body = pair.write(int8_path.with_suffix(""))
    return StreamedRuntime(header, body, engine="tflm")


def table(report: dict) -> str:
    """The report for people."""
    title = f"on {report['images']} images"
    lines = [f"{title:<18}{'accuracy':>9}{'as QAT':>9}{'as TFLM':>9}"]
    for name, row in report["models"].items():
        rates = (row["accuracy"], row["agreement"], row["tflm_agreement"])
        lines.append(f"{name:<18}" + "".join(f"{rate:>9.2%}" for rate in rates))
    for name, value, unit in (
        ("parameters", report["parameters"], f"{report['sparsity']:.1%} of the weights are zero"),
        ("MAdds", report["madds"], "per image"),
        ("float .tflite", report["float_bytes"], "bytes"),
        ("int8 .tflite", report["int8_bytes"], "bytes"),
        *((name, report["ram_bytes"].get(key), unit) for name, key, unit in _RAM),
    ):
        if value is None:
            continue
        lines.append(f"{name:<16}{value:>11,} {unit}")
    return "\n".join(lines)


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


if __name__ == "__main__":
    common.start(main)

"""Networks that were trained alike, side by side, from the reports of their runs.

    python compare.py runs/rnnpool runs/strided_conv runs/max runs/average

Prints one Markdown row per run; every run needs the report.json of convert_and_verify.py.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import common

FORMS = ("float, Keras", "QAT, Keras", "int8, LiteRT", "int8, TFLM")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", nargs="+", type=Path, help="folders of finished runs")
    arguments = parser.parse_args(argv)
    print(table(arguments.runs))
    return 0


def table(runs: list[Path]) -> str:
    """One row per run: accuracies on the validation images, size, arena and MAdds."""
    columns = ("pooling", *FORMS, "int8 .tflite", "TFLM arena", "MAdds")
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for run in runs:
        common.require(run / common.REPORT, "convert_and_verify.py")
        report = json.loads((run / common.REPORT).read_text())
        cells = [common.read_description(run)["pooling"]]
        cells += [f"{report['models'][form]['accuracy']:.2%}" for form in FORMS]
        cells += [f"{report['int8_bytes']:,} B", f"{report['ram_bytes']['fused']:,} B"]
        cells.append(f"{report['madds'] / 1e6:.2f} M")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    common.start(main)

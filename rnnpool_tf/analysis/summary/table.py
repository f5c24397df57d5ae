"""A summary as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict

from rnnpool_tf.analysis.summary.layers import Layer, Summary

_HEADER = (
    "layer", "operator", "output", "weights", "density", "bytes", "bias", "quant.", "stored as",
    "zeros",
)  # fmt: skip
_NUMBERS = range(3, 8)  # columns aligned to the right
_LABEL, _SIZE = 46, 12


def as_text(summary: Summary) -> str:
    """A line per weight tensor, or per operator without weights; then what the file consists of."""
    rows = [_HEADER, *(row for layer in summary.layers for row in _rows(layer))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join([*(_line(row, widths) for row in rows), "", *_totals(summary)])


def as_json(summary: Summary) -> dict:
    """Everything, for programs."""
    described = asdict(summary) | {"density": round(summary.density, 6)}
    described["layers"] = [
        asdict(layer)
        | {"weights": [asdict(w) | {"density": round(w.density, 6)} for w in layer.weights]}
        for layer in summary.layers
    ]
    return described


def _rows(layer: Layer) -> list[tuple[str, ...]]:
    shape = "x".join(map(str, layer.output_shape))
    own = (f"{layer.bias_bytes:,}", f"{layer.quantization_bytes:,}")
    if not layer.weights:
        return [(layer.name, layer.operator, shape, "", "", "", *own, "", "")]
    rows = []
    for position, weights in enumerate(layer.weights):
        first = position == 0
        name = layer.name if first else ""
        rows.append(
            (
                f"{name} {weights.name}" if weights.name else name,
                layer.operator if first else "",
                shape if first else "",
                f"{weights.count:,}",
                f"{weights.density:.2f}",
                f"{weights.bytes:,}",
                *(own if first else ("", "")),
                weights.scheme,
                weights.pattern,
            )
        )
    return rows


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = (
        f"{cell:>{width}}" if column in _NUMBERS else f"{cell:<{width}}"
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells).rstrip()


def _totals(summary: Summary) -> list[str]:
    rows = [
        ("weights", summary.weights),
        ("  that are not zero", summary.nonzero),
        ("bytes of the file", summary.bytes),
        ("  weights", summary.weights_bytes),
        ("  biases", summary.bias_bytes),
        ("  scales, zero points, multipliers, shifts", summary.quantization_bytes),
        ("  names of tensors", summary.names_bytes),
        ("  everything else", summary.rest_bytes),
        ("after gzip -9, to send it", summary.gzip_bytes),
    ]
    lines = [f"{label:<{_LABEL}}{value:>{_SIZE},}" for label, value in rows]
    lines[1] += f"  density {summary.density:.2f}"
    return lines

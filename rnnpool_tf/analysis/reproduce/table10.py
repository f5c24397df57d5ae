"""Table 10 of the paper: MobileNetV2-RNNPool, row by row."""

from __future__ import annotations

from dataclasses import dataclass

from rnnpool_tf.analysis.model_summary import LayerSummary
from rnnpool_tf.analysis.reproduce.counting import summary_of


@dataclass(frozen=True)
class Spec:
    """A printed row: the shape of its input, its operator, and which layers of ours it is."""

    shape: tuple[int, ...]
    operator: str
    layers: tuple[str, ...]


def _blocks(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"block{number}_" for number in range(first, last + 1))


SPECS = (
    Spec((224, 224, 3), "conv2d 3x3, 32, stride 2", ("stem",)),
    Spec((112, 112, 32), "RNNPool, 64, stride 4", ("pool",)),
    Spec((28, 28, 64), "4 bottlenecks, t 6, 64, stride 2", _blocks(1, 4)),
    Spec((14, 14, 64), "3 bottlenecks, t 6, 96, stride 1", _blocks(5, 7)),
    Spec((14, 14, 96), "3 bottlenecks, t 6, 160, stride 2", _blocks(8, 10)),
    Spec((7, 7, 160), "1 bottleneck, t 6, 320, stride 1", _blocks(11, 11)),
    Spec((7, 7, 320), "conv2d 1x1, 1280", ("last",)),
    Spec((7, 7, 1280), "avgpool 7x7", ("average",)),
    Spec((1280,), "conv2d 1x1, 1000 classes", ("logits",)),
)
_NOTES = """\
Every input has the printed shape (the paper writes 1x1x1280 before the classes). MAdds in total:
{shared:,} with W·x counted once (the paper's Table 3 says 226M: its first bottleneck has the 32
input channels of MobileNetV2), {plain:,} with every patch from scratch. Parameters {params:,}."""


def rows_of() -> list[dict]:
    """Counts every row; ValueError where an input has another shape than is printed."""
    layers = summary_of("mobilenet_v2_rnnpool", (("num_classes", 1000),)).layers
    rows, before = [], (224, 224, 3)
    for spec in SPECS:
        own = [layer for layer in layers if _belongs(layer, spec)]
        if before != spec.shape:
            raise ValueError(f"Table 10 has {spec.shape} before {spec.operator}. Ours: {before}")
        rows.append(
            {
                "input": "x".join(map(str, spec.shape)),
                "operator": spec.operator,
                "parameters": sum(layer.parameters for layer in own),
                "madds": sum(layer.madds for layer in own),
                "madds_shared": sum(layer.madds_shared for layer in own),
            }
        )
        before = own[-1].output_shape
    return rows


def as_text(rows: list[dict]) -> str:
    """The table for people."""
    lines = [
        "Table 10: MobileNetV2-RNNPool",
        "",
        f"{'input':<12}{'operator':<36}{'parameters':>12}{'MAdds, shared':>15}{'from scratch':>14}",
    ]
    lines += [
        f"{row['input']:<12}{row['operator']:<36}{row['parameters']:>12,}{row['madds_shared']:>15,}"
        f"{row['madds']:>14,}"
        for row in rows
    ]
    totals = {
        "shared": sum(row["madds_shared"] for row in rows),
        "plain": sum(row["madds"] for row in rows),
        "params": sum(row["parameters"] for row in rows),
    }
    return "\n".join([*lines, "", _NOTES.format(**totals)])


def _belongs(layer: LayerSummary, spec: Spec) -> bool:
    return any(
        layer.name == name or layer.name.startswith(name if name.endswith("_") else f"{name}_")
        for name in spec.layers
    )

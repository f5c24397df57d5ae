"""What the pictures show, whoever draws them: bars of memory, and accuracy against cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rnnpool_tf.analysis.blocks import STEM
from rnnpool_tf.analysis.model_summary import ModelSummary
from rnnpool_tf.analysis.summary.results import Result

# After "Okabe and Ito", which colour-blind readers can tell apart.
COLOURS = ("#0072b2", "#e69f00")
PEAK = "#d55e00"


@dataclass(frozen=True)
class Bar:
    """Memory of one block: `label` is its output, `hint` says which layers it has."""

    label: str
    bytes: int
    hint: str


@dataclass(frozen=True)
class Panel:
    """Memory over the layers of one model."""

    title: str
    bars: tuple[Bar, ...]

    @property
    def peak(self) -> int:
        """Position of the largest bar."""
        return max(range(len(self.bars)), key=lambda index: self.bars[index].bytes)


@dataclass(frozen=True)
class Scatter:
    """Accuracy against one cost, on a logarithmic axis."""

    title: str
    axis: str
    points: tuple[tuple[str, float, float], ...]  # name, cost, accuracy


MEMORY_TITLE = "Memory over the layers, by the paper's convention"


def memory_panels(summaries: Sequence[ModelSummary]) -> list[Panel]:
    """A panel per model, in the order given."""
    return [
        Panel(
            f"{one.name}: peak {one.paper.bytes:,} bytes",
            tuple(
                Bar(
                    str(block.after),
                    block.elements * one.element_bytes,
                    f"{block.kind}, {block}: {block.elements * one.element_bytes:,} bytes; "
                    + ("computed on the fly; " if block.kind == STEM else "")
                    + ", ".join(block.layers),
                )
                for block in one.blocks
            ),
        )
        for one in summaries
    ]


def scatters(results: Sequence[Result]) -> list[Scatter]:
    """Accuracy against RAM, and against MAdds."""
    ram = tuple((one.name, one.ram_bytes / 1024, one.accuracy) for one in results)
    work = tuple((one.name, one.madds / 1e6, one.accuracy) for one in results)
    return [
        Scatter("Accuracy against RAM", "RAM, KB (1,024 bytes)", ram),
        Scatter("Accuracy against work", "million MAdds", work),
    ]


def byte_unit(largest: float) -> tuple[float, str]:
    """Bytes of a unit that suits an axis, and its name."""
    if largest >= 1 << 20:
        return float(1 << 20), "MB (1,048,576 bytes)"
    return 1024.0, "KB (1,024 bytes)"


def ticks(largest: float, count: int = 5) -> list[float]:
    """Round values from 0 to at least `largest`."""
    rough = max(largest, 1e-9) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= rough * (1 - 1e-9))
    return [step * number for number in range(math.ceil(largest / step - 1e-9) + 1)]


def log_ticks(smallest: float, largest: float) -> list[float]:
    """1, 2 and 5 times powers of ten, around the values."""
    found, power = [], 10.0 ** (math.floor(math.log10(smallest)) - 1)
    while power <= 10 * largest:
        found += [power, 2 * power, 5 * power]
        power *= 10
    first = max(index for index, tick in enumerate(found) if tick <= smallest)
    last = min(index for index, tick in enumerate(found) if tick >= largest)
    if first == last:
        last += 1
    return found[first : last + 1]

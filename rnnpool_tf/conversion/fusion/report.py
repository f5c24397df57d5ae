"""What a fusion pass says about the places it looked at."""

from __future__ import annotations

from dataclasses import dataclass


class Unfit(Exception):
    """A part of the graph cannot be fused; the text says why, as a clause: "it is dilated"."""


@dataclass(frozen=True)
class FusionNote:
    """One place in a model that a pass looked at.

    Attributes:
        kind: "stem", "block" or "mean"; "model" for a sentence about all of it.
        name: Name of the layer; "" for the model.
        fused: Whether it was fused.
        detail: What was fused into one operator, or why not.
    """

    kind: str
    name: str
    fused: bool
    detail: str

    def __str__(self) -> str:
        verdict = "fused" if self.fused else "not fused"
        place = f"{self.kind} '{self.name}'" if self.name else self.kind
        return f"{verdict} {place}: {self.detail}"


def short_name(tensor_name: str) -> str:
    """The layer in a tensor's name.

    TensorFlow's converter joins the names of fused layers with ";"; the quantisation-aware layers
    of tfmot have the prefix "quant_".

    >>> short_name("net/quant_stem_relu/Relu6;net/quant_stem/Conv2D")
    'stem_relu'
    """
    path = tensor_name.split(";")[0].split("/")
    return path[-2 if len(path) > 1 else -1].removeprefix("quant_")

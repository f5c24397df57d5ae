"""Where the patches of an RNNPool layer lie, and how large its output is.

Pure Python, shared by the Keras layer, the integer model, the converter and the analyser.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

PADDINGS = ("valid", "same", "replicate")


@dataclass(frozen=True)
class Axis:
    """The patch grid along one axis of the map.

    Attributes:
        grid: Number of patches.
        before: Padding pixels before the first pixel of the map ("same" only).
        padded: Pixels from the first patch's start to the last patch's end.
        out: Output size: `grid` plus the repeated entries of "replicate".
    """

    grid: int
    before: int
    padded: int
    out: int


@dataclass(frozen=True)
class Geometry:
    """Patch size, strides and padding of an RNNPool layer.

    Along an axis of `size` pixels, with patch `p` and stride `s`:

    * "valid": `floor((size - p) / s) + 1` patches.
    * "same": `ceil(size / s)` patches; zeros are added on both sides as TensorFlow does (the odd
      one at the end).
    * "replicate": the patches of "valid"; the last output entry is then repeated `ceil(p / s) - 1`
      times, so that a size divisible by the stride gives `size / s`. The models of the RNNPool
      paper use this one.

    Args:
        pool_size: (rows, columns) of a patch.
        strides: (vertical, horizontal) distance between patches.
        padding: One of "valid", "same", "replicate".

    Raises:
        ValueError: An argument is malformed.

    Example:

    >>> Geometry((6, 6), (4, 4), "replicate").output_size(112, 112)
    (28, 28)
    """

    pool_size: tuple[int, int]
    strides: tuple[int, int]
    padding: str = "valid"

    def __post_init__(self):
        object.__setattr__(self, "pool_size", pair(self.pool_size, "pool_size"))
        object.__setattr__(self, "strides", pair(self.strides, "strides"))
        if not isinstance(self.padding, str) or self.padding.lower() not in PADDINGS:
            raise ValueError(
                f"`padding` must be one of {', '.join(map(repr, PADDINGS))}. "
                f"Received: padding={self.padding!r}"
            )
        object.__setattr__(self, "padding", self.padding.lower())

    def axes(self, height: int, width: int) -> tuple[Axis, Axis]:
        """Returns the vertical and the horizontal grid for a map of height × width pixels.

        Raises:
            ValueError: The map is smaller than a patch (paddings "valid" and "replicate").
        """
        return self._axis(height, 0, "height"), self._axis(width, 1, "width")

    def output_size(self, height: int | None, width: int | None) -> tuple[int | None, int | None]:
        """Returns (height, width) of the output for a map of height × width pixels.

        An unknown size (None) gives an unknown size.

        Raises:
            ValueError: The map is smaller than a patch (paddings "valid" and "replicate").
        """
        rows = None if height is None else self._axis(height, 0, "height").out
        columns = None if width is None else self._axis(width, 1, "width").out
        return rows, columns

    @property
    def repeats(self) -> tuple[int, int]:
        """How often "replicate" repeats the last row and the last column."""
        if self.padding != "replicate":
            return 0, 0
        rows, columns = (
            math.ceil(p / s) - 1 for p, s in zip(self.pool_size, self.strides, strict=True)
        )
        return rows, columns

    def _axis(self, size: int, index: int, name: str) -> Axis:
        patch, stride = self.pool_size[index], self.strides[index]
        before = 0
        if self.padding == "same":
            if size < 1:
                raise ValueError(f"The map's {name} must be at least 1. Received: {name}={size}")
            grid = math.ceil(size / stride)
            before = max((grid - 1) * stride + patch - size, 0) // 2
        else:
            if size < patch:
                raise ValueError(
                    f"`pool_size` must not exceed the map: a patch has {name} {patch}, the map "
                    f"has {name} {size}. Received: pool_size={self.pool_size}"
                )
            grid = (size - patch) // stride + 1
        return Axis(grid, before, (grid - 1) * stride + patch, grid + self.repeats[index])


def pair(value: int | Sequence[int], name: str) -> tuple[int, int]:
    """Returns `value` as two positive integers; a single integer stands for both.

    Raises:
        ValueError: `value` is neither a positive integer nor two of them.

    >>> pair(6, "pool_size")
    (6, 6)
    """
    values = (value, value) if isinstance(value, int) else value
    if (
        not isinstance(values, Sequence)
        or isinstance(values, str)
        or len(values) != 2
        or not all(isinstance(v, int) and not isinstance(v, bool) and v >= 1 for v in values)
    ):
        raise ValueError(
            f"`{name}` must be a positive integer or a pair of them. Received: {name}={value!r}"
        )
    return int(values[0]), int(values[1])

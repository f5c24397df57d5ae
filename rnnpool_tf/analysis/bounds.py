"""How little memory a chain of layers can be computed in, without computing anything twice.

Lower bounds of Saha et al., 2020, appendix D (Proposition 2 and Claim 4), for chains of layers in
which every output value depends on a window of the map before. Sizes are counted in elements; int8
models have a byte for each.

With R_q the rows of map q that one row of the chain's last map depends on, and S_q the stride from
map q to the last map, consecutive rows of the last map share k'_q = R_q − S_q rows of map q. A
schedule that computes nothing twice must keep k'_q · (width of map q) · (its channels) elements of
every map between the first and the last (Proposition 2; by columns instead of rows where those are
shorter). A sweep over the rows attains it up to a part of a row.

What the bounds are about: chains; every map between counts, also one that only passes through a
1×1 convolution, as in the paper's own figures (a clever order of the two saves that). They say
nothing about the layers' own working memory: sums, recurrent states, im2col buffers.

Stem and RNNPool of the paper's Visual Wake Words network, the image arriving row by row:

>>> maps = Map(224, 224, 3), Map(112, 112, 8), Map(28, 28, 32)
>>> chain = Chain(maps, (Window((3, 3), (2, 2)), Window((6, 6), (4, 4))))
>>> chain.streamed()
30240
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Map:
    """Size of a feature map: height, width, channels."""

    height: int
    width: int
    channels: int

    @property
    def elements(self) -> int:
        return self.height * self.width * self.channels

    def __str__(self) -> str:
        return f"{self.height}x{self.width}x{self.channels}"


@dataclass(frozen=True)
class Window:
    """What one element of a layer's output depends on, vertically and horizontally.

    Attributes:
        kernel: Height and width of the window; of patches, for pooling layers and RNNPool.
        strides: Vertical and horizontal distance from one window to the next.
    """

    kernel: tuple[int, int]
    strides: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class Chain:
    """Layers one after the other.

    Attributes:
        maps: The input and the output of every layer: one more than there are layers.
        windows: Of the layers.
    """

    maps: tuple[Map, ...]
    windows: tuple[Window, ...]

    def __post_init__(self):
        if len(self.windows) < 1 or len(self.maps) != len(self.windows) + 1:
            raise ValueError(
                "`maps` must have one entry more than `windows`, which must not be empty. "
                f"Received: {len(self.maps)} maps, {len(self.windows)} windows"
            )

    def kept(self, index: int) -> int:
        """Elements of map `index` that must be kept while the chain is computed: its k'_q rows, or
        columns."""
        return kept(self.maps[index], self._shared(index))

    def between(self) -> int:
        """Elements of the maps between the first and the last (Proposition 2)."""
        return sum(self.kept(index) for index in range(1, len(self.windows)))

    def resident(self) -> int:
        """Elements with the whole input in memory before and the whole output after."""
        return resident(self.maps[0], self.maps[-1], self._shared(0), self.between())

    def streamed(self) -> int:
        """Elements when the input arrives row by row and is not kept."""
        return streamed(self.maps[0], self.maps[-1], self._shared(0), self.between())

    def _shared(self, index: int) -> tuple[int, int]:
        """k'_q along both axes."""
        reach, stride = [1, 1], [1, 1]
        for window in reversed(self.windows[index:]):
            for axis in (0, 1):
                reach[axis] = (reach[axis] - 1) * window.strides[axis] + window.kernel[axis]
                stride[axis] *= window.strides[axis]
        return tuple(max(r - s, 0) for r, s in zip(reach, stride, strict=True))


def kept(of: Map, shared: tuple[int, int]) -> int:
    """Elements of a map that must be kept: `shared` rows or columns, at most the map."""
    rows, columns = min(shared[0], of.height), min(shared[1], of.width)
    return of.channels * min(rows * of.width, columns * of.height)


def resident(first: Map, last: Map, shared: tuple[int, int], between: int) -> int:
    """Elements with the whole input in memory before and the whole output after (Claim 4).

    The output may take the place of input that is no longer needed, or the input come in as the
    output grows, whichever is less favourable.

    Args:
        first: The input.
        last: The output.
        shared: Rows and columns of the input that neighbours in the output share.
        between: Elements of the maps between them.
    """
    rows, columns = min(shared[0], first.height), min(shared[1], first.width)
    grown = first.elements + last.channels * min(rows * last.width, columns * last.height)
    return max(grown, last.elements + kept(first, shared)) + between


def streamed(first: Map, last: Map, shared: tuple[int, int], between: int) -> int:
    """Elements when the input arrives row by row and is not kept: the output, the rows between, and
    the rows of the input that are still needed. Arguments as `resident`."""
    return last.elements + kept(first, shared) + between


def joined(chains: Sequence[Chain]) -> Chain:
    """Chains one after the other as one; each begins with the map that the one before ends with."""
    maps = [chains[0].maps[0]]
    for chain in chains:
        maps += chain.maps[1:]
    return Chain(tuple(maps), tuple(window for chain in chains for window in chain.windows))

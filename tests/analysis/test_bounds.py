"""Lower bounds of memory against worked figures of the paper and against brute force."""

from __future__ import annotations

import pytest

from rnnpool_tf.analysis.bounds import Chain, Map, Window, joined

pytestmark = pytest.mark.keras_free


def window(kernel: int, stride: int = 1) -> Window:
    return Window((kernel, kernel), (stride, stride))


def square(side: int, channels: int) -> Map:
    return Map(side, side, channels)


def inverted_residual(side: int, channels: int, outputs: int, expansion: int, stride: int) -> Chain:
    wide = channels * expansion
    maps = (
        square(side, channels),
        square(side, wide),
        square(side // stride, wide),
        square(side // stride, outputs),
    )
    return Chain(maps, (window(1), window(3, stride), window(1)))


def test_mobilenet_v2():
    """Paper, Table 8: 0.83 MiB of float32 for the stem and the first block, whose 1×1 expansion by
    factor 1 it counts as a layer."""
    stem = Chain((square(224, 3), square(112, 32)), (window(3, 2),))
    chain = joined([stem, inverted_residual(112, 32, 16, expansion=1, stride=1)])
    assert chain.resident() == 112 * 2 * 32 * 2 + 112**2 * 16 + 224 * 5 * 3 == 218_400


def test_resnet18():
    """Paper, Table 8: 0.811 MiB of float32: 7×7 convolution and 3×3 pooling, strides 2."""
    maps = (square(224, 3), square(112, 64), square(56, 64))
    assert Chain(maps, (window(7, 2), window(3, 2))).resident() == 212_576


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(
    ("channels", "outputs", "expansion"), [(32, 24, 6), (64, 64, 6), (8, 48, 1)]
)
def test_inverted_residual_has_the_papers_formula(channels, outputs, expansion, stride):
    side = 28
    chain = inverted_residual(side, channels, outputs, expansion, stride)
    out, shared = side // stride, 3 - stride
    assert chain.resident() == (
        max(
            side * side * channels + shared * out * outputs,
            out * out * outputs + shared * side * channels,
        )
        + shared * expansion * channels * side
    )


def test_two_convolutions_have_the_papers_formula_of_a_residual_pair():
    side, channels, outputs = 28, 32, 48
    maps = (square(side, channels), square(side, outputs), square(side, outputs))
    chain = Chain(maps, (window(3), window(3)))
    assert chain.between() == 2 * side * outputs
    assert chain.resident() == (
        max(side**2 * channels + 4 * side * outputs, side**2 * outputs + 4 * side * channels)
        + 2 * side * outputs
    )


def test_streamed_stem_and_rnnpool():
    """224×224×3, stem of stride 2 to 8 channels, RNNPool with patch 6 and stride 4: 13 image rows
    for a row of the map, 5 of which the next one shares; of the stem's rows, 2."""
    chain = Chain((square(224, 3), square(112, 8), square(28, 32)), (window(3, 2), window(6, 4)))
    assert chain.streamed() == 28 * 28 * 32 + 5 * 224 * 3 + 2 * 112 * 8
    assert chain.resident() == 224 * 224 * 3 + 5 * 28 * 32 + 2 * 112 * 8


def test_columns_are_kept_where_they_are_shorter():
    chain = Chain((Map(10, 40, 1), Map(10, 40, 2), Map(10, 40, 1)), (window(3), window(3)))
    assert chain.between() == 2 * 10 * 2


def test_windows_that_do_not_overlap_share_nothing():
    chain = Chain((square(16, 4), square(8, 4), square(2, 4)), (window(2, 2), window(4, 4)))
    assert chain.between() == 0
    assert chain.resident() == 16 * 16 * 4


def test_a_window_larger_than_the_map_shares_the_map():
    chain = Chain((square(4, 2), square(4, 3), square(4, 2)), (window(1), window(99)))
    assert chain.between() == 4 * 4 * 3


@pytest.mark.parametrize("kernels", [((3, 1), (3, 2)), ((5, 2), (3, 1), (2, 2)), ((1, 1), (7, 3))])
def test_rows_that_neighbours_share_by_brute_force(kernels):
    """Rows of every map that two neighbouring rows of the last map both depend on."""
    needed = [{3}, {4}]
    shared = []
    for kernel, stride in reversed(kernels):
        needed = [{row * stride + tap for row in rows for tap in range(kernel)} for rows in needed]
        shared.append(len(needed[0] & needed[1]))
    # So high that keeping rows is always less than keeping columns.
    maps = tuple(Map(100_000, 7, 2) for _ in range(len(kernels) + 1))
    chain = Chain(maps, tuple(window(*one) for one in kernels))
    assert [chain.kept(q) for q in range(len(kernels))] == [7 * 2 * n for n in shared[::-1]]


def test_maps_and_windows_must_match():
    with pytest.raises(ValueError, match="one entry more"):
        Chain((square(4, 1),), ())

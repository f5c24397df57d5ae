"""The paper's convention and the lower bounds for whole models."""

from __future__ import annotations

import dataclasses
import itertools
import random

import numpy as np
import pytest

from rnnpool_tf.analysis.bounds import Chain, Map, Window
from rnnpool_tf.analysis.conventions import lower_bounds, paper_convention
from rnnpool_tf.analysis.network import (
    CONVOLUTION,
    DEPTHWISE,
    INPUT,
    POINT,
    POOL,
    RNNPOOL,
    SUM,
    Network,
    Node,
)
from rnnpool_tf.analysis.tflite_network import tflite_network
from rnnpool_tf.conversion.finishing import fuse_model
from rnnpool_tf.conversion.flatbuffer import Graph
from tests.kernels.block_cases import ordinary_case, random_case
from tests.kernels.conv_pool_cases import random_conv_pool

pytestmark = pytest.mark.keras_free

SEEDS = range(4100, 4130)


def layer(
    kind: str, side: int, channels: int, kernel: int = 1, stride: int = 1, linear: bool = False
) -> Node:
    window = Window((kernel, kernel), (stride, stride))
    return Node(kind, (), window, Map(side, side, channels), linear)


def block(side: int, expanded: int, outputs: int, stride: int, expand: bool = True) -> list[Node]:
    return [
        *([layer(CONVOLUTION, side * stride, expanded)] if expand else []),
        layer(DEPTHWISE, side, expanded, 3, stride),
        layer(CONVOLUTION, side, outputs, linear=True),
    ]


def chain(size: Map, layers: list[Node], element_bytes: int) -> Network:
    """Layers one after the other."""
    linked = [dataclasses.replace(one, inputs=(place,)) for place, one in enumerate(layers)]
    return Network((Node(INPUT, (), POINT, size), *linked), element_bytes)


def visual_wake_words(size: int) -> Network:
    """Up to the first block of two; later ones are smaller."""
    layers = [
        layer(CONVOLUTION, size // 2, 8, 3, 2),
        layer(RNNPOOL, size // 8, 32, 6, 4),
        *block(size // 16, 192, 24, 2),
        *block(size // 16, 144, 24, 1),
        layer(POOL, 1, 24, size // 16, size // 16),
    ]
    return chain(Map(size, size, 3), layers, element_bytes=1)


@pytest.mark.parametrize(
    ("size", "expected"), [(96, 5_472), (128, 9_728), (160, 15_200), (192, 21_888), (224, 29_792)]
)
def test_visual_wake_words_by_the_papers_convention(size, expected):
    assert paper_convention(visual_wake_words(size)).bytes == expected


def test_mobilenet_v2_by_the_papers_convention():
    """Paper, appendix E.2: (112²·32 + 112²·16)·4 bytes , nothing for the stem."""
    layers = [
        layer(CONVOLUTION, 112, 32, 3, 2),
        *block(112, 32, 16, 1, expand=False),
        *block(56, 96, 24, 2),
    ]
    network = chain(Map(224, 224, 3), layers, element_bytes=4)
    assert paper_convention(network).bytes == 2_408_448


def test_an_rnnpool_behind_blocks_counts_its_output_alone():
    layers = [*block(8, 16, 64, 1), layer(RNNPOOL, 4, 32, 4, 2), layer(POOL, 1, 2, 4, 4)]
    network = chain(Map(8, 8, 4), layers, element_bytes=1)
    assert paper_convention(network).bytes == 8 * 8 * (4 + 64)
    behind = chain(Map(8, 8, 64), layers[3:], element_bytes=1)
    assert paper_convention(behind).bytes == 4 * 4 * 32


def test_lower_bounds_of_visual_wake_words():
    """The resident image and one row of the stem's output, or the map that RNNPool leaves."""
    bounds = lower_bounds(visual_wake_words(224))
    assert bounds.resident.bytes == 224 * 224 * 3 + 112 * 8
    assert bounds.streamed.bytes >= 14 * 14 * 24
    assert bounds.streamed.bytes < paper_convention(visual_wake_words(224)).bytes


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed{seed}")
def test_the_bound_is_the_best_of_all_ways_to_cut(seed):
    chance = random.Random(seed)
    sizes = [Map(chance.randint(1, 40), chance.randint(1, 40), chance.randint(1, 9))]
    layers = []
    for _ in range(chance.randint(1, 6)):
        window = Window((chance.randint(1, 5), chance.randint(1, 5)),
                        (chance.randint(1, 2), chance.randint(1, 2)))  # fmt: skip
        sizes.append(Map(chance.randint(1, 40), chance.randint(1, 40), chance.randint(1, 9)))
        layers.append(Node(CONVOLUTION, (), window, sizes[-1]))
    network = chain(sizes[0], layers, element_bytes=2)

    def worst(cuts: tuple[int, ...], streamed: bool) -> int:
        found = []
        for start, end in itertools.pairwise((0, *cuts, len(layers))):
            windows = tuple(one.window for one in layers[start:end])
            part = Chain(tuple(sizes[start : end + 1]), windows)
            found.append(part.streamed() if streamed and start == 0 else part.resident())
        return 2 * max(found)

    inner = range(1, len(layers))
    ways = [cuts for n in range(len(layers)) for cuts in itertools.combinations(inner, n)]
    bounds = lower_bounds(network)
    assert bounds.resident.bytes == min(worst(cuts, False) for cuts in ways)
    assert bounds.streamed.bytes == min(worst(cuts, True) for cuts in ways)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: f"seed{seed}")
@pytest.mark.parametrize("make", [random_case, random_conv_pool], ids=["block", "stem"])
def test_a_model_has_the_same_network_before_and_after_fusion(make, seed):
    model = make(seed).model(1)
    fused = fuse_model(model)
    assert tflite_network(Graph.from_bytes(fused)) == tflite_network(Graph.from_bytes(model))


def test_network_of_a_block_with_a_sum():
    case = ordinary_case(SEEDS[0], (8, 10, 4), 12, 4, (1, 1), residual=True)
    nodes = tflite_network(Graph.from_bytes(case.model(1))).nodes
    assert [(one.kind, one.output, one.inputs) for one in nodes] == [
        (INPUT, Map(8, 10, 4), ()),
        (CONVOLUTION, Map(8, 10, 12), (0,)),
        (DEPTHWISE, Map(8, 10, 12), (1,)),
        (CONVOLUTION, Map(8, 10, 4), (2,)),
        (SUM, Map(8, 10, 4), (0, 3)),
    ]
    assert nodes[2].window == Window((3, 3), (1, 1))


def test_a_model_without_operators_has_no_network():
    graph = Graph.from_bytes(random_case(SEEDS[0]).model(1))
    graph.subgraph.operators = []
    graph.subgraph.outputs = np.array([], np.int32)
    with pytest.raises(ValueError, match="compute an output"):
        tflite_network(graph)

"""Whole model files whose fused operators say anything: both engines refuse or agree, none crashes.

Damaged bytes seldom survive the check of the file; here the file is sound and only its numbers are
not: options, shapes, parameters and zero points drawn without any sense.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from rnnpool_tf.runtime.engines import ENGINES, start
from rnnpool_tf.runtime.model_file import read_model
from tests.kernels.block_cases import ordinary_case
from tests.kernels.conv_pool_cases import random_conv_pool
from tests.runtime.fused_models import (
    block_node,
    block_options,
    conv_pool_node,
    conv_pool_options,
    flexbuffer,
)
from tests.runtime.models import Node, build

pytestmark = pytest.mark.keras_free

NUMBERS = (0, 1, 2, 3, 5, 7, 8, 31, -1, -31, 127, -128, 255, 2**15, 2**30, 2**31 - 1, -(2**31))
SIZES = (0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 300)
LARGEST = 100_000  # elements of a tensor and products of a layer, so that all ends soon


def hostile(seed: int) -> Node:
    """A sound node with up to four of its numbers changed."""
    rng = np.random.default_rng([13, seed])
    if seed % 2:
        case = ordinary_case(seed, (5, 6, 3), 5, 3, (1, 1), bool(rng.integers(2)))
        node, options = block_node(case), block_options(case)
    else:
        case = random_conv_pool(int(rng.integers(40)))
        node, options = conv_pool_node(case), conv_pool_options(case)
    for _ in range(rng.integers(1, 5)):
        kind = rng.integers(4)
        name = str(rng.choice([name for name, tensor in node.tensors.items() if tensor]))
        if kind == 0:
            key = str(rng.choice(list(options)))
            options[key] = int(rng.choice(NUMBERS)) if rng.random() < 0.8 else int(rng.integers(12))
        elif kind == 1:
            node = reshaped(node, name, rng)
        elif kind == 2 and node.tensors[name].zero_points:
            node = node.change(name, zero_points=(int(rng.choice(NUMBERS)),))
        elif node.tensors[name].data is not None and node.tensors[name].data.size:
            data = node.tensors[name].data.copy()
            info = np.iinfo(data.dtype)
            value = int(np.clip(int(rng.choice(NUMBERS)), info.min, info.max))
            data.flat[rng.integers(data.size)] = value
            node = node.change(name, data=data)
    return replace(node, options=flexbuffer(options))


def reshaped(node: Node, name: str, rng: np.random.Generator) -> Node:
    """The node with one size of a tensor changed, or a dimension more or less."""
    tensor = node.tensors[name]
    shape = list(tensor.shape)
    axis = int(rng.integers(len(shape))) if shape else 0
    edit = rng.integers(6) if shape else 1
    if edit == 0:
        del shape[axis]
    elif edit == 1:
        shape.insert(axis, 1)
    else:
        shape[axis] = int(rng.choice(SIZES))
    if np.prod(shape) > LARGEST:
        return node
    changes = {"shape": tuple(shape)}
    if tensor.data is not None and np.prod(shape) > 0:
        changes["data"] = np.resize(tensor.data, shape)
    if len(tensor.scales) > 1:
        changes |= {"scales": tensor.scales[:1], "zero_points": (0,)}
    return node.change(name, **changes)


def run_hostile(first: int, count: int) -> None:
    """Runs nodes in both engines, printing each seed before; prints how many ran at the end."""
    ran = 0
    for seed in range(first, first + count):
        node = hostile(seed)
        model = build(node, open_batch=False)
        outputs = []
        for engine in ENGINES:
            print(seed, engine, flush=True)
            rng = np.random.default_rng(seed)
            try:
                runtime = start(read_model(model), engine)
                shapes = [details.shape for details in (*runtime.inputs, *runtime.outputs)]
                if sum(map(np.prod, shapes)) > LARGEST:
                    continue
                inputs = [rng.integers(-128, 128, d.shape).astype(d.dtype) for d in runtime.inputs]
                outputs.append(runtime.invoke(inputs)[0])
            except ValueError:
                continue
        if len(outputs) == 2 and outputs[0].shape == outputs[1].shape:
            ran += 1
            np.testing.assert_array_equal(*outputs, err_msg=f"seed {seed}")
    print("ran", ran)


@pytest.mark.parametrize("first", [0, 1000], ids=lambda n: f"seeds{n}to{n + 999}")
def test_hostile_nodes_do_not_crash(first):
    code = f"from tests.runtime.test_hostile_nodes import run_hostile; run_hostile({first}, 1000)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    last = done.stdout.strip().splitlines()[-1:]
    assert done.returncode == 0, f"seed and engine {last}: {done.stderr[-2000:]}"
    # Some changes leave a node sound: then both engines must give the same bytes.
    assert int(last[0].split()[1]) > 50, last

"""Truncated and damaged files: a sentence, never a crash."""

from __future__ import annotations

import functools
import subprocess
import sys

import numpy as np
import pytest

from rnnpool_tf.runtime import Runtime
from rnnpool_tf.runtime.engines import start
from rnnpool_tf.runtime.model_file import read_model
from tests.kernels.block_cases import ordinary_case
from tests.kernels.conv_pool_cases import random_conv_pool
from tests.runtime.fused_models import block_node, conv_pool_node
from tests.runtime.models import build
from tests.runtime.test_refusals import int8
from tests.runtime.test_runtime import float_model, int8_model

pytestmark = pytest.mark.keras_free


@pytest.mark.parametrize("model", [int8_model(), float_model()], ids=["int8", "float32"])
def test_every_truncation_is_refused(model):
    # The last bytes may be padding, which nothing points at.
    for length in range(len(model) - 8):
        with pytest.raises(ValueError, match=r"truncated or damaged|not a TensorFlow Lite file"):
            read_model(model[:length])


@pytest.mark.parametrize("engine", ["litert", "tflm"])
@pytest.mark.parametrize("share", [0.999, 0.5, 0.1])
def test_truncated_file(engine, share, tmp_path):
    model = int8_model()
    path = tmp_path / "cut.tflite"
    path.write_bytes(model[: int(len(model) * share)])
    with pytest.raises(ValueError, match=r"cut\.tflite' is truncated or damaged.*Received: \d+"):
        Runtime(path, engine)


@pytest.mark.parametrize(
    "content",
    [b"", b"TFL3", b"\x00" * 100, b"PK\x03\x04" + b"x" * 200, b"\x1c\x00\x00\x00TFL2" + b"0" * 64],
    ids=["empty", "short", "zeros", "zip", "old-version"],
)
def test_other_files(content):
    with pytest.raises(ValueError, match="not a TensorFlow Lite file"):
        Runtime(content)


def test_constant_shorter_than_its_shape():
    """An engine would read past the end of the file's bytes."""
    node = int8()
    short = node.change("W1", data=node.tensors["W1"].data[:2])
    with pytest.raises(ValueError, match="has 6 bytes in place of 12"):
        Runtime(build(short))


def test_fewer_zero_points_than_scales():
    with pytest.raises(ValueError, match="5 scales and 2 zero points"):
        Runtime(build(int8().change("U2", zero_points=(0, 0))))


def damage(model: bytes, seed: int) -> bytes:
    """The model with one to three bytes changed."""
    rng = np.random.default_rng([9, seed])
    changed = bytearray(model)
    for _ in range(rng.integers(1, 4)):
        changed[rng.integers(len(changed))] = rng.choice([rng.integers(256), 0, 1, 127, 128, 255])
    return bytes(changed)


def fused_models() -> list[bytes]:
    """Small models with the fused operators."""
    blocks = [ordinary_case(n, (5, 6, 3), 5, 3, (1, 1), n == 0) for n in range(2)]
    pool = build(conv_pool_node(random_conv_pool(4)))
    return [build(block_node(blocks[0])), build(block_node(blocks[1])), pool]


@functools.cache
def models() -> list[bytes]:
    return [float_model(), int8_model(), *fused_models()]


def run_damaged(first: int, count: int) -> None:
    """Runs models with changed bytes; prints each seed before, so that a crash names it."""
    for seed in range(first, first + count):
        model = damage(models()[seed % len(models())], seed)
        for engine in ("litert", "tflm"):
            print(seed, engine, flush=True)
            try:
                runtime = start(read_model(model), engine)
                shapes = [details.shape for details in runtime.inputs]
                # A larger map is sound, but takes long; a model without inputs is none of ours.
                if shapes and sum(map(np.prod, shapes)) < 1e6:
                    runtime.invoke([np.zeros(d.shape, d.dtype) for d in runtime.inputs])
            except ValueError:
                continue


@pytest.mark.parametrize("first", [0, 500, 1000], ids=lambda n: f"seeds{n}to{n + 499}")
def test_changed_bytes_do_not_crash(first):
    code = f"from tests.runtime.test_damaged_models import run_damaged; run_damaged({first}, 500)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    last = done.stdout.strip().splitlines()[-1:]
    assert done.returncode == 0, f"seed and engine {last}: {done.stderr[-2000:]}"

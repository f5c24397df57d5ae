"""`rnnpool bench m4 --model`: the layers of a model file."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from rnnpool_tf.bench.m4 import firmware
from rnnpool_tf.bench.m4.model_layers import measure_model, model_cases
from rnnpool_tf.bench.m4.workloads import int8_layer
from rnnpool_tf.geometry import Geometry
from tests.kernels.conv_pool_cases import random_conv_pool
from tests.runtime import models
from tests.runtime.fused_models import conv_pool_node

pytestmark = pytest.mark.keras_free

GEOMETRY = Geometry((4, 4), (2, 2), "same")


@pytest.fixture
def tools():
    missing = firmware.missing_packages()
    if missing:
        pytest.skip(f"needs the Debian packages {', '.join(missing)}")


def pool_model() -> bytes:
    """Two RNNPool layers, one after the other."""
    first = int8_layer("first", (9, 11, 5), (6, 8), GEOMETRY)
    second = int8_layer("second", (5, 6, 32), (4, 3), GEOMETRY)
    return models.build(*(int8_node(case, size) for case, size in ((first, 9), (second, 5))))


def int8_node(case, height: int) -> models.Node:
    scale, zero_point = case.input_scale, case.input_zero_point
    if height == 5:  # reads an RNNPool layer
        scale, zero_point = models.OUTPUT_SCALE, 0
    return models.int8_node(case.x.shape, scale, zero_point, case.cell1, case.cell2, GEOMETRY)


def test_layers_with_their_weights_and_sizes():
    cases, shapes = model_cases(pool_model())
    assert [case.x.shape for case in cases] == [(1, 9, 11, 5), (1, 5, 6, 32)]
    assert [case.input_scale for case in cases] == [np.float32(6 / 255), 1 / 128]
    given = int8_layer("first", (9, 11, 5), (6, 8), GEOMETRY)
    assert np.array_equal(cases[0].cell1.kernel_q, given.cell1.kernel_q)
    assert shapes[1].startswith("5x6 map, patch 4x4, strides 2x2, padding same, 32 channels")


def test_fused_operator_gives_its_rnnpool_part():
    fused = random_conv_pool(3)
    ((case,), _) = model_cases(models.build(conv_pool_node(fused)))
    last = fused.convolutions[-1]
    assert case.x.shape == (1, *last.out_size, fused.cells[0].inputs)
    assert case.input_zero_point == fused.map.zero_point
    assert np.array_equal(case.cell2.recurrent_q, fused.cells[1].recurrent_q)


def test_random_input_is_the_same_each_time():
    first, second = (model_cases(pool_model())[0] for _ in range(2))
    assert all(np.array_equal(a.x, b.x) for a, b in zip(first, second, strict=True))
    assert np.unique(first[0].x).size > 100  # all of int8


def test_measured(tools, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(pool_model())
    rows = measure_model(path)
    assert [row["path"] for row in rows] == ["dsp", "dsp"]
    assert all(row["instructions"] > row["shared_macs"] for row in rows)
    assert rows[1]["shape"].startswith("5x6 map")
    command = [sys.executable, "-m", "rnnpool_tf.cli", "bench", "m4", "--path", "dsp", "--json"]
    done = subprocess.run([*command, "--model", str(path)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == rows


def test_models_without_int8_layers_are_refused():
    rng = np.random.default_rng(5)
    cells = [
        (rng.normal(size=(3, k)), rng.normal(size=(3, 3)), np.zeros(3), np.zeros(3)) for k in (2, 3)
    ]
    data = models.build(models.float_node((1, 8, 8, 2), *cells, GEOMETRY))
    with pytest.raises(ValueError, match=r"all int8. Received: \['float32'\]"):
        measure_model(data)
    with pytest.raises(ValueError, match="TFL3"):
        measure_model(b"nothing at all")

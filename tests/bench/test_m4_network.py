"""`rnnpool bench m4 --network`: whole models in TensorFlow Lite Micro on the emulated M4."""

from __future__ import annotations

import json
import os
import re

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from rnnpool_tf.bench.m4 import firmware, network
from rnnpool_tf.bench.m4.firmware import EmulationError
from rnnpool_tf.bench.m4.network_firmware import write_network
from rnnpool_tf.bench.m4.tflm_build import LIBRARY, VARIABLE, find_tflm
from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.runtime.tensors import TensorDetails
from tests.bench.test_m4_command import rnnpool
from tests.deploy.tiny_model import tiny_model

pytestmark = pytest.mark.keras_free

HEADERS = (
    "tensorflow/lite/micro/micro_interpreter.h",
    "flatbuffers/include/flatbuffers/flatbuffers.h",
    "gemmlowp/fixedpoint/fixedpoint.h",
    "ruy/ruy/profiler/instrumentation.h",
)
PRINTED = """\
log a message
prepare instructions=30 stack=8
arena used=500 ram=400 in_ram=0
invoke instructions=1000 stack=64
output 0 bytes=2 different=0 first=-1 largest=0
output 1 bytes=9 different=3 first=4 largest=2
operator 600 CONV_2D
operator 300 ConvRNNPool
done
"""


@pytest.fixture
def tools():
    missing = firmware.missing_packages()
    if missing:
        pytest.skip(f"needs the Debian packages {', '.join(missing)}")


def lay_out(root, third_party: str, library: str) -> None:
    """Empty files where a build of TensorFlow Lite Micro has its headers and library."""
    first, *others = HEADERS
    for path in (first, *(f"{third_party}/{other}" for other in others), library):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


def test_without_tflm_dir(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    with pytest.raises(EmulationError, match=r"TFLM_DIR .* is not set\. .*README\.md says how"):
        find_tflm()


def test_command_without_tflm_dir(tools, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(tiny_model())
    done = rnnpool("bench", "m4", "--network", str(path), **{VARIABLE: ""})
    assert (done.returncode, done.stdout) == (1, "")
    assert "TFLM_DIR" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("third_party", "library"),
    [
        (
            "tensorflow/lite/micro/tools/make/downloads",
            f"gen/cortex_m_generic_cortex-m4+fp_default_cmsis_nn_gcc/lib/{LIBRARY}",
        ),
        ("third_party", LIBRARY),
    ],
    ids=["makefile", "folder"],
)
def test_layouts(tmp_path, monkeypatch, third_party, library):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    lay_out(tmp_path, third_party, library)
    found = find_tflm()
    assert found.library == tmp_path / library
    projects = [tmp_path / third_party / n for n in ("flatbuffers/include", "gemmlowp", "ruy")]
    assert found.includes == (tmp_path, *projects)


@pytest.mark.parametrize("missing", [*HEADERS, LIBRARY])
def test_what_is_missing_is_named(tmp_path, monkeypatch, missing):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    lay_out(tmp_path, "third_party", LIBRARY)
    for path in tmp_path.rglob(missing.rsplit("/", 1)[-1]):
        path.unlink()
    with pytest.raises(EmulationError, match=rf"TFLM_DIR must name .*{missing[-12:]}"):
        find_tflm()


def test_two_libraries_are_one_too_many(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    for kernels in ("", "_cmsis_nn"):
        target = f"cortex_m_generic_cortex-m4+fp_default{kernels}_gcc"
        lay_out(tmp_path, "third_party", f"gen/{target}/lib/{LIBRARY}")
    with pytest.raises(EmulationError, match=r"one gen/.*Received: .*default_cmsis_nn_gcc.*, gen"):
        find_tflm()


def test_resolver_has_exactly_the_operators(tmp_path):
    x, y = np.arange(6, dtype=np.int8), np.arange(3, dtype=np.int8)
    data = tiny_model(stem=True)
    write_network(data, x, [y, y[:2]], tmp_path)
    source = (tmp_path / "network.cpp").read_text()
    assert re.findall(r"ops\.(\w+)\(", source) == [
        "AddConv2D",
        "AddFullyConnected",
        "AddReshape",
        "AddCustom",
    ]
    assert "MicroMutableOpResolver<4>" in source
    assert 'AddCustom("RNNPool", tflite::Register_RNN_POOL_INT8())' in source
    assert "kOutputCount = 2" in source
    content = (tmp_path / "arrays.bin").read_bytes()
    assert content.startswith(data) and content.endswith(
        x.tobytes() + b"\0\0" + y.tobytes() + b"\0\0\1\0\0"
    )


def test_random_input_is_the_same_each_time():
    details = TensorDetails("x", (1, 40, 40), 1, np.dtype(np.int8), 0.5, 3)
    x = network.random_input(details)
    assert x.dtype == np.int8 and (x.min(), x.max()) == (-128, 127)
    assert np.array_equal(x, network.random_input(details))


def test_report():
    row = {"model": "m.tflite", "path": "dsp", "model_bytes": 9, **network.parse(PRINTED)}
    assert (row["instructions"], row["arena_used_bytes"], row["arena_in_ram"]) == (1000, 500, False)
    assert row["operators"][1] == {"name": "ConvRNNPool", "instructions": 300}
    text = network.table([row])
    assert "does NOT fit into 400 bytes of RAM" in text
    assert "2 bytes, all as TensorFlow Lite Micro gives on the desktop" in text
    assert "3 of 9 bytes DIFFER" in text and "by up to 2" in text
    assert "60.0%" in text and "cycles" in text and "millisecond" not in text


def test_failure_says_why():
    with pytest.raises(EmulationError, match=r"emulated M4: too small; AllocateTensors failed"):
        network.parse("log too small\nfailed AllocateTensors failed.\n")


def test_timer_that_wrapped_is_noticed():
    with pytest.raises(EmulationError, match="more instructions than"):
        network.parse(PRINTED.replace("operator 600", "operator 900"))


def test_models_that_cannot_run_are_refused(tmp_path):
    with pytest.raises(ValueError, match="TFL3"):
        network.measure_network(b"nothing at all")
    with pytest.raises(FileNotFoundError):
        network.measure_network(tmp_path / "absent.tflite")
    with pytest.raises(ValueError, match=r"no custom operators but .* Received: 'Other'"):
        network.measure_network(tiny_model(custom="Other"))
    with pytest.raises(ValueError, match=r"one subgraph.* Received: 2 subgraphs"):
        network.measure_network(two_subgraphs())


def two_subgraphs() -> bytes:
    model = Graph.from_bytes(tiny_model()).model
    model.subgraphs = [model.subgraphs[0], model.subgraphs[0]]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(schema.ModelT.Pack(model, builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def test_one_thing_at_a_time():
    done = rnnpool("bench", "m4", "--network", "x.tflite", "--model", "y.tflite")
    assert done.returncode == 1
    assert "measures one thing at a time. Received: --model --network" in done.stderr


def test_measured(tools, tmp_path):
    """The real thing: the same bytes as on the desktop, and every operator counted."""
    if not os.environ.get(VARIABLE):
        pytest.skip(f"needs TensorFlow Lite Micro for a Cortex-M4; {VARIABLE} does not name it")
    path = tmp_path / "model.tflite"
    path.write_bytes(tiny_model(stem=True, block=1))
    done = rnnpool("bench", "m4", "--network", str(path), "--path", "dsp", "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["model"], row["model_bytes"]) == (path.name, path.stat().st_size)
    names = [operator["name"] for operator in row["operators"]]
    assert names == [
        "CONV_2D",
        "RNNPool",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "CONV_2D",
        "RESHAPE",
        "FULLY_CONNECTED",
    ]
    counted = sum(operator["instructions"] for operator in row["operators"])
    # The interpreter takes a few hundred for each.
    assert counted < row["instructions"] < counted + 1000 * len(names)
    assert row["arena_in_ram"] and row["arena_used_bytes"] < row["ram_bytes"]
    (output,) = row["outputs"]
    assert output == {"bytes": 2, "different_bytes": 0, "first": -1, "largest_difference": 0}

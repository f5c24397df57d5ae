"""`Runtime`: what it takes, what it returns, what it says when something is wrong."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from rnnpool_tf import native
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer import rnnpool_int8
from rnnpool_tf.runtime import Runtime, tflm_engine
from tests.analysis.test_arena import softmax
from tests.runtime.models import Node, build, float_node, int8_node
from tests.runtime.test_engines_float import random_cell
from tests.runtime.test_engines_int8 import ENGINES, random_layer

pytestmark = pytest.mark.keras_free

GEOMETRY = Geometry((4, 4), (2, 2))
LAYER = random_layer(5, 3, 4, 2)
SCALE, ZERO_POINT = LAYER[:2]


def int8_model(batch: int = 1) -> bytes:
    return build(int8_node((batch, 8, 10, 3), *LAYER, GEOMETRY))


def float_model() -> bytes:
    rng = np.random.default_rng(0)
    cells = random_cell(rng, 3, 4), random_cell(rng, 4, 2)
    return build(float_node((1, 8, 10, 3), *cells, GEOMETRY))


@pytest.mark.parametrize("engine", ENGINES)
def test_real_input_is_quantised_with_the_models_own_numbers(engine):
    """Halves round away from zero, values beyond int8 saturate."""
    stored = np.random.default_rng(1).integers(-128, 128, (2, 8, 10, 3)).astype(np.int8)
    stored[0, 0, 0] = (127, -128, ZERO_POINT)
    real = (stored.astype(np.float32) - ZERO_POINT) * np.float32(SCALE)
    real[0, 0, 0, :2] = (1e6, -1e6)
    expected = rnnpool_int8(stored, *LAYER, GEOMETRY)

    runtime = Runtime(int8_model(), engine)
    np.testing.assert_array_equal(runtime.predict_quantized(real), expected)
    np.testing.assert_array_equal(runtime.predict(real), expected.astype(np.float32) / 128)
    np.testing.assert_array_equal(runtime.predict(stored), expected.astype(np.float32) / 128)
    assert runtime.predict(real).dtype == np.float32
    assert runtime.predict_quantized(real).dtype == np.int8


@pytest.mark.parametrize("engine", ENGINES)
def test_one_sample_without_batch(engine):
    runtime = Runtime(float_model(), engine)
    sample = np.random.default_rng(2).normal(size=(8, 10, 3)).astype(np.float32)
    np.testing.assert_array_equal(runtime.predict(sample), runtime.predict(sample[None]))
    assert runtime.predict(sample).shape == (1, 3, 4, 8)


@pytest.mark.parametrize("engine", ENGINES)
def test_model_as_path_bytes_or_bytearray(engine, tmp_path):
    model = float_model()
    path = tmp_path / "model.tflite"
    path.write_bytes(model)
    x = np.random.default_rng(3).normal(size=(2, 8, 10, 3)).astype(np.float32)
    outputs = [
        Runtime(given, engine).predict(x) for given in (path, str(path), model, bytearray(model))
    ]
    for output in outputs[1:]:
        np.testing.assert_array_equal(output, outputs[0])


@pytest.mark.parametrize("engine", ENGINES)
def test_details(engine):
    runtime = Runtime(int8_model(), engine)
    (x,), (y,) = runtime.input_details, runtime.output_details
    assert (x.name, y.name) == ("input_0", "output_0")
    assert (x.shape, y.shape) == ((1, 8, 10, 3), (1, 3, 4, 8))
    assert (x.dtype, y.dtype) == (np.int8, np.int8)
    assert (x.scale, x.zero_point) == (np.float32(SCALE), ZERO_POINT)
    assert (y.scale, y.zero_point) == (1 / 128, 0)
    assert not Runtime(float_model(), engine).input_details[0].quantized


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("batch", "sentence"),
    [
        (np.zeros((1, 8, 8, 3), np.float32), r"\[n, 8, 10, 3\].*Received: shape=\(1, 8, 8, 3\)"),
        (np.zeros((0, 8, 10, 3), np.float32), r"n at least 1. Received: shape=\(0, 8, 10, 3\)"),
        (np.zeros((8, 10), np.float32), r"Received: shape=\(8, 10\)"),
        (np.zeros((1, 1, 8, 10, 3), np.float32), r"Received: shape=\(1, 1, 8, 10, 3\)"),
        (np.zeros((1, 8, 10, 3), np.uint8), "float32 or the model's int8. Received: dtype=uint8"),
        (np.zeros((1, 8, 10, 3), np.int32), "Received: dtype=int32"),
        (np.full((1, 8, 10, 3), np.nan, np.float32), "must not contain NaN. Received: 240 NaN"),
    ],
    ids=["width", "empty", "rank-2", "rank-5", "uint8", "int32", "nan"],
)
def test_wrong_batch(engine, batch, sentence):
    with pytest.raises(ValueError, match=sentence):
        Runtime(int8_model(), engine).predict(batch)


def test_unknown_engine():
    with pytest.raises(ValueError, match=r"`engine` must be one of.*Received: engine='tflite'"):
        Runtime(int8_model(), "tflite")


def test_several_inputs():
    node = int8_node((1, 8, 10, 3), *LAYER, GEOMETRY).change("W1", data=None)
    with pytest.raises(ValueError, match=r"models of 1 input\. Received: 2 inputs"):
        Runtime(build(node))


@pytest.mark.parametrize("arguments", [{"num_threads": 0}, {"arena_size": 4096}])
def test_wrong_arguments(arguments):
    name, value = next(iter(arguments.items()))
    with pytest.raises(ValueError, match=f"`{name}` must be.*Received: {name}={value}"):
        Runtime(int8_model(), "litert", **arguments)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.tflite"):
        Runtime(tmp_path / "absent.tflite")


@pytest.mark.parametrize("model", [None, 3, ["model.tflite"]], ids=["none", "int", "list"])
def test_model_of_wrong_type(model):
    with pytest.raises(TypeError, match=f"Received: {type(model).__name__}"):
        Runtime(model)


def test_tflite_micro_not_installed(monkeypatch):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(tflm_engine.metadata, "version", absent)
    tflm_engine.load_tflite_micro.cache_clear()
    with pytest.raises(ValueError, match=r"pip install rnnpool_tf\[tflm\]"):
        Runtime(int8_model(), "tflm")


def test_tflite_micro_of_another_version(monkeypatch):
    monkeypatch.setattr(tflm_engine.metadata, "version", lambda name: "0.dev20231010120000")
    tflm_engine.load_tflite_micro.cache_clear()
    with pytest.raises(ValueError, match=r"must be version .*Received: version 0\.dev2023"):
        Runtime(int8_model(), "tflm")


def test_library_not_built(monkeypatch, tmp_path):
    monkeypatch.setattr(native, "_PACKAGE", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"native library not built: run `pip install \.`"):
        Runtime(int8_model())


def test_scales_that_make_tflite_micro_abort():
    """Maps that hardly vary have scales that leave the range of its operators."""
    with pytest.raises(ValueError, match=r"aborts when it prepares or runs .*SIGABRT"):
        Runtime(softmax(1e-12), engine="tflm")
    assert Runtime(softmax(0.1), engine="tflm").arena_bytes > 0


def test_import_is_light():
    """Neither TensorFlow nor an interpreter is imported before it is needed."""
    code = (
        "import sys, rnnpool_tf.runtime\n"
        "heavy = {'tensorflow', 'ai_edge_litert', 'tflite_micro', 'keras'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def larger_node() -> Node:
    return int8_node((1, 24, 40, 3), *LAYER, GEOMETRY)


def test_arena():
    """Head: input, output and scratch together; tail: the weights; both within TFLM's rounding."""
    runtime = Runtime(build(larger_node()), "tflm")
    use = runtime.arena_breakdown
    assert runtime.arena_bytes == use["total"] == use["head"] + use["tail"]
    activations = 24 * 40 * 3 + 11 * 19 * 8
    assert activations < use["head"] < 2 * activations
    assert 500 < use["tail"] < 3000
    # Any run leaves the figures as they are.
    runtime.predict(np.zeros((2, 24, 40, 3), np.float32))
    assert Runtime(build(larger_node()), "tflm").arena_breakdown == use


def test_smallest_arena_runs_and_less_does_not():
    model = build(larger_node())
    runtime = Runtime(model, "tflm")
    smallest = runtime.smallest_arena
    assert smallest % 16 == 0
    # Only rounding to 16 bytes may make it smaller than what the recording allocator counts.
    assert runtime.arena_bytes - 16 < smallest < runtime.arena_bytes + 2048
    x = np.random.default_rng(0).normal(size=(1, 24, 40, 3)).astype(np.float32)
    tight = Runtime(model, "tflm", arena_size=smallest)
    np.testing.assert_array_equal(tight.predict(x), runtime.predict(x))
    with pytest.raises(ValueError, match=f"at least {smallest}.*Received.*={smallest - 16}"):
        Runtime(model, "tflm", arena_size=smallest - 16)


def test_arena_probe_that_cannot_start(monkeypatch):
    monkeypatch.setattr("rnnpool_tf.runtime.arena_probe.__name__", "no_such_module")
    with pytest.raises(RuntimeError, match=r"cannot be probed.*no_such_module"):
        _ = Runtime(int8_model(), "tflm").smallest_arena


def test_scratch_beyond_the_first_guess():
    """Scratch memory much larger than all tensors together: the arena grows until it is enough."""
    rng = np.random.default_rng(0)
    cells = random_cell(rng, 1, 16), random_cell(rng, 16, 16)
    model = build(float_node((1, 400, 400, 1), *cells, Geometry((400, 4), (400, 1))))
    assert Runtime(model, "tflm").arena_bytes > 8 << 20


def test_arena_of_litert():
    with pytest.raises(ValueError, match=r"engine=.tflm. only\. Received: engine='litert'"):
        _ = Runtime(int8_model()).arena_bytes


@pytest.mark.parametrize(("picture", "person_score"), [("person", 113), ("no_person", -57)])
def test_reference_model_of_tflite_micro(shared_dir, picture, person_score):
    """TFLM's own person detector, an old file, gives its published scores."""
    folder = shared_dir / "data" / "reference_models"
    runtime = Runtime(folder / "person_detect.tflite", engine="tflm")
    with Image.open(folder / f"{picture}.bmp") as image:
        pixels = np.asarray(image).view(np.int8)  # The bitmap stores the model's own bytes.
    scores = runtime.predict_quantized(pixels.reshape(1, 96, 96, 1))[0]
    assert scores.tolist() == [-person_score, person_score]


def test_reference_kernels_of_litert():
    x = np.random.default_rng(3).integers(-128, 128, (3, 8, 10, 3)).astype(np.int8)
    slow = Runtime(int8_model(), reference_kernels=True)
    np.testing.assert_array_equal(
        slow.predict_quantized(x), Runtime(int8_model()).predict_quantized(x)
    )
    with pytest.raises(ValueError, match=r"`reference_kernels` is for engine=.litert"):
        Runtime(int8_model(), engine="tflm", reference_kernels=True)

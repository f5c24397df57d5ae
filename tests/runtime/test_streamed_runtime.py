"""`StreamedRuntime`: predictions of the unsplit model, memory that adds up, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import rnnpool_tf
from rnnpool_tf import Runtime, StreamedRuntime
from rnnpool_tf.conversion import split_stream
from tests.deploy.tiny_model import SIZE, tiny_model

pytestmark = pytest.mark.keras_free

SEED = 41


@pytest.fixture(scope="module")
def model():
    return tiny_model(stem=True, block=True)


@pytest.fixture(scope="module")
def pair(model):
    return split_stream(model, blocks_in_front=0)


def _inputs(count=4):
    """int8 inputs of the model; the symmetric normalisation makes them of bytes + 128."""
    shape = (count, SIZE, SIZE, 3)
    return np.random.default_rng(SEED).integers(-128, 128, shape).astype(np.int8)


def _bytes(inputs):
    return (inputs.astype(int) + 128).astype(np.uint8)


def _start(pair, engine="litert", **options):
    if engine == "tflm":
        pytest.importorskip("tflite_micro", reason="needs the package tflite_micro")
    return StreamedRuntime(pair.header.encode(), pair.body, engine, **options)


@pytest.mark.parametrize("engine", ["litert", "tflm"])
def test_equals_the_unsplit_model(model, pair, engine):
    options = {"reference_kernels": True} if engine == "litert" else {}
    streamed, whole = _start(pair, engine, **options), Runtime(model, engine, **options)
    inputs = _inputs()
    expected = whole.predict_quantized(inputs)
    assert len(np.unique(expected, axis=0)) > 1, f"seed {SEED}: the pictures are not told apart"
    np.testing.assert_array_equal(streamed.predict_quantized(inputs), expected)
    np.testing.assert_array_equal(streamed.predict_quantized(_bytes(inputs)), expected)
    np.testing.assert_array_equal(streamed.predict(inputs), whole.predict(inputs))
    np.testing.assert_array_equal(streamed.predict_quantized(inputs[0]), expected[:1])
    assert streamed.output_details[0].shape == whole.output_details[0].shape


def test_pictures_do_not_depend_on_those_before(pair):
    streamed, inputs = _start(pair), _inputs()
    forwards = streamed.predict_quantized(inputs)
    np.testing.assert_array_equal(streamed.predict_quantized(inputs[::-1]), forwards[::-1])


def test_front_gives_the_input_of_the_body(pair):
    streamed = _start(pair)
    maps = streamed.front(_inputs())
    assert maps.dtype == np.int8
    assert maps.shape == (4, *streamed.map_shape) == (4, 3, 3, 16)
    np.testing.assert_array_equal(streamed.front(_bytes(_inputs())), maps)


def test_files_and_bytes_are_the_same(pair, tmp_path):
    header, body = pair.write(tmp_path / "hall")
    inputs = _inputs(2)
    np.testing.assert_array_equal(
        rnnpool_tf.StreamedRuntime(header, str(body)).predict(inputs), _start(pair).predict(inputs)
    )


def test_memory(pair):
    streamed = _start(pair, "tflm")
    arena = streamed.arena_breakdown
    assert arena["total"] == pytest.approx(arena["head"] + arena["tail"], abs=16)  # alignment
    map_bytes = int(np.prod(streamed.map_shape))
    assert arena["head"] >= map_bytes + streamed.workspace_bytes
    assert streamed.workspace_bytes == pair.facts.workspace_bytes
    assert streamed.total_bytes == arena["total"] + streamed.stream_bytes
    # The smallest arena is found in steps of 16 bytes, and operators borrow a little at the start.
    assert -16 <= streamed.smallest_total - streamed.total_bytes < 1024


def test_streaming_saves_the_picture(model, pair):
    pytest.importorskip("tflite_micro", reason="needs the package tflite_micro")
    whole = Runtime(rnnpool_tf.conversion.fuse_model(model), engine="tflm")
    saved = whole.arena_breakdown["head"] - _start(pair, "tflm").arena_breakdown["head"]
    # Rows in flight remain, and what is prepared of the weights: here most of a third.
    assert saved > SIZE * SIZE * 3 / 2


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        (np.zeros((2, SIZE, SIZE, 1), np.uint8), r"shape \[n, 24, 24, 3\].*\(2, 24, 24, 1\)"),
        (np.zeros((0, SIZE, SIZE, 3), np.uint8), "n at least 1"),
        (np.zeros((SIZE, 3), np.uint8), r"Received: shape=\(24, 3\)"),
        (np.zeros((SIZE, SIZE, 3), np.float32), "must be uint8.*Received: dtype=float32"),
    ],
    ids=["channels", "empty", "dimensions", "float"],
)
def test_bad_pictures(pair, pictures, message):
    with pytest.raises(ValueError, match=message):
        _start(pair).predict(pictures)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "tpu"}, "`engine` must be one of"),
        ({"num_threads": 0}, "`num_threads` must be at least 1"),
        ({"engine": "tflm", "reference_kernels": True}, "`reference_kernels` is for"),
    ],
    ids=["engine", "threads", "reference kernels"],
)
def test_bad_options(pair, options, message):
    with pytest.raises(ValueError, match=message):
        StreamedRuntime(pair.header.encode(), pair.body, **options)


def test_arena_needs_tflm(pair):
    with pytest.raises(ValueError, match='engine="tflm" only'):
        _ = _start(pair).total_bytes


def test_body_of_another_front(pair):
    other = split_stream(tiny_model(size=SIZE + 8, stem=True, block=True), blocks_in_front=0)
    with pytest.raises(ValueError, match=r"`body` must belong to the front.*\[1, 3, 3, 16\]"):
        StreamedRuntime(pair.header.encode(), other.body)


@pytest.mark.parametrize("engine", ["litert", "tflm"])
def test_body_of_another_front_with_the_same_inputs(model, pair, engine):
    # Its block is in the front, whose map is of the same shape.
    other = split_stream(model, blocks_in_front=1)
    assert other.facts.map_shape == pair.facts.map_shape
    with pytest.raises(ValueError, match=r"written together with the header.*0x[0-9a-f]{8}"):
        _start(replace(pair, body=other.body), engine)


def test_a_whole_model_is_no_body(pair, model):
    with pytest.raises(ValueError, match="`body` must belong to the front"):
        StreamedRuntime(pair.header.encode(), model)


def test_runtime_names_the_way_to_run_a_body(pair):
    with pytest.raises(ValueError, match=r"2 inputs, .*body of a streamed model runs in"):
        Runtime(pair.body)


def test_missing_files(pair, tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        StreamedRuntime(tmp_path / "nowhere.h", pair.body)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        StreamedRuntime(pair.header.encode(), tmp_path / "nowhere.tflite")


def test_text_of_a_header_must_be_bytes(pair):
    with pytest.raises(ValueError, match=r"`header` must be a path.*`\.encode\(\)`"):
        StreamedRuntime(pair.header, pair.body)

"""Packing the matrices of a file: what is chosen, and that no byte of a result changes."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from flatbuffers import flexbuffers

from rnnpool_tf import cli
from rnnpool_tf.bench.m4.model_layers import model_cases
from rnnpool_tf.conversion import Graph, fuse_model
from rnnpool_tf.conversion.finishing import fuse_file
from rnnpool_tf.conversion.front_image import FrontImage, read_front_image, write_front_image
from rnnpool_tf.conversion.fusion.fused_operators import conv_rnnpools, rnnpool_layers
from rnnpool_tf.conversion.packed_matrix import PACKABLE
from rnnpool_tf.conversion.packing import PackingNote, pack, pair_density
from rnnpool_tf.conversion.rnnpool_op import packed_matrices, read_options
from rnnpool_tf.conversion.scratch import scratch_bytes
from rnnpool_tf.line_stream import LineStream
from rnnpool_tf.runtime import Runtime
from tests.conversion.packable_model import SEED, dense, network

pytestmark = pytest.mark.keras_free

# The convolutions have so few channels that the first kernel's rows do not fill a group.
PACKED = set(PACKABLE) - {"kernel1"}


def notes_of(data: bytes) -> list[PackingNote]:
    return pack(Graph.from_bytes(data))


def packed_in(data: bytes) -> frozenset[str]:
    graph = Graph.from_bytes(data)
    (pool,) = rnnpool_layers(graph)
    return packed_matrices(graph, pool.operator.inputs[-8:])


@pytest.mark.parametrize("fuse", ["none", "all"])
@pytest.mark.parametrize("engine", ["litert", "tflm"])
def test_results_do_not_change(fuse, engine):
    x = network().inputs(1)
    expected = Runtime(fuse_model(dense(), fuse, pack="none"), engine).predict_quantized(x)
    packed = fuse_model(dense(), fuse)
    assert len(packed) < len(dense()) - 2000
    assert packed_in(packed) == PACKED
    assert np.unique(expected).size > 5
    np.testing.assert_array_equal(Runtime(packed, engine).predict_quantized(x), expected)


def test_version_tells_of_packed_matrices():
    for fuse in ("none", "all"):
        for form, version in (("none", 1), ("auto", 2)):
            graph = Graph.from_bytes(fuse_model(dense(), fuse, pack=form))
            (pool,) = rnnpool_layers(graph)
            assert read_options(pool.operator)["version"] == version


def test_packed_files_fuse_and_stay_packed():
    packed = fuse_model(dense(), "none")
    assert packed_in(fuse_model(packed)) == PACKED
    assert fuse_model(fuse_model(dense())) == fuse_model(dense())
    assert [note.matrix for note in notes_of(packed)] == ["kernel1"]


def test_notes_say_what_was_saved():
    notes = notes_of(dense())
    assert [note.matrix for note in notes] == list(PACKABLE)
    assert [note.packed for note in notes] == [False, True, True, True]
    recurrent = notes[1]
    assert recurrent.pair_density == pytest.approx(0.3, abs=0.01)
    assert str(recurrent).startswith("packed recurrent_kernel1 of ")
    assert "30% of the pairs are non-zero, 1," in str(recurrent)
    assert str(recurrent).endswith(" bytes in place of 2,116")


def test_dense_where_packed_is_not_smaller():
    data = network(density=0.7).model(1)
    assert packed_in(fuse_model(data)) == set()
    notes = notes_of(data)
    assert len(notes) == 4 and not any(note.packed for note in notes)
    assert "70% of the pairs are non-zero, packed it would take 2," in str(notes[1])


def test_dense_where_packed_is_slower(monkeypatch):
    limits = dict.fromkeys(PACKABLE, 0.2)
    monkeypatch.setattr("rnnpool_tf.conversion.packing.FASTER_BELOW", limits)
    notes = notes_of(dense())
    assert not any(note.packed for note in notes)
    assert str(notes[1]).endswith("30% of the pairs are non-zero, packed is faster below 20%")


def test_small_cells_stay_dense_and_say_why():
    data = network(units=(36, 18)).model(1)  # up to 2048 weights each
    notes = notes_of(data)
    assert notes and not any(note.packed for note in notes)
    assert all("cells of up to 2,048 weights are faster dense" in str(note) for note in notes)
    assert notes_of(network(density=1, units=(36, 18)).model(1)) == []


def test_matrices_with_a_scale_per_row_stay_dense():
    graph = Graph.from_bytes(dense())
    (pool,) = rnnpool_layers(graph)
    tensor = graph.tensors[int(pool.operator.inputs[2])]
    tensor.quantization.scale = np.full(46, tensor.quantization.scale[0], np.float32)
    tensor.quantization.zeroPoint = np.zeros(46, np.int64)
    notes = pack(graph)
    assert [note.packed for note in notes] == [False, False, True, True]
    assert "more than one scale" in notes[1].detail


def test_pair_density():
    matrix = np.array([[1, 0, 0, 0, 5], [0, 0, 0, -1, 0]], np.int8)
    assert pair_density(matrix) == pytest.approx(3 / 6)


def test_choice_is_checked():
    with pytest.raises(ValueError, match=r"`pack` must be one of .* Received: pack='some'"):
        fuse_file(dense(), "none", "greedy", "some")


def test_packed_kernels_take_scratch_memory():
    sizes = []
    for form in ("none", "auto"):
        graph = Graph.from_bytes(fuse_model(dense(), "none", pack=form))
        (pool,) = rnnpool_layers(graph)
        sizes.append(scratch_bytes(graph, pool.operator)[0])
    # Four vectors of 46 states, in place of the 48 words that a step needs.
    assert sizes[1] - sizes[0] == 4 * 23 * 4 - 48 * 4


def test_front_images_hold_packed_matrices():
    (stem,) = conv_rnnpools(Graph.from_bytes(fuse_model(dense())))
    assert stem.packed == PACKED
    image = write_front_image(FrontImage(stem))
    unpacked = write_front_image(FrontImage(dataclasses.replace(stem, packed=frozenset())))
    assert len(image) < len(unpacked) - 2000
    again = read_front_image(image)
    assert again.stem.packed == stem.packed
    assert write_front_image(again) == image
    (x,) = network().inputs(1)
    np.testing.assert_array_equal(LineStream(image).run(x), LineStream(unpacked).run(x))
    np.testing.assert_array_equal(again.stem.cell2.kernel_q, network().cells[1].kernel_q)


def test_benchmark_measures_the_form_in_the_file():
    ((case,), _) = model_cases(fuse_model(dense()))
    assert case.packed == PACKED
    np.testing.assert_array_equal(case.cell1.recurrent_q, network().cells[0].recurrent_q)


def refused(change) -> bytes:
    graph = Graph.from_bytes(fuse_model(dense(), "none"))
    (pool,) = rnnpool_layers(graph)
    change(graph, pool.operator)
    return graph.to_bytes()


def set_version(graph, operator):
    options = read_options(operator) | {"version": 1}
    operator.customOptions = np.frombuffer(flexbuffers.Dumps(options), np.uint8)


def replace_recurrent(stream):
    def change(graph, operator):
        index = int(operator.inputs[2])
        values = stream(graph.constant(index).copy())
        operator.inputs = np.array(operator.inputs)
        operator.inputs[2] = graph.add_constant("U1", values, graph.quantization(index))

    return change


def flip_index(stream):
    stream[12 + 48] = -1
    return stream


REFUSED = {
    "version-1": (set_version, "packed matrices need version 2", "rank 1"),
    "no-stream": (
        replace_recurrent(lambda s: np.zeros_like(s)),
        "`recurrent_kernel1`: it is no packed matrix",
        "recurrent kernel 1 is no packed matrix",
    ),
    "cut": (replace_recurrent(lambda s: s[:-12]), "that its counts say", "matrix is truncated"),
    "index": (replace_recurrent(flip_index), "must increase and exist", "pair .* is out of place"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name):
    change, sentence, engine_sentence = REFUSED[name]
    data = refused(change)
    with pytest.raises(ValueError, match=sentence):
        rnnpool_layers(Graph.from_bytes(data))
    for engine in ("litert", "tflm"):
        with pytest.raises(ValueError, match=engine_sentence):
            Runtime(data, engine)


@pytest.mark.parametrize("engine", ["litert", "tflm"])
def test_damaged_streams_never_crash(engine):
    """A byte of a packed matrix changed: a sentence, or other weights."""
    data = fuse_model(dense(), "none")
    graph = Graph.from_bytes(data)
    (pool,) = rnnpool_layers(graph)
    stream = graph.constant(int(pool.operator.inputs[2])).tobytes()
    start = data.index(stream)
    rng = np.random.default_rng([SEED, 2])
    x, refusals = network().inputs(1), 0
    for position in [*range(64), *rng.integers(64, len(stream), 40)]:
        damaged = bytearray(data)
        damaged[start + int(position)] ^= 1 << int(rng.integers(8))
        try:
            Runtime(bytes(damaged), engine).predict_quantized(x)
        except ValueError as error:
            assert "RNNPool" in str(error)
            refusals += 1
    assert refusals >= 60  # header and counts


def test_command_packs_and_lists(tmp_path, capsys):
    path, output = tmp_path / "net.tflite", tmp_path / "out.tflite"
    path.write_bytes(dense())
    assert cli.main(["convert", str(path), "-o", str(output)]) == 0
    assert output.read_bytes() == fuse_model(dense())
    printed = capsys.readouterr().out
    assert "\n  dense kernel1 of 'map': 3" in printed
    assert "\n  packed kernel2 of 'map': 30% of the pairs are non-zero, " in printed


def test_command_leaves_all_dense(tmp_path, capsys):
    path, output = tmp_path / "net.tflite", tmp_path / "out.tflite"
    path.write_bytes(dense())
    for choice, packed in (("none", []), ("auto", sorted(PACKED))):
        arguments = ["--pack", choice, "--json", "-o", str(output)]
        assert cli.main(["convert", str(path), *arguments]) == 0
        summary = json.loads(capsys.readouterr().out)
        assert sorted(note["matrix"] for note in summary["packing"] if note["packed"]) == packed
        assert {note["kind"] for note in summary["fusion"]} >= {"stem"}
        assert packed_in(output.read_bytes()) == set(packed)

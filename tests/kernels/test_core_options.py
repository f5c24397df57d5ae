"""Reading the operator's options from a model file."""

from __future__ import annotations

import struct

import pytest
from flatbuffers import flexbuffers

from rnnpool_tf.gates import KINDS, SMOOTH
from rnnpool_tf.geometry import Geometry
from tests.kernels import core
from tests.kernels.options import GOOD, flexbuffer

pytestmark = pytest.mark.keras_free

GEOMETRY = Geometry((6, 5), (4, 3), "replicate")


def test_reads_all_options():
    assert core.parse_options(flexbuffer(GOOD)) == (GEOMETRY, 1, SMOOTH)


@pytest.mark.parametrize("padding", ["valid", "same", "replicate"])
def test_reads_every_padding(padding):
    geometry, *_ = core.parse_options(flexbuffer(GOOD | {"padding": padding}))
    assert geometry.padding == padding


@pytest.mark.parametrize("extra", [5, 300, 70000, 2**40, -(2**40), 1.5, "text", [1, 2], None])
def test_ignores_unknown_keys_of_any_width(extra):
    """A wide neighbour makes all values of the map as wide."""
    options = {"a_new_option": extra, **GOOD, "zzz": extra}
    assert core.parse_options(flexbuffer(options)) == (GEOMETRY, 1, SMOOTH)


@pytest.mark.parametrize("length", [100, 300, 70000])
def test_long_strings_widen_offsets(length):
    assert core.parse_options(flexbuffer(GOOD | {"comment": "x" * length})) == (GEOMETRY, 1, SMOOTH)


def built(write_number) -> bytes:
    """The good options with `pool_height` written by `write_number(builder)`."""
    builder = flexbuffers.Builder()
    with builder.Map():
        for key, value in GOOD.items():
            builder.Key(key)
            if key == "pool_height":
                write_number(builder)
            else:
                builder.Add(value)
    return bytes(builder.Finish())


@pytest.mark.parametrize("width", [1, 2, 4, 8])
@pytest.mark.parametrize("kind", ["Int", "UInt", "IndirectInt", "IndirectUInt"])
def test_integers_of_every_kind_and_width(kind, width):
    data = built(lambda builder: getattr(builder, kind)(6, width))
    assert core.parse_options(data) == (GEOMETRY, 1, SMOOTH)


@pytest.mark.parametrize("key", GOOD)
def test_missing_key(key):
    options = {name: value for name, value in GOOD.items() if name != key}
    with pytest.raises(core.CoreError, match=f"`{key}` is missing"):
        core.parse_options(flexbuffer(options))


@pytest.mark.parametrize("value", [0, -1, -300, 2**31, 2**40, -(2**63)])
@pytest.mark.parametrize("key", ["pool_height", "pool_width", "stride_height", "stride_width"])
def test_number_out_of_range(key, value):
    with pytest.raises(core.CoreError, match=f"`{key}` must be .* Received: {key}={value}"):
        core.parse_options(flexbuffer(GOOD | {key: value}))


@pytest.mark.parametrize("value", [2.0, "6", None, True, [6]])
def test_number_of_wrong_type(value):
    with pytest.raises(core.CoreError, match="`stride_width` must be an integer"):
        core.parse_options(flexbuffer(GOOD | {"stride_width": value}))


@pytest.mark.parametrize("value", ["VALID", "", "validx", "vali"])
def test_unknown_padding(value):
    with pytest.raises(core.CoreError, match='must be "valid", "same" or "replicate"'):
        core.parse_options(flexbuffer(GOOD | {"padding": value}))


def test_padding_of_wrong_type():
    with pytest.raises(core.CoreError, match="`padding` must be a string"):
        core.parse_options(flexbuffer(GOOD | {"padding": 1}))


@pytest.mark.parametrize("version", [3, 7, 0, -3, 2**40])
def test_unknown_version_is_refused_by_name(version):
    """Even when the keys of version 1 are gone."""
    sentence = f"RNNPool version {version} is not supported; this build knows versions 1 to 2"
    with pytest.raises(core.CoreError, match=f"^{sentence}$"):
        core.parse_options(flexbuffer({"version": version}))


@pytest.mark.parametrize("gates", KINDS)
def test_reads_gates_of_version_2(gates):
    options = GOOD | {"version": 2, "gates": gates}
    assert core.parse_options(flexbuffer(options)) == (GEOMETRY, 2, gates)


def test_gates_of_version_2_are_smooth_unless_it_says_otherwise():
    assert core.parse_options(flexbuffer(GOOD | {"version": 2})) == (GEOMETRY, 2, SMOOTH)


@pytest.mark.parametrize("value", ["smooth", "piecewise_linear", 1, None])
def test_version_1_has_no_gates(value):
    with pytest.raises(core.CoreError, match="`gates` must be missing in this version"):
        core.parse_options(flexbuffer(GOOD | {"gates": value}))


@pytest.mark.parametrize("value", ["", "Smooth", "smooth2", "piecewise", "piecewise_linear4"])
def test_unknown_gates(value):
    with pytest.raises(core.CoreError, match='must be "smooth" or "piecewise_linear"'):
        core.parse_options(flexbuffer(GOOD | {"version": 2, "gates": value}))


@pytest.mark.parametrize("value", [1, 2.5, None, ["smooth"]])
def test_gates_of_wrong_type(value):
    with pytest.raises(core.CoreError, match="`gates` must be a string"):
        core.parse_options(flexbuffer(GOOD | {"version": 2, "gates": value}))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\x00\x00",
        b"\x00" * 64,
        b"\xff" * 64,
        bytes(flexbuffers.Dumps(5)),
        bytes(flexbuffers.Dumps([1, 2, 3])),
        bytes(flexbuffers.Dumps("version")),
        struct.pack("<QBB", 2**63, 0x27, 8),
    ],
    ids=["empty", "1", "2", "zeros", "ones", "number", "vector", "string", "far-offset"],
)
def test_not_a_map(data):
    with pytest.raises(core.CoreError, match="not a map"):
        core.parse_options(data)

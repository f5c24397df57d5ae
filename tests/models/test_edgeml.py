"""EdgeML's parameters in our detectors, against its networks written in NumPy."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from rnnpool_tf import models
from rnnpool_tf.models import face_a, face_m4, load_edgeml_state_dict
from tests.models import edgeml_reference as reference

SEED = 20240901
# Neither square nor a multiple of every stride; one grey, one coloured.
SIZES = {"face_c": (25, 38, 3), "face_quant": (43, 58, 3)}
SIZES |= dict.fromkeys(("face_m4", "face_qvga"), (43, 58, 1))


@functools.cache
def expected(name: str):
    """A picture (height, width, channels), EdgeML's parameters, box offsets, scores."""
    image = np.random.default_rng(SEED).normal(0, 1, SIZES[name])
    parameters = reference.Parameters(SEED)
    loc, conf = getattr(reference, name)(image.transpose(2, 0, 1), parameters)
    return image, parameters.arrays, loc, conf


@pytest.fixture(scope="module")
def face_quant():
    return built("face_quant")


def built(name: str, shape=None):
    shape = shape or SIZES[name]
    return getattr(models, name)(shape, padding="pytorch", trainable_zeta_nu=True)


def require_outputs(model, name: str):
    image, _, *maps = expected(name)
    for received, value, kind in zip(model(image[None]), maps, ("loc", "conf"), strict=True):
        # float32 sums through up to 50 layers, relative to the largest output.
        atol = 1e-5 * np.abs(value).max()
        np.testing.assert_allclose(
            np.asarray(received)[0], value, rtol=0, atol=atol, err_msg=f"{kind}, seed {SEED}"
        )


@pytest.mark.parametrize("name", SIZES)
def test_equals_edgemls_network(name):
    model = built(name)
    load_edgeml_state_dict(model, expected(name)[1])
    require_outputs(model, name)
    loc, conf = expected(name)[2:]
    # Else a mistake would be hidden.
    assert loc.std() > 0.3 and conf.std() > 0.3


@pytest.mark.parametrize("form", ["path", "string", "opened", "prefixed", "checkpoint"])
def test_forms_of_a_state_dict(tmp_path, form):
    arrays = expected("face_m4")[1]
    path = tmp_path / "face.npz"
    image = np.zeros((4, 4), np.uint8)
    np.savez(path, image=image, **{f"sd/{name}": value for name, value in arrays.items()})
    model = built("face_m4", (None, None, 1))
    load_edgeml_state_dict(
        model,
        {
            "path": lambda: path,
            "string": lambda: str(path),
            "opened": lambda: np.load(path),
            "prefixed": lambda: {f"sd/module.{k}": v for k, v in arrays.items()},
            "checkpoint": lambda: {"epoch": 3, "weight": arrays},
        }[form](),
    )
    require_outputs(model, "face_m4")


def with_second_names(arrays):
    """As PyTorch lists the parameters of cells that a second module holds too."""
    listed = dict(arrays)
    for name, value in arrays.items():
        for cell, twins in (
            ("cell_rnn", ("RNNCell",)),
            ("cell_bidirrnn", ("RNNCell", "RNNCell_reverse")),
        ):
            if f".{cell}.cell." in name:
                for twin in twins:
                    listed[name.replace(".cell.", f".unrollRNN.{twin}.")] = value
    assert len(listed) == len(arrays) + 18
    return listed


def test_cells_under_second_names():
    model = built("face_m4")
    load_edgeml_state_dict(model, with_second_names(expected("face_m4")[1]))
    require_outputs(model, "face_m4")


def test_a_cell_that_differs_under_its_second_name_is_refused():
    listed = with_second_names(expected("face_m4")[1])
    name = "rnn_model.cell_bidirrnn.unrollRNN.RNNCell_reverse.U"
    listed[name] = listed[name] + 1
    with pytest.raises(ValueError, match=f"Received: '{name}' that differs from"):
        load_edgeml_state_dict(built("face_m4"), listed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda sd: sd.pop("mob.3.conv.0.1.running_var"), "must hold the parameter 'mob.3.conv.0."),
        (lambda sd: sd.pop("L2Norm5_3.weight"), "must hold the parameter 'L2Norm5_3.weight'"),
        (lambda sd: sd.pop("conf.0.1.bias"), "must hold the parameter 'conf.0.1.bias'"),
        (lambda sd: sd.update(extra=np.zeros(3)), "of this network only. Received also: extra"),
        (
            lambda sd: sd.update({"loc.1.bias": np.zeros(5)}),
            "loc.1.bias has the shape (4,) there. Received: shape (5,)",
        ),
        (
            lambda sd: sd.update({"conv_top.1.0.weight": np.zeros((4, 4, 9))}),
            "conv_top.1.0.weight has the shape (4, 4, 3, 3) there. Received: shape (4, 4, 9)",
        ),
        (
            lambda sd: sd.update({"rnn_model.cell_rnn.cell.zeta": np.ones(2)}),
            "zeta has the shape (1, 1) there. Received: shape (2,)",
        ),
        (
            lambda sd: sd.update({"L2Norm3_3.weight": np.array(list("abcd"))}),
            "must hold floating-point arrays. Received: 'L2Norm3_3.weight'",
        ),
        (lambda sd: sd.update({3: np.zeros(3)}), "strings as names. Received: 3"),
    ],
    ids=[
        *("missing_norm", "missing_l2", "missing_head", "left_over", "shape", "rank", "zeta"),
        *("text", "name"),
    ],
)
def test_bad_state_dict_changes_nothing(face_quant, change, message):
    before = face_quant.get_weights()
    broken = dict(expected("face_quant")[1])
    change(broken)
    with pytest.raises(ValueError) as error:
        load_edgeml_state_dict(face_quant, broken)
    assert message in str(error.value)
    for a, b in zip(before, face_quant.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be a readable .npz file"),
        (b"PK\x03\x04 and no more", "must be a readable .npz file"),
        (b"text", "must be a readable .npz file"),
        (None, "must be an .npz file of several arrays"),
    ],
    ids=["empty", "damaged", "text", "npy"],
)
def test_bad_file(tmp_path, face_quant, content, message):
    path = tmp_path / "face.npz"
    if content is None:
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError) as error:
        load_edgeml_state_dict(face_quant, path)
    assert message in str(error.value)


def test_missing_file_and_no_mapping(tmp_path, face_quant):
    with pytest.raises(FileNotFoundError):
        load_edgeml_state_dict(face_quant, tmp_path / "face.npz")
    with pytest.raises(ValueError, match=r"mapping of names to arrays.*Received: list"):
        load_edgeml_state_dict(face_quant, [1, 2])


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: face_a((48, 64, 3)), "one of EdgeML's networks: visual_wake_words_rnnpool"),
        (lambda: face_m4((48, 64, 1), pooling="strided_conv"), "Received: 'face_m4_strided_conv'"),
    ],
    ids=["face_a", "twin"],
)
def test_network_that_edgeml_has_not(build, message):
    with pytest.raises(ValueError) as error:
        load_edgeml_state_dict(build(), expected("face_m4")[1])
    assert message in str(error.value)


@pytest.mark.legacy_keras
def test_quantised_network_is_refused():
    from rnnpool_tf import compression

    qat = compression.quantize(face_m4((48, 64, 1), outputs="levels"))
    with pytest.raises(ValueError, match="not wrapped for pruning or quantised"):
        load_edgeml_state_dict(qat, expected("face_m4")[1])

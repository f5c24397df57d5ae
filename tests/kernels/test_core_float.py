"""The C++ core's float layer against EdgeML's results and against a plain float64 layer."""

from __future__ import annotations

import numpy as np
import pytest

from rnnpool_tf.gates import KINDS
from rnnpool_tf.geometry import Geometry
from tests.kernels import core
from tests.layers.reference import rnnpool_reference

pytestmark = pytest.mark.keras_free


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


def cell_of(arrays, name, transposed):
    """(W [h, k], U [h, h], bias_gate, bias_update) of a golden file's cell."""
    kernel, recurrent = arrays[f"{name}_W"], arrays[f"{name}_U"]
    if transposed:
        kernel, recurrent = kernel.T, recurrent.T
    return kernel, recurrent, arrays[f"{name}_bg"].ravel(), arrays[f"{name}_bh"].ravel()


def test_trained_patch_of_edgeml(golden):
    arrays = golden("vww_rnnpool_float.npz")
    zeta_nu = [[arrays[f"rnn{i}_{name}_sigmoid"].item() for name in ("zeta", "nu")] for i in (1, 2)]
    output = core.run_float(
        arrays["patch"][None],
        cell_of(arrays, "rnn1", transposed=False),
        cell_of(arrays, "rnn2", transposed=False),
        Geometry((6, 6), (6, 6)),
        zeta_nu,
    )
    # float32 with about 100 roundings of values below 1. EdgeML's own float32 output is 2.1e-7
    # from the float64 one, hence the larger tolerance between the two.
    np.testing.assert_allclose(output.ravel(), arrays["output_ref_float64"], rtol=0, atol=3e-7)
    np.testing.assert_allclose(output.ravel(), arrays["expected"], rtol=0, atol=5e-7)


@pytest.mark.parametrize("padding", ["valid", "replicate"])
def test_layer_of_edgeml(golden, padding):
    arrays = golden("rnnpool_layer_edgeml_torch.npz")
    zeta_nu = [
        [sigmoid(arrays[f"rnn{i}_{name}_raw"]).item() for name in ("zeta", "nu")] for i in (1, 2)
    ]
    output = core.run_float(
        arrays["x_nchw"].transpose(0, 2, 3, 1),
        cell_of(arrays, "rnn1", transposed=True),
        cell_of(arrays, "rnn2", transposed=True),
        Geometry((6, 6), (4, 4), padding),
        zeta_nu,
    )
    expected = arrays["y_nchw" if padding == "valid" else "y_padded_nchw"]
    # float32 roundings of another order of summation.
    np.testing.assert_allclose(output.transpose(0, 3, 1, 2), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("gates", "expected"), [("smooth", "y_full"), ("piecewise_linear", "y_quant")]
)
def test_single_cell_of_edgeml(golden, gates, expected):
    arrays = golden("fastgrnn_cells_edgeml_torch.npz")
    cell = (arrays["W"].T, arrays["U"].T, arrays["bg"].ravel(), arrays["bh"].ravel())
    zeta, nu = (sigmoid(arrays[f"{name}_raw"]).item() for name in ("zeta", "nu"))
    for batch in range(arrays["x_tbf"].shape[1]):
        states = core.run_float_cell(arrays["x_tbf"][:, batch], cell, zeta, nu, gates)
        # float32 roundings over 7 steps of states below 1.
        np.testing.assert_allclose(states, arrays[expected][:, batch], rtol=0, atol=1e-6)


GEOMETRIES = [
    ((11, 13), Geometry((6, 4), (4, 3), "valid")),
    ((11, 13), Geometry((6, 4), (4, 3), "same")),
    ((12, 12), Geometry((6, 6), (4, 4), "replicate")),
    ((13, 12), Geometry((3, 2), (5, 4), "same")),
    ((13, 12), Geometry((3, 2), (5, 4), "valid")),
    ((9, 7), Geometry((5, 5), (1, 1), "same")),
    ((7, 9), Geometry((7, 9), (1, 1), "valid")),
    ((2, 3), Geometry((7, 9), (2, 2), "same")),
    ((10, 10), Geometry((7, 3), (2, 1), "replicate")),
    ((5, 6), Geometry((1, 1), (2, 3), "replicate")),
]


@pytest.mark.parametrize("gates", KINDS)
@pytest.mark.parametrize("with_zeta_nu", [False, True], ids=["fixed", "zeta_nu"])
@pytest.mark.parametrize(
    ("size", "geometry"),
    GEOMETRIES,
    ids=[f"{h}x{w}-p{g.pool_size}-s{g.strides}-{g.padding}" for (h, w), g in GEOMETRIES],
)
def test_equals_plain_layer(size, geometry, with_zeta_nu, gates):
    seed = 1000 * size[0] + size[1]
    rng = np.random.default_rng(seed)
    channels, h1, h2 = 3, 5, 4

    def weights(inputs, units):
        return {
            "kernel": rng.normal(0, 0.7, (inputs, units)),
            "recurrent_kernel": rng.normal(0, 0.4, (units, units)),
            "bias_gate": rng.normal(0, 1, units),
            "bias_update": rng.normal(0, 1, units),
            "gates": gates,
        }

    def rows(cell):
        return (
            cell["kernel"].T,
            cell["recurrent_kernel"].T,
            cell["bias_gate"],
            cell["bias_update"],
        )

    x = rng.normal(size=(2, *size, channels)).astype(np.float32)
    cell1, cell2 = weights(channels, h1), weights(h1, h2)
    zeta_nu = None
    arguments = (x, rows(cell1), rows(cell2), geometry)
    if with_zeta_nu:
        zeta_nu = [[0.9, 0.05], [0.8, 0.1]]
        for cell, (zeta, nu) in zip((cell1, cell2), zeta_nu, strict=True):
            cell.update(zeta=zeta, nu=nu)
    expected = rnnpool_reference(x, cell1, cell2, geometry)
    output = core.run_float(*arguments, zeta_nu, gates)
    # float32 against float64; states stay below 2.
    np.testing.assert_allclose(output, expected, rtol=0, atol=2e-6, err_msg=f"seed={seed}")

"""The portable C++ core through its C interface: NumPy arrays in, NumPy arrays out."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass

import numpy as np

from rnnpool_tf.conversion.packed_matrix import PACKABLE, pack_matrix
from rnnpool_tf.gates import KINDS, SMOOTH
from rnnpool_tf.geometry import PADDINGS, Geometry
from rnnpool_tf.integer import IntegerCell
from rnnpool_tf.native import library_path

FORMS = ("widened", "compact")


class CoreError(ValueError):
    """A sentence from the core."""


@dataclass(frozen=True)
class Plan:
    """What a layer needs: the form of each cell, and bytes of memory."""

    form1: str
    form2: str
    persistent_bytes: int
    scratch_bytes: int


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL(str(library_path("librnnpool")))


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _call(name: str, *arguments) -> None:
    error = ctypes.create_string_buffer(256)
    if getattr(_library(), name)(*arguments, error, len(error)):
        raise CoreError(error.value.decode())


def _geometry_arguments(geometry: Geometry, gates: str) -> tuple[int, ...]:
    padding = PADDINGS.index(geometry.padding)
    return (*geometry.pool_size, *geometry.strides, padding, KINDS.index(gates))


def _layer_arguments(
    map_shape, input_scale, input_zero_point, cell1, cell2, geometry, packed=frozenset()
):
    """Arguments that describe a layer, and the arrays that must stay alive meanwhile."""
    dense = (cell1.kernel_q, cell1.recurrent_q, cell2.kernel_q, cell2.recurrent_q)
    matrices = [
        pack_matrix(matrix) if name in packed else matrix
        for name, matrix in zip(PACKABLE, dense, strict=True)
    ]
    sizes = [m.size if n in packed else 0 for n, m in zip(PACKABLE, matrices, strict=True)]
    values = iter(matrices)
    arrays = []

    def keep(values, dtype):
        arrays.append(np.ascontiguousarray(values, dtype))
        return _pointer(arrays[-1])

    arguments = [
        *map_shape,
        ctypes.c_float(input_scale),
        input_zero_point,
        *_geometry_arguments(geometry, cell1.gates),
        cell1.units,
        cell2.units,
        keep(sizes, np.int64),
    ]
    for cell in (cell1, cell2):
        for scale in (cell.kernel_scale, cell.recurrent_scale):
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            arguments += [keep(next(values), np.int8), keep(scales, np.float32), scales.size]
        arguments += [keep(cell.bias_gate_q26, np.int32), keep(cell.bias_update_q26, np.int32)]
    return arguments, arrays


def run_int8(
    x: np.ndarray,
    input_scale: float,
    input_zero_point: int,
    cell1: IntegerCell,
    cell2: IntegerCell,
    geometry: Geometry,
    packed: frozenset[str] = frozenset(),
) -> np.ndarray:
    """As `rnnpool_tf.integer.rnnpool_int8`, by the C++ core, with these matrices packed.

    Raises CoreError.
    """
    arguments, arrays = _layer_arguments(
        x.shape[1:], input_scale, input_zero_point, cell1, cell2, geometry, packed
    )
    x = np.ascontiguousarray(x)
    output = np.empty((len(x), *geometry.output_size(*x.shape[1:3]), 4 * cell2.units), np.int8)
    _call("rnnpool_core_int8", _pointer(x), len(x), *arguments, _pointer(output))
    del arrays
    return output


def plan_int8(
    map_shape, input_scale, input_zero_point, cell1, cell2, geometry, packed=frozenset()
) -> Plan:
    """Checks a layer for maps of `map_shape` = (height, width, channels). Raises CoreError."""
    arguments, arrays = _layer_arguments(
        map_shape, input_scale, input_zero_point, cell1, cell2, geometry, packed
    )
    values = np.zeros(4, np.int64)
    _call("rnnpool_core_int8_plan", *arguments, _pointer(values))
    del arrays
    return Plan(FORMS[values[0]], FORMS[values[1]], int(values[2]), int(values[3]))


def run_float(x, cell1, cell2, geometry, zeta_nu=None, gates=SMOOTH) -> np.ndarray:
    """The float layer. Cells are (W [h, inputs], U [h, h], gate bias [h], update bias [h])."""
    cells = [[np.ascontiguousarray(a, np.float32) for a in cell] for cell in (cell1, cell2)]
    x = np.ascontiguousarray(x, np.float32)
    units = [len(cell[0]) for cell in cells]
    output = np.empty((len(x), *geometry.output_size(*x.shape[1:3]), 4 * units[1]), np.float32)
    if zeta_nu is not None:
        zeta_nu = np.ascontiguousarray(zeta_nu, np.float32)
    _call(
        "rnnpool_core_float",
        _pointer(x),
        *x.shape,
        *_geometry_arguments(geometry, gates),
        *units,
        *[_pointer(array) for cell in cells for array in cell],
        None if zeta_nu is None else _pointer(zeta_nu),
        _pointer(output),
    )
    return output


def run_float_cell(sequence, cell, zeta: float, nu: float, gates: str = SMOOTH) -> np.ndarray:
    """States [steps, h] of one float cell over a sequence [steps, inputs]."""
    arrays = [np.ascontiguousarray(a, np.float32) for a in (sequence, *cell)]
    (steps, inputs), units = arrays[0].shape, len(arrays[1])
    states = np.empty((steps, units), np.float32)
    _library().rnnpool_core_float_cell(
        _pointer(arrays[0]),
        steps,
        inputs,
        units,
        *[_pointer(array) for array in arrays[1:]],
        ctypes.c_float(zeta),
        ctypes.c_float(nu),
        KINDS.index(gates),
        _pointer(states),
    )
    return states


def parse_options(data: bytes) -> tuple[Geometry, int, str]:
    """The operator's options: geometry, version and kind of gates. Raises CoreError."""
    values = np.zeros(7, np.int32)
    _call("rnnpool_core_parse_options", data, ctypes.c_int64(len(data)), _pointer(values))
    height, width, down, right, padding, version, gates = values.tolist()
    geometry = Geometry((height, width), (down, right), PADDINGS[padding])
    return geometry, version, KINDS[gates]

"""Layers with their expected outputs, and the C++ that puts them into a firmware image.

Arrays go into one binary file that the assembler includes, everything else into an initialiser of
``cortex_m::kCases`` (tflm_kernels/cortex_m/cases.h). fused_cases.py has those of fused operators.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnpool_tf.bench.m4.arrays import Arrays
from rnnpool_tf.bench.m4.float_reference import rnnpool_float
from rnnpool_tf.bench.m4.fused_cases import BlockCase, ConvPoolCase
from rnnpool_tf.bench.m4.work import Work, work_of
from rnnpool_tf.conversion.packed_matrix import PACKABLE, pack_matrix
from rnnpool_tf.gates import KINDS, SMOOTH
from rnnpool_tf.geometry import PADDINGS, Geometry
from rnnpool_tf.integer import IntegerCell, rnnpool_int8

FloatCell = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Int8Case:
    """An int8 layer; arguments as of `rnnpool_tf.integer.rnnpool_int8`.

    Args:
        options: the operator's options, for the way through the TFLite Micro operator; without
            them the core is called directly.
        packed: which matrices are packed, of `rnnpool_tf.conversion.packed_matrix.PACKABLE`.
    """

    name: str
    x: np.ndarray
    input_scale: float
    input_zero_point: int
    cell1: IntegerCell
    cell2: IntegerCell
    geometry: Geometry
    options: bytes = b""
    packed: frozenset[str] = frozenset()

    @property
    def units(self) -> tuple[int, int]:
        return self.cell1.units, self.cell2.units

    @property
    def work(self) -> Work:
        return work_of(self.x.shape[1:], self.units, self.geometry)

    def expected(self) -> np.ndarray | None:
        """The integer model's output; None where it refuses the layer."""
        try:
            return rnnpool_int8(
                self.x,
                self.input_scale,
                self.input_zero_point,
                self.cell1,
                self.cell2,
                self.geometry,
            )
        except ValueError:
            return None


@dataclass(frozen=True, eq=False)
class FloatCase:
    """A float32 layer.

    Args:
        x: [batch, height, width, channels] float32.
        cell1: W [h1, channels], U [h1, h1], gate bias [h1], update bias [h1]; float32.
        cell2: W [h2, h1], U [h2, h2], gate bias [h2], update bias [h2]; float32.
        zeta_nu: ((zeta1, nu1), (zeta2, nu2)) after the sigmoid, or None for 1 and 0.
        gates: "smooth" or "piecewise_linear".
        options: as for `Int8Case`.
    """

    name: str
    x: np.ndarray
    cell1: FloatCell
    cell2: FloatCell
    geometry: Geometry
    zeta_nu: np.ndarray | None = None
    gates: str = SMOOTH
    options: bytes = b""

    @property
    def units(self) -> tuple[int, int]:
        return len(self.cell1[0]), len(self.cell2[0])

    @property
    def work(self) -> Work:
        return work_of(self.x.shape[1:], self.units, self.geometry)

    def expected(self) -> np.ndarray:
        """The float64 reference, rounded to float32."""
        return rnnpool_float(
            self.x, self.cell1, self.cell2, self.geometry, self.zeta_nu, self.gates
        )


Case = Int8Case | FloatCase | BlockCase | ConvPoolCase


def _int8_cell(cell: IntegerCell, arrays: Arrays, packed: tuple[bool, bool]) -> str:
    fields, sizes = [str(cell.units)], []
    for matrix, scale, is_packed in (
        (cell.kernel_q, cell.kernel_scale, packed[0]),
        (cell.recurrent_q, cell.recurrent_scale, packed[1]),
    ):
        scales = np.atleast_1d(np.asarray(scale))
        values = pack_matrix(matrix) if is_packed else matrix
        fields += [arrays.add(values, "i1"), arrays.add(scales, "<f4"), str(scales.size)]
        sizes.append(str(values.size if is_packed else 0))
    fields += [arrays.add(b, "<i4") for b in (cell.bias_gate_q26, cell.bias_update_q26)]
    fields += [_gates(cell.gates), *sizes]
    return "{" + ", ".join(fields) + "}"


def _gates(kind: str) -> str:
    return f"rnnpool::GatesKind({KINDS.index(kind)})"


def _float_cell(cell: FloatCell, gates: str, arrays: Arrays) -> str:
    kernel, recurrent, gate, update = (arrays.add(values, "<f4") for values in cell)
    matrices = f"{kernel}, nullptr, 0, {recurrent}, nullptr, 0"
    return f"{{{len(cell[0])}, {matrices}, {gate}, {update}, {_gates(gates)}, 0, 0}}"


def _cells(case: Case, arrays: Arrays) -> list[str]:
    if isinstance(case, BlockCase):
        return ["{}", "{}"]
    if isinstance(case, FloatCase):
        return [_float_cell(cell, case.gates, arrays) for cell in (case.cell1, case.cell2)]
    packed = [name in case.packed for name in PACKABLE]
    return [
        _int8_cell(case.cell1, arrays, tuple(packed[:2])),
        _int8_cell(case.cell2, arrays, tuple(packed[2:])),
    ]


def _initialiser(case: Case, expected: np.ndarray | None, arrays: Arrays) -> str:
    is_float, is_block = isinstance(case, FloatCase), isinstance(case, BlockCase)
    is_fused = isinstance(case, (BlockCase, ConvPoolCase))
    dtype = "<f4" if is_float else "i1"
    core = case.runner if is_fused else "RunCoreFloat" if is_float else "RunCoreInt8"
    (ph, pw), (sh, sw) = case.geometry.pool_size, case.geometry.strides
    zeta_nu = case.zeta_nu if is_float else None
    if expected is None:
        height, width = case.geometry.output_size(*case.x.shape[1:3])
        elements = len(case.x) * height * width * 4 * case.units[1]
    else:
        elements = expected.size
    # A float32 has up to 9 significant digits.
    scale = 0 if is_float or is_block else case.input_scale
    fields = [
        "RunOperator" if case.options else core,
        *case.x.shape,
        f"{{{ph}, {pw}, {sh}, {sw}, rnnpool::Padding({PADDINGS.index(case.geometry.padding)})}}",
        f"{np.float32(scale):.9e}f",
        0 if is_float else case.input_zero_point,
        *_cells(case, arrays),
        "nullptr" if zeta_nu is None else arrays.add(zeta_nu, "<f4"),
        case.fused(arrays) if is_fused else "nullptr",
        arrays.add(case.options, "u1") if case.options else "nullptr",
        len(case.options),
        arrays.add(case.x, dtype),
        "nullptr" if expected is None else arrays.add(expected, dtype),
        elements,
        "true" if is_float else "false",
    ]
    return "    {" + ", ".join(map(str, fields)) + "},  // " + case.name


def write_cases(
    cases: list[Case],
    expected: list[np.ndarray | None],
    folder: Path,
    sample: bool = False,
) -> None:
    """Writes cases.cpp, arrays.S and arrays.bin for a firmware image.

    Args:
        expected: `case.expected()` of every case; None: the layer must be refused.
        sample: whether the image runs every case a second time, under the sampling profiler.
    """
    arrays = Arrays()
    entries = [
        _initialiser(case, output, arrays) for case, output in zip(cases, expected, strict=True)
    ]
    arrays.write(folder)
    (folder / "cases.cpp").write_text(
        '#include "cases.h"\n\nextern "C" {\n'
        + arrays.declarations()
        + "}\n\nnamespace cortex_m {\n\n"
        + arrays.constants()
        + "\nconst Case kCases[] = {\n"
        + "\n".join(entries)
        + f"\n}};\n\nconst int32_t kCaseCount = {len(cases)};\n"
        + f"const bool kSample = {'true' if sample else 'false'};\n\n}}  // namespace cortex_m\n"
    )

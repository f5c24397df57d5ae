"""One FastGRNN cell in integers: how its constants are prepared and how one step is computed.

The cell (RNNPool paper, section 3; FastGRNN) with zeta = 1 and nu = 0 is

    a = W v + U h,  z = sigmoid(a + b_gate),  c = tanh(a + b_update),  h' = c + z (h - c).

Its gates may be piecewise linear instead of smooth: z = clip((a + b_gate + 1) / 2, 0, 1) and
c = clip(a + b_update, -1, 1). The 1 is part of what `prepare` makes of the gate's bias, so that a
step does not have to add it: in such a cell b_gate stands for b_gate + 1 below.

:func:`prepare` turns an :class:`IntegerCell`, which is what the model file holds, into one of two
forms. Which one is a rule, not a choice, because they round differently.

* :class:`WidenedCell`, for small cells: the int8 weights are multiplied by their scales and stored
  as int16 with a power-of-two unit, so that no multiplication by a scale is left in a step.
  `prepare` proves for the given weights that no 32-bit accumulator can overflow.
* :class:`CompactCell`, for all others: the weights stay int8 and every sum is multiplied by its
  row's scale. Sums of products cannot overflow because of the number of terms alone; everything
  after them saturates.

Arrays are int64 here for comfort; every value named "32 bits" fits int32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpool_tf.gates import PIECEWISE_LINEAR, SMOOTH, gates_kind
from rnnpool_tf.integer.arithmetic import Multiplier, round_half_away, saturate
from rnnpool_tf.integer.tables import MINUS_SIGMOID_Q17, SIGMOID_ENTRIES, TANH_ENTRIES, TANH_Q15

BIAS_BITS = 26  # biases and pre-activations are Q26: real value times 2**26
MAX_WIDENED_WEIGHTS = 2048  # 4 KB of int16 weights per cell
MAX_SCALE = 256.0
STATE_MAX = 32768  # |Q15 state|
GATE_MAX = 2**17 - 1  # Q17


@dataclass(frozen=True, eq=False)
class IntegerCell:
    """A FastGRNN cell as the model file stores it.

    Args:
        kernel_q: [units, inputs] int8, symmetric; the transpose of a Keras kernel.
        kernel_scale: real value of one step of `kernel_q`: a number, or [units] (one per row).
        recurrent_q: [units, units] int8, symmetric; row per unit.
        recurrent_scale: as `kernel_scale`.
        bias_gate_q26: [units] int32, real bias times 2**26.
        bias_update_q26: [units] int32, real bias times 2**26.
        gates: "smooth" or "piecewise_linear".

    Raises:
        ValueError: wrong shape or dtype, a scale that is not above 0 and below 256, or other gates.

    Example::

        zeros = np.zeros(2, np.int32)
        IntegerCell(np.ones((2, 3), np.int8), 0.01, np.ones((2, 2), np.int8), 0.01, zeros, zeros)
    """

    kernel_q: np.ndarray
    kernel_scale: float | np.ndarray
    recurrent_q: np.ndarray
    recurrent_scale: float | np.ndarray
    bias_gate_q26: np.ndarray
    bias_update_q26: np.ndarray
    gates: str = SMOOTH

    def __post_init__(self) -> None:
        if np.ndim(self.kernel_q) != 2 or 0 in np.shape(self.kernel_q):
            raise ValueError(
                "`kernel_q` must have shape [units, inputs], both at least 1. "
                f"Received: shape={np.shape(self.kernel_q)}"
            )
        units = len(self.kernel_q)
        _require("kernel_q", self.kernel_q, self.kernel_q.shape, np.int8)
        _require("recurrent_q", self.recurrent_q, (units, units), np.int8)
        _require("bias_gate_q26", self.bias_gate_q26, (units,), np.int32)
        _require("bias_update_q26", self.bias_update_q26, (units,), np.int32)
        gates_kind(self.gates)
        self.row_scales("kernel_scale")
        self.row_scales("recurrent_scale")

    @property
    def units(self) -> int:
        return self.kernel_q.shape[0]

    @property
    def inputs(self) -> int:
        return self.kernel_q.shape[1]

    def row_scales(self, name: str) -> np.ndarray:
        """The scale of every row, [units] float64, rounded to the float32 that a file holds."""
        scales = np.asarray(getattr(self, name), dtype=np.float32).reshape(-1)
        if scales.size not in (1, self.units):
            raise ValueError(
                f"`{name}` must be one number or one per unit ({self.units}). "
                f"Received: {scales.size} numbers"
            )
        require_scale(name, scales)
        return np.broadcast_to(scales.astype(np.float64), self.units)


@dataclass(frozen=True)
class InputFormat:
    """What a cell reads: real value = (integer - zero_point) * unit.

    max_abs: the largest ``abs(integer - zero_point)``.
    """

    unit: float
    zero_point: int
    max_abs: int

    @classmethod
    def pixels(cls, scale: float, zero_point: int) -> InputFormat:
        """int8 pixels, the input of the first cell."""
        require_scale("input_scale", np.float32(scale))
        if not -128 <= zero_point <= 127:
            raise ValueError(
                f"`input_zero_point` must be in -128..127. Received: input_zero_point={zero_point}"
            )
        zero_point = int(zero_point)
        max_abs = max(abs(-128 - zero_point), abs(127 - zero_point))
        return cls(float(np.float32(scale)), zero_point, max_abs)

    @classmethod
    def states(cls) -> InputFormat:
        """Q15 states of the first cell, the input of the second."""
        return cls(2.0**-15, 0, STATE_MAX)


@dataclass(frozen=True, eq=False)
class WidenedCell:
    """int16 weights with power-of-two units: `kernel` is Q`exponent` per input step, `recurrent`
    Q11, `bias` (of the gate) Q`exponent`, `bias_difference` (update minus gate) Q26."""

    exponent: int
    input_zero_point: int
    kernel: np.ndarray
    bias: np.ndarray
    recurrent: np.ndarray
    bias_difference: np.ndarray
    gates: str

    def input_term(self, values: np.ndarray) -> np.ndarray:
        """W v + b_gate in Q26, within +-16: [..., inputs] integers to [..., units]."""
        shift = BIAS_BITS - self.exponent
        total = self.bias + (values.astype(np.int64) - self.input_zero_point) @ self.kernel.T
        return saturate(total, 31 - shift) << shift

    def preactivations(self, term: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gate and candidate in Q26 (32 bits, by proof) from an input term and a Q15 state."""
        gate = term + state @ self.recurrent.T
        return gate, gate + self.bias_difference


@dataclass(frozen=True, eq=False)
class CompactCell:
    """int8 weights as stored, one multiplier per row and matrix from its sums to Q26."""

    input_zero_point: int
    kernel: np.ndarray
    kernel_multiplier: Multiplier
    recurrent: np.ndarray
    recurrent_multiplier: Multiplier
    bias: np.ndarray
    bias_difference: np.ndarray
    gates: str

    def input_term(self, values: np.ndarray) -> np.ndarray:
        """W v + b_gate in Q26, within +-16: [..., inputs] integers to [..., units]."""
        total = (values.astype(np.int64) - self.input_zero_point) @ self.kernel.T
        return saturate(self.kernel_multiplier.apply(total) + self.bias, 31)

    def preactivations(self, term: np.ndarray, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gate and candidate in Q26, saturated to 32 bits, from an input term and a Q15 state."""
        gate = saturate(term + self.recurrent_multiplier.apply(state @ self.recurrent.T), 32)
        return gate, saturate(gate + self.bias_difference, 32)


def prepare(cell: IntegerCell, source: InputFormat) -> WidenedCell | CompactCell:
    """Chooses the form of a cell and prepares its constants.

    Widened if ``units * (inputs + units) <= 2048`` and :func:`widen` can prove that nothing
    overflows; compact otherwise.

    Raises:
        ValueError: neither form can hold the cell: too many terms in a sum, or a scale so large or
            small that it has no multiplier.

    Example::

        zeros = np.zeros(2, np.int32)
        cell = IntegerCell(np.ones((2, 3), np.int8), 0.01, np.eye(2, dtype=np.int8), 0.01, zeros,
                           zeros)
        prepare(cell, InputFormat.pixels(scale=0.02, zero_point=-128))  # WidenedCell(exponent=26)
    """
    return widen(cell, source) or _compact(cell, source)


def widen(cell: IntegerCell, source: InputFormat) -> WidenedCell | None:
    """The widened form, or None when the cell is too large or an overflow cannot be excluded.

    The kernel takes the largest exponent in 0..26 with which its weights fit int16 and, in every
    row, ``|bias| + sum |weight| * max_abs < 2**31``. The recurrent weights (Q11) must fit int16
    and, in every row, ``2**30 + sum |weight| * 2**15 + |bias difference| < 2**31``: the input term
    is within +-2**30 by saturation.
    """
    if cell.units * (cell.inputs + cell.units) > MAX_WIDENED_WEIGHTS:
        return None
    difference = _bias_difference(cell)
    recurrent = round_half_away(
        cell.recurrent_q * cell.row_scales("recurrent_scale")[:, None] * 2.0**11
    )
    largest = 2**30 + np.abs(recurrent).sum(axis=1) * STATE_MAX + np.abs(difference)
    if np.abs(recurrent).max() > 32767 or np.any(largest >= 2**31):
        return None
    real_kernel = cell.kernel_q * (cell.row_scales("kernel_scale") * source.unit)[:, None]
    for exponent in range(BIAS_BITS, -1, -1):
        kernel = round_half_away(real_kernel * 2.0**exponent)
        bias = _shift_rounding(_gate_bias(cell), BIAS_BITS - exponent)
        largest = np.abs(bias) + np.abs(kernel).sum(axis=1) * source.max_abs
        if np.abs(kernel).max() <= 32767 and np.all(largest < 2**31):
            return WidenedCell(
                exponent, source.zero_point, kernel, bias, recurrent, difference, cell.gates
            )
    return None


def step(cell: WidenedCell | CompactCell, term: np.ndarray, state: np.ndarray) -> np.ndarray:
    """One step: input terms and Q15 states [..., units] to the next Q15 states.

    Smooth gates: the gate's index is its pre-activation in steps of 1/128 saturated to 11 bits, the
    candidate's in steps of 1/512 saturated to 12 bits. Piecewise linear ones: half the gate in Q17
    and the candidate in Q15, each clipped to what the format holds of 0..1 and -1..1.
    """
    gate, candidate = cell.preactivations(term, state)
    if cell.gates == PIECEWISE_LINEAR:
        minus_gate_q17 = -np.clip(gate >> (BIAS_BITS - 16), 0, GATE_MAX)
        return update(minus_gate_q17, state, saturate(candidate >> (BIAS_BITS - 15), 16))
    gate_index = saturate(gate >> 19, 11) + SIGMOID_ENTRIES // 2
    candidate_index = saturate(candidate >> 17, 12) + TANH_ENTRIES // 2
    return update(MINUS_SIGMOID_Q17[gate_index], state, TANH_Q15[candidate_index])


def update(minus_gate_q17: np.ndarray, state: np.ndarray, candidate: np.ndarray) -> np.ndarray:
    """c + (-z) (c - h) with a negated Q17 gate and Q15 state and candidate.

    Halving the difference makes it fit 16 bits; the product needs 48 bits, of which the lower 16
    are dropped. Cortex-M4: SHSUB16 and SMLAWB. Both roundings go down, and because the gate is
    negative they pull in opposite directions: as z is below 1, the result always lies between
    `state` and `candidate`. Proof: it is monotonous in z; z = 0 gives `candidate`, and the largest
    z, 2**17 - 1, gives `candidate` - 2 f, less 1 if f is negative, where f is half the difference
    rounded down: that is `state` or one step from it towards `candidate`. So states never exceed
    the candidates: the tanh table (32746), or with piecewise linear gates int16.
    """
    candidate = np.asarray(candidate, dtype=np.int64)
    half_difference = (candidate - state) >> 1
    return candidate + ((minus_gate_q17 * half_difference) >> 16)


def _compact(cell: IntegerCell, source: InputFormat) -> CompactCell:
    for name, terms, max_abs in (
        ("inputs", cell.inputs, source.max_abs),
        ("units", cell.units, STATE_MAX),
    ):
        if terms * 128 * max_abs >= 2**31:
            raise ValueError(
                f"`{name}` is too large: the accumulator may overflow, since {name} * 128 * "
                f"{max_abs} must be below 2**31. Received: {name}={terms}"
            )
    kernel_factors = cell.row_scales("kernel_scale") * source.unit * 2.0**BIAS_BITS
    recurrent_factors = cell.row_scales("recurrent_scale") * 2.0 ** (BIAS_BITS - 15)
    return CompactCell(
        input_zero_point=source.zero_point,
        kernel=cell.kernel_q.astype(np.int64),
        kernel_multiplier=Multiplier.from_factors(kernel_factors, "kernel_scale"),
        recurrent=cell.recurrent_q.astype(np.int64),
        recurrent_multiplier=Multiplier.from_factors(recurrent_factors, "recurrent_scale"),
        bias=_gate_bias(cell),
        bias_difference=saturate(_bias_difference(cell), 32),
        gates=cell.gates,
    )


def _gate_bias(cell: IntegerCell) -> np.ndarray:
    one = 1 << BIAS_BITS if cell.gates == PIECEWISE_LINEAR else 0
    return cell.bias_gate_q26.astype(np.int64) + one


def _bias_difference(cell: IntegerCell) -> np.ndarray:
    return cell.bias_update_q26.astype(np.int64) - _gate_bias(cell)


def _shift_rounding(values: np.ndarray, shift: int) -> np.ndarray:
    half = (1 << shift) >> 1
    return (values.astype(np.int64) + half) >> shift


def require_scale(name: str, scales: np.ndarray) -> None:
    """Raises ValueError unless every scale is finite, above 0 and below 256."""
    if not np.all((scales > 0) & (scales < MAX_SCALE)):
        raise ValueError(
            f"`{name}` must be finite, above 0 and below {MAX_SCALE:g}. Received: {scales!r}"
        )


def _require(name: str, array: np.ndarray, shape: tuple[int, ...], dtype: type) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.shape != shape:
        raise ValueError(
            f"`{name}` must be a NumPy array of {np.dtype(dtype)} with shape {shape}. Received: "
            f"{getattr(array, 'dtype', type(array).__name__)} with shape {np.shape(array)}"
        )

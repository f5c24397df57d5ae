"""The three roundings that the int8 operator is made of.

* Constants prepared once (weights, biases, tables, multipliers) are rounded to nearest, halves
  away from zero, in IEEE double precision: C's ``round``.
* Values at run time are shifted right arithmetically, which rounds towards minus infinity, or by a
  :class:`Multiplier`, which rounds to nearest, halves towards plus infinity.
* Saturation clips to the range of a signed integer of a given number of bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def round_half_away(values) -> np.ndarray:
    """Rounds doubles to int64, halves away from zero, exactly as C's ``round``.

    Adding one half and truncating would be wrong just below one half, so the fraction is inspected.

    Example::

        round_half_away([0.5, -0.5, 1.49])  # array([1, -1, 1])
    """
    values = np.asarray(values, dtype=np.float64)
    whole = np.trunc(values)
    return (whole + np.where(np.abs(values - whole) >= 0.5, np.sign(values), 0.0)).astype(np.int64)


def saturate(values, bits: int) -> np.ndarray:
    """Clips integers to what a signed integer of `bits` bits can hold.

    Example::

        saturate(np.array([200, -200]), 8)  # array([127, -128])
    """
    limit = 1 << (bits - 1)
    return np.clip(values, -limit, limit - 1)


@dataclass(frozen=True)
class Multiplier:
    """Positive real factors as ``multiplier * 2**-shift``, one per row.

    multiplier: [rows] int64, from 2**30 to 2**31 - 1. shift: [rows] int64, from 1 to 62.
    """

    multiplier: np.ndarray
    shift: np.ndarray

    @classmethod
    def from_factors(cls, factors: np.ndarray, name: str) -> Multiplier:
        """Rounds `factors` to 31 significant bits; ValueError when a shift is not in 1..62."""
        mantissa, exponent = np.frexp(np.asarray(factors, dtype=np.float64))
        multiplier = round_half_away(mantissa * 2.0**31)
        overflow = multiplier == 1 << 31
        multiplier = np.where(overflow, 1 << 30, multiplier)
        shift = 31 - (exponent.astype(np.int64) + overflow)
        if np.any((shift < 1) | (shift > 62)):
            raise ValueError(
                f"`{name}` is out of range: its factor to Q26 must be at least 2**-32 and below "
                f"2**30. Received: factors={np.asarray(factors)!r}"
            )
        return cls(multiplier, shift)

    def apply(self, accumulator: np.ndarray) -> np.ndarray:
        """Multiplies int32 sums [..., rows]; int64 holds the product; saturates to 32 bits."""
        half = np.int64(1) << (self.shift - 1)
        return saturate((accumulator * self.multiplier + half) >> self.shift, 32)

"""The forms in which TFLite Micro's DECODE operator takes compressed tensors.

A compressed tensor is two constants: the encoded values, and what DECODE needs to know about them,
of which byte 0 is the form, bytes 1 and 4 are versions, and sixteen bytes are a header:

* bitmask (form 2, "pruning"): a bit per value, the first in the highest bit, 1 where the value is
  not the zero point; the values that are not stand behind the header, in order;
* lookup table (form 0): indices of 1 to 7 bits, the first in the highest bits; byte 5 has their
  size and, in its upper half, 15 for one table; byte 6 is the number of values in the table, which
  stands behind the header;
* Huffman codes (form 1), for which Xtensa cores have instructions; not written here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DECODE = "TFLM_DECODE"
BITMASK, LOOKUP_TABLE = "bitmask", "lookup table"

_FORM_CODES = {LOOKUP_TABLE: 0, BITMASK: 2}
_VERSION = 1
_HEADER = 16
_WHOLE_TENSOR = 0xF0  # one lookup table, not one per channel
_LARGEST_INDEX_BITS = 7


@dataclass(frozen=True)
class Encoded:
    """A tensor's values in one of the forms.

    Attributes:
        form: `BITMASK` or `LOOKUP_TABLE`.
        values: uint8, the encoded values.
        about: uint8, what DECODE needs to know.
    """

    form: str
    values: np.ndarray
    about: np.ndarray

    @property
    def bytes(self) -> int:
        return self.values.size + self.about.size


def best_form(weights: np.ndarray) -> Encoded | None:
    """The smallest form of int8 values, in the order of the file; None for no values."""
    if not weights.size:
        return None
    forms = [bitmask(weights), lookup_table(weights)]
    return min((form for form in forms if form is not None), key=lambda form: form.bytes)


def bitmask(weights: np.ndarray) -> Encoded:
    """A bit for every int8 value, and the values that are not 0."""
    flat = weights.ravel()
    about = _header(BITMASK, [])
    return Encoded(
        BITMASK, np.packbits(flat != 0), np.concatenate([about, flat[flat != 0].view(np.uint8)])
    )


def lookup_table(weights: np.ndarray) -> Encoded | None:
    """Indices into the sorted values; None where there are more than 128."""
    table, indices = np.unique(weights.ravel(), return_inverse=True)
    bits = max(int(table.size - 1).bit_length(), 1)
    if bits > _LARGEST_INDEX_BITS:
        return None
    digits = np.unpackbits(indices.astype(np.uint8).reshape(-1, 1), axis=1)[:, 8 - bits :]
    about = _header(LOOKUP_TABLE, [_WHOLE_TENSOR | bits, table.size])
    return Encoded(
        LOOKUP_TABLE, np.packbits(digits.ravel()), np.concatenate([about, table.view(np.uint8)])
    )


def describe(encoded: np.ndarray, about: np.ndarray, count: int) -> tuple[str, int]:
    """Tells the form of a compressed tensor and how many of its values are not zero.

    Args:
        encoded: The first input of a DECODE operator for it.
        about: The second.
        count: Values of its output.

    Returns:
        The form's name, and a number; `count` where the form hides it.

    Raises:
        ValueError: Fewer bytes than the form needs.
    """
    encoded, about = encoded.view(np.uint8).ravel(), about.view(np.uint8).ravel()
    if about.size < _HEADER:
        raise ValueError(
            f"a compressed tensor must be described by {_HEADER} bytes or more. "
            f"Received: {about.size}"
        )
    names = {code: name for name, code in _FORM_CODES.items()}
    form = names.get(int(about[0]), f"DECODE type {about[0]}")
    if form == BITMASK:
        bits = 1
    elif form == LOOKUP_TABLE and about[5] & _WHOLE_TENSOR == _WHOLE_TENSOR:
        bits = max(int(about[5] & _LARGEST_INDEX_BITS), 1)
    else:
        return form, count
    digits = np.unpackbits(encoded)[: count * bits]
    if digits.size < count * bits:
        raise ValueError(
            f"a tensor compressed by a {form} must have {-(-count * bits // 8)} bytes for its "
            f"{count} values. Received: {encoded.size}"
        )
    if form == BITMASK:
        return form, int(digits.sum())
    table = about[_HEADER : _HEADER + int(about[6])]
    indices = digits.reshape(count, bits) @ (1 << np.arange(bits)[::-1])
    zeros = np.flatnonzero(table == 0)
    return form, int(count - np.isin(indices, zeros).sum())


def _header(form: str, parameters: list[int]) -> np.ndarray:
    header = np.zeros(_HEADER, np.uint8)
    header[:2] = _FORM_CODES[form], _VERSION
    header[4 : 5 + len(parameters)] = _VERSION, *parameters
    return header

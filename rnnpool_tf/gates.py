"""The two kinds of nonlinearities that the cells of an RNNPool layer may have.

Pure Python, shared by the Keras layer, the integer model and the converter.
"""

from __future__ import annotations

SMOOTH = "smooth"
PIECEWISE_LINEAR = "piecewise_linear"
KINDS = (SMOOTH, PIECEWISE_LINEAR)


def gates_kind(value: str) -> str:
    """Returns `value`; raises ValueError unless it names a kind of gates.

    >>> gates_kind("smooth")
    'smooth'
    """
    if not isinstance(value, str) or value not in KINDS:
        raise ValueError(
            f"`gates` must be one of {', '.join(map(repr, KINDS))}. Received: gates={value!r}"
        )
    return value

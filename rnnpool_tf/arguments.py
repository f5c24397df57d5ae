"""Checks of arguments that many functions have; without TensorFlow."""

from __future__ import annotations

import numbers


def positive_integer(value, name: str) -> int:
    """Returns `value`; raises ValueError unless it is a positive integer."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"`{name}` must be a positive integer. Received: {name}={value!r}")
    return value


def check_part(value, name: str) -> None:
    """Raises ValueError unless `value` is a number from 0 to below 1."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= value < 1:
        raise ValueError(f"`{name}` must be a number from 0 to below 1. Received: {name}={value!r}")


def check_flag(value, name: str) -> None:
    """Raises ValueError unless `value` is True or False."""
    if not isinstance(value, bool):
        raise ValueError(f"`{name}` must be True or False. Received: {name}={value!r}")

"""Parameters of a PyTorch module as NumPy arrays by name, whatever they come in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

# Under which a file keeps the parameters beside other arrays, and checkpoints beside the epoch.
_PREFIX = "sd/"
_NESTED = ("state_dict", "weight")
# EdgeML registers every RNN cell again in the module that unrolls it.
_TWINS = (".unrollRNN.RNNCell.", ".unrollRNN.RNNCell_reverse.")
_CELL = ".cell."


def read_arrays(state_dict) -> dict[str, np.ndarray]:
    """Parameters by name: without prefixes, BatchNorm's counters, and the cells' second names.

    Args:
        state_dict: See `load_edgeml_state_dict`.

    Raises:
        ValueError: No such mapping or file, a parameter that is no array of numbers, or a cell that
            differs under its second name.
        FileNotFoundError: No file of this name.
    """
    with _opened(state_dict) as mapping:
        named = {name: _to_array(name, value) for name, value in _parameters(mapping)}
    arrays = {name: value for name, value in named.items() if _canonical(name) == name}
    for name, value in named.items():
        # As Python compares NumPy arrays by element, also those of other shapes.
        if not np.array_equal(arrays.setdefault(_canonical(name), value), value):
            raise ValueError(
                "RNNPool uses each cell in all directions, so it must be the same under all its "
                f"names. Received: {name!r} that differs from {_canonical(name)!r}"
            )
    return arrays


@contextlib.contextmanager
def _opened(state_dict) -> Iterator[Mapping]:
    if isinstance(state_dict, Mapping):
        yield state_dict
        return
    if not isinstance(state_dict, str | Path):
        raise ValueError(
            "`state_dict` must be a mapping of names to arrays, or an .npz file of them. "
            f"Received: {type(state_dict).__name__}"
        )
    try:
        loaded = np.load(state_dict, allow_pickle=False)
    except FileNotFoundError:
        raise
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(
            f"`state_dict` must be a readable .npz file. Received: {state_dict}"
        ) from error
    if not isinstance(loaded, Mapping):
        raise ValueError(
            f"`state_dict` must be an .npz file of several arrays. Received: {state_dict}"
        )
    with loaded:
        yield loaded


def _parameters(mapping: Mapping) -> Iterator[tuple[str, object]]:
    for key in _NESTED:
        if key in mapping and isinstance(mapping[key], Mapping):
            mapping = mapping[key]
            break
    beside_others = any(name.startswith(_PREFIX) for name in mapping)
    for name in mapping:
        if beside_others and not name.startswith(_PREFIX):
            continue
        short = name.removeprefix(_PREFIX).removeprefix("module.")
        if not short.endswith("num_batches_tracked"):
            yield short, mapping[name]


def _to_array(name: str, value) -> np.ndarray:
    value = value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
    if not np.issubdtype(value.dtype, np.floating):
        raise ValueError(
            f"`state_dict` must hold floating-point arrays. Received: {name!r} of {value.dtype}"
        )
    return value


def _canonical(name: str) -> str:
    for twin in _TWINS:
        name = name.replace(twin, _CELL)
    return name

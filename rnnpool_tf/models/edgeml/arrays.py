"""Parameters of a PyTorch module as NumPy arrays by name, whatever they come in."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

# Under these a file keeps the parameters beside other arrays, a checkpoint beside the epoch.
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
    mapping = state_dict if isinstance(state_dict, Mapping) else _read_file(state_dict)
    named = {name: _to_array(name, value) for name, value in _parameters(mapping)}
    arrays = {name: value for name, value in named.items() if _canonical(name) == name}
    for name, value in named.items():
        first = arrays.setdefault(_canonical(name), value)
        if not np.array_equal(first, value, equal_nan=True):
            raise ValueError(
                "RNNPool uses each cell in all directions, so it must be the same under all its "
                f"names. Received: {name!r} that differs from {_canonical(name)!r}"
            )
    return arrays


def _read_file(path) -> Mapping:
    if not isinstance(path, str | Path):
        raise ValueError(
            "`state_dict` must be a mapping of names to arrays, or an .npz file of them. "
            f"Received: {type(path).__name__}"
        )
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, Mapping):
            with loaded:
                # Arrays beside the parameters are not read; they may be of any kind.
                names = [name for name in loaded if name.startswith(_PREFIX)] or list(loaded)
                return {name: loaded[name] for name in names}
    except FileNotFoundError:
        raise
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"`state_dict` must be a readable .npz file. Received: {path}") from error
    raise ValueError(f"`state_dict` must be an .npz file of several arrays. Received: {path}")


def _parameters(mapping: Mapping) -> Iterator[tuple[str, object]]:
    for key in _NESTED:
        if key in mapping and isinstance(mapping[key], Mapping):
            mapping = mapping[key]
            break
    strange = [name for name in mapping if not isinstance(name, str)]
    if strange:
        raise ValueError(f"`state_dict` must have strings as names. Received: {strange[0]!r}")
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

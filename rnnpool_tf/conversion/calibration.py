"""Representative data for quantisation after training: any container of it, as checked samples.

The converter runs the float model on them and takes the smallest and the largest value of every
tensor as its range. A few hundred samples are enough; they must look like those of the training,
scaled in the same way.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

_CHUNK = 32  # samples that are checked at a time


class CalibrationError(ValueError):
    """What is wrong with the data."""


def read_arrays(path: Path, name: str) -> np.ndarray | dict[str, np.ndarray]:
    """Reads a .npy file, an array [N, …]; or a .npz file, one array for each of a model's inputs.

    The name of a single array does not matter.

    Args:
        path: Of the file.
        name: What messages call the argument.

    Raises:
        FileNotFoundError: No such file.
        CalibrationError: Neither of the two, damaged, or an array of Python objects.
    """
    try:
        loaded = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return loaded
        with loaded:
            arrays = {entry: loaded[entry] for entry in loaded.files}
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise CalibrationError(
            f"`{name}` must be a .npy file with one array of numbers, or a .npz file with one for "
            f"each input. Received: '{path}' ({error})"
        ) from error
    return next(iter(arrays.values())) if len(arrays) == 1 else arrays


def samples(calibration, inputs: Sequence, batch_size: int = 1) -> Iterator[list[np.ndarray]]:
    """Yields what a model is run with, one batch after another.

    The last batch is filled up with its own samples, which changes no range.

    Args:
        calibration: For a model with one input an array [N, …], or an iterable of batches: arrays,
            with or without the batch dimension, or tuples that begin with one. For several inputs
            an array [N, …] for each, in a tuple, in a list or in a dictionary by name; or an
            iterable of such batches, or of tuples that begin with one.
        inputs: The model's inputs, with `name`, `shape` (the batch first, None: any size) and
            `dtype`, which has `as_numpy_dtype`.
        batch_size: Samples in a batch.

    Yields:
        An array [batch_size, …] for every input.

    Raises:
        CalibrationError: Not such data, none at all, another shape or type than the model takes,
            values that are not finite, or nothing but one value.
    """
    waiting: list[list[np.ndarray]] = []
    extremes = []
    for batch in _batches(calibration, inputs):
        extremes.append([(array.min(), array.max()) for array in batch if array.size])
        for sample in zip(*batch, strict=True):
            waiting.append([values[np.newaxis] for values in sample])
            if len(waiting) == batch_size:
                yield _joined(waiting)
                waiting = []
    if not any(extremes):
        raise CalibrationError("`calibration` must hold at least one sample. Received: none")
    ranges = [np.ravel(values) for values in zip(*extremes, strict=True)]
    if all(values.min() == values.max() for values in ranges):
        raise CalibrationError(
            "`calibration` must hold samples that differ from each other or within themselves. "
            f"Received: nothing but {ranges[0][0]:g}"
        )
    if waiting:
        yield _joined([waiting[i % len(waiting)] for i in range(batch_size)])


def _joined(waiting: list[list[np.ndarray]]) -> list[np.ndarray]:
    return [np.concatenate(values) for values in zip(*waiting, strict=True)]


def _batches(calibration, inputs: Sequence) -> Iterator[list[np.ndarray]]:
    """Checked batches: for every input an array [n, …], the same n for all."""
    if _is_array(calibration) or isinstance(calibration, Mapping) or _one_each(calibration, inputs):
        whole = _per_input(calibration, inputs)
        count = _count(whole)
        for start in range(0, count, _CHUNK):
            yield _checked([array[start : start + _CHUNK] for array in whole], inputs)
        return
    if not isinstance(calibration, Iterable) or isinstance(calibration, str | bytes):
        raise CalibrationError(
            "`calibration` must be an array of samples or an iterable of batches. "
            f"Received: {type(calibration).__qualname__}"
        )
    for batch in calibration:
        arrays = [np.asarray(array) for array in _per_input(batch, inputs)]
        single = [
            array.ndim + 1 == len(spec.shape) for array, spec in zip(arrays, inputs, strict=True)
        ]
        if all(single):
            arrays = [array[np.newaxis] for array in arrays]
        _count(arrays)
        yield _checked(arrays, inputs)


def _per_input(batch, inputs: Sequence) -> list:
    """The arrays of a batch in the order of the inputs."""
    names = [spec.name for spec in inputs]
    if isinstance(batch, tuple | list) and not _one_each(batch, inputs) and len(batch):
        batch = batch[0]  # (inputs, label, …)
    if isinstance(batch, Mapping):
        if sorted(batch) != sorted(names):
            raise CalibrationError(
                f"`calibration` must have one array for each of the inputs {names}. "
                f"Received: {sorted(batch)}"
            )
        return [batch[name] for name in names]
    if _is_array(batch) and len(inputs) == 1:
        return [batch]
    if _one_each(batch, inputs):
        return list(batch)
    raise CalibrationError(
        f"`calibration` must have one array for each of the inputs {names}. "
        f"Received: {_described(batch)}"
    )


def _one_each(batch, inputs: Sequence) -> bool:
    """Whether it holds an array for each of several inputs."""
    return (
        isinstance(batch, tuple | list)
        and len(batch) == len(inputs) > 1
        and all(_is_array(array) for array in batch)
    )


def _is_array(value) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _count(arrays: Sequence) -> int:
    counts = {len(array) if len(array.shape) else 0 for array in arrays}
    if len(counts) > 1:
        raise CalibrationError(
            "`calibration` must have as many samples for every input. "
            f"Received: {', '.join(str(count) for count in sorted(counts))}"
        )
    return counts.pop()


def _checked(arrays: Sequence, inputs: Sequence) -> list[np.ndarray]:
    checked = []
    for array, spec in zip(arrays, inputs, strict=True):
        array, dtype = np.asarray(array), np.dtype(spec.dtype.as_numpy_dtype)
        wanted = tuple(spec.shape)[1:]
        fits = array.ndim == 1 + len(wanted) and all(
            size in (None, found) for size, found in zip(wanted, array.shape[1:], strict=True)
        )
        if not fits:
            raise CalibrationError(
                f"`calibration` must have the shape {('n', *wanted)} of the input '{spec.name}'. "
                f"Received: shape={array.shape}"
            )
        if array.dtype.kind != dtype.kind:
            raise CalibrationError(
                f"`calibration` must be {dtype}, as the input '{spec.name}', and scaled as the "
                f"training data. Received: dtype={array.dtype}"
            )
        if dtype.kind == "f" and not np.isfinite(array).all():
            raise CalibrationError(
                "`calibration` must be finite. Received: "
                f"{np.count_nonzero(~np.isfinite(array))} values that are not"
            )
        checked.append(np.ascontiguousarray(array, dtype))
    return checked


def _described(batch) -> str:
    if isinstance(batch, tuple | list):
        return f"a {type(batch).__name__} of {len(batch)}"
    return f"shape={batch.shape}" if _is_array(batch) else type(batch).__qualname__

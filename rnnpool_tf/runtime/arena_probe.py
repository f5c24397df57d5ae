"""The smallest arena in which a model really runs, found by trying.

`ArenaUse.total` is what stays allocated. While a model is prepared, operators borrow a little more,
so an arena of exactly that size may be too small. And where memory runs out, TensorFlow Lite Micro
may crash instead of reporting it: so every attempt happens in a process of its own.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

_STEP = 16  # the arena's alignment
_AMPLE = 0  # an arena that is large enough for whatever it takes
_LARGEST_FACTOR = 8  # what operators borrow is far less than this times what they keep
_IMPORT_ROOT = Path(__file__).resolve().parents[2]


class AbortedError(ValueError):
    """TensorFlow Lite Micro ended its process instead of refusing a model."""


def runs_in(data: bytes, arena_size: int) -> bool:
    """Whether the model can be created and invoked in an arena of `arena_size` bytes."""
    return _attempt(data, [arena_size]) == [arena_size]


def check_survives(data: bytes) -> None:
    """Raises where TensorFlow Lite Micro aborts the whole process instead of refusing the model.

    It does so where a quantised multiplier is out of an operator's range: SOFTMAX of values whose
    scale is 1e-12, for example.

    Raises:
        AbortedError: it does.
        RuntimeError: the model cannot be read, or Python cannot be started.
    """
    done = _run(data, [_AMPLE])
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        raise AbortedError(
            "TensorFlow Lite Micro aborts when it prepares or runs the model; an operator's scales "
            "may be out of its range, as those of maps that hardly vary: of a network that was not "
            "trained and whose BatchNormalization has not seen pictures, for example. "
            f"Received: {len(data)} bytes ({name})"
        )


def smallest_arena(data: bytes, used: int) -> int:
    """Bisects the smallest sufficient arena, in bytes, a multiple of 16.

    Args:
        data: a model that runs in an ample arena.
        used: its `ArenaUse.total`, which is never too much by more than rounding.

    Raises:
        RuntimeError: the model runs in no arena, or Python cannot be started.
    """
    low = used // _STEP - 1  # too small
    high = low + 1
    while not runs_in(data, high * _STEP):
        low, high = high, high + max(64, (high - used // _STEP) * 2)
        if high * _STEP > _LARGEST_FACTOR * used + (1 << 20):
            raise RuntimeError(f"the model does not run in {low * _STEP} bytes of arena")
    while high - low > 1:
        # Descending sizes in one process: all that succeed cost one start of Python.
        sizes = sorted({low + (high - low) * i // 8 for i in range(1, 8)} - {low}, reverse=True)
        passed = _attempt(data, [size * _STEP for size in sizes if size < high])
        if passed:
            high = passed[-1] // _STEP
        failed = [size for size in sizes if size < high]
        low = max([low, *failed])
    return high * _STEP


def _attempt(data: bytes, arena_sizes: list[int]) -> list[int]:
    """The leading sizes that worked, up to the first that did not."""
    done = _run(data, arena_sizes)
    return [int(line) for line in done.stdout.split()]


def _run(data: bytes, arena_sizes: list[int]) -> subprocess.CompletedProcess:
    """Runs `main` in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(data)
        command = [sys.executable, "-m", __name__, str(path), *map(str, arena_sizes)]
        paths = [str(_IMPORT_ROOT), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode > 0:  # negative: killed by a signal, which is what small arenas do
        raise RuntimeError(f"the arena cannot be probed: {done.stderr.strip()}")
    return done


def main(arguments: list[str]) -> None:
    """Prints the sizes that work, in the order given, and stops at the first that does not."""
    from rnnpool_tf.runtime.model_file import read_model
    from rnnpool_tf.runtime.tflm_engine import TflmEngine

    model = read_model(arguments[0])
    for arena_size in map(int, arguments[1:]):
        try:
            engine = TflmEngine(model, arena_size or None)
            engine.invoke([np.zeros(details.shape, details.dtype) for details in engine.inputs])
        except ValueError:
            return
        print(arena_size, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

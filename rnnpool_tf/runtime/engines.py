"""The two engines: which there are, what they can be told, and starting one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rnnpool_tf.runtime.model_file import ModelFile

if TYPE_CHECKING:
    from rnnpool_tf.runtime.litert_engine import LiteRtEngine
    from rnnpool_tf.runtime.tflm_engine import TflmEngine

ENGINES = ("litert", "tflm")
# Of maps; below it quotients of scales may leave the range of TensorFlow Lite Micro's operators,
# which then end the process.
_TINY_SCALE = 1e-6
OPERATORS = ("RNNPool", "InvertedResidual", "ConvRNNPool")


def check_options(
    engine: str, num_threads: int, arena_size: int | None, reference_kernels: bool
) -> None:
    """Raises ValueError for options of `Runtime` that make no sense, alone or together."""
    if engine not in ENGINES:
        raise ValueError(f"`engine` must be one of {ENGINES}. Received: engine={engine!r}")
    if num_threads < 1:
        raise ValueError(f"`num_threads` must be at least 1. Received: num_threads={num_threads}")
    if arena_size is not None and (engine != "tflm" or arena_size < 1):
        raise ValueError(
            '`arena_size` must be a number of bytes, and is for engine="tflm" only. '
            f"Received: arena_size={arena_size}, engine={engine!r}"
        )
    if reference_kernels and engine != "litert":
        raise ValueError(
            '`reference_kernels` is for engine="litert"; TensorFlow Lite Micro has no others. '
            f"Received: reference_kernels=True, engine={engine!r}"
        )


def start(
    model: ModelFile,
    engine: str,
    num_threads: int = 1,
    arena_size: int | None = None,
    reference_kernels: bool = False,
) -> LiteRtEngine | TflmEngine:
    """Starts an engine with a model.

    Raises:
        ValueError: it refuses the model, or is not installed; the arena is too small.
    """
    try:
        if engine == "litert":
            from rnnpool_tf.runtime.litert_engine import LiteRtEngine

            return LiteRtEngine(model, num_threads, reference_kernels)
        return _start_tflm(model, arena_size)
    except ValueError as error:
        # Engines do not name a custom operator that they lack.
        lacking = sorted(set(model.custom_operators) - set(OPERATORS))
        if not lacking:
            raise
        raise ValueError(
            f"{error} This runtime brings the custom operators {', '.join(OPERATORS)}; the model "
            f"also has {', '.join(lacking)}"
        ) from error


def _start_tflm(model: ModelFile, arena_size: int | None) -> TflmEngine:
    from rnnpool_tf.runtime.arena_probe import check_survives, runs_in, smallest_arena
    from rnnpool_tf.runtime.tflm_engine import TflmEngine

    if model.smallest_scale < _TINY_SCALE:
        check_survives(model.data)  # in a process of its own, which takes a second
    engine = TflmEngine(model)
    if arena_size is None:
        return engine

    if not runs_in(model.data, arena_size):
        needed = smallest_arena(model.data, engine.arena_use().total)
        raise ValueError(
            f"`arena_size` must be at least {needed}, the bytes this model needs. "
            f"Received: arena_size={arena_size}"
        )
    return TflmEngine(model, arena_size)

"""RAM of whole int8 networks in TensorFlow Lite Micro: unfused, fused, planned, streamed."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from rnnpool_tf import compression, convert
from rnnpool_tf._keras import keras, require_legacy_keras
from rnnpool_tf.analysis import count
from rnnpool_tf.analysis.arena import Variant, variants_of
from rnnpool_tf.analysis.arena import measure as measure_arena
from rnnpool_tf.analysis.arena import table as arena_table
from rnnpool_tf.conversion.atomic_files import write_files
from rnnpool_tf.conversion.stream_header import pair_paths
from rnnpool_tf.models import face_m4, visual_wake_words

SIZES = (96, 160, 224)
FORMS = ("unfused", "fused", "planned", "streamed")
SEED = 0

_CALIBRATION_IMAGES = 4
_NETWORK = 22
_COLUMN = 13
_NOTE = """\
planned: fused, and a memory plan in the file where that wins; -: no RNNPool, cannot be streamed.
Weights and calibration images are random. RAM does not depend on them: the arena holds maps,
working memory and descriptors, whose sizes follow from shapes, and weights stay in flash. A trained
network of the same shapes takes the same; `rnnpool arena` measures one. Batch 1; MAdds count W·x of
RNNPool once per pixel; desktop with 64-bit pointers."""


def networks() -> dict[str, Callable]:
    """What is measured: names, and what builds the float Keras model; builds nothing yet."""
    found = {}
    for name, build in (
        ("vww", visual_wake_words),
        ("vww-strided-conv", _strided_twin),
        ("mobilenet-v2", _baseline),
    ):
        for size in SIZES:
            found[f"{name}-{size}"] = lambda build=build, size=size: build((size, size, 3))
    found["face-m4"] = lambda: face_m4((240, 320, 1), outputs="levels")
    return found


def measure(
    names: Sequence[str] = (),
    *,
    output: Path | None = None,
    seed: int = SEED,
    progress: Callable[[str], None] = lambda line: None,
) -> list[dict]:
    """Builds networks with random weights, makes them int8 and runs them in ever smaller arenas.

    Args:
        names: Among the names of `networks()`; empty: all.
        output: Existing folder for the models in all their forms; None keeps none.
        seed: Of weights and calibration images.
        progress: Gets a line before and after each network.

    Returns:
        One dict per network: `network`, `madds` (W·x of RNNPool once per pixel), and for each of
        `FORMS` what `rnnpool arena --json` gives without the buffers, in bytes; None where a
        network cannot be streamed. Where no memory plan beats TensorFlow Lite Micro's own,
        "planned" is the fused form.

    Raises:
        ValueError: An unknown name; or TensorFlow Lite Micro is not installed.
        FileNotFoundError: `output` is no folder.
        RuntimeError: Not under tf_keras, which quantisation needs.
    """
    require_legacy_keras("rnnpool bench memory")
    known = networks()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(
            f"`--models` must be among: {', '.join(known)}. Received: {', '.join(unknown)}"
        )
    if output is not None and not output.is_dir():
        raise FileNotFoundError(f"`--output` must be an existing folder. Received: '{output}'")
    chosen = [name for name in known if name in names or not names]
    rows = []
    for number, name in enumerate(chosen, start=1):
        progress(f"{number}/{len(chosen)} {name} ...")
        madds, data = int8_network(known[name], seed)
        variants = {variant.name: variant for variant in variants_of(data)}
        if output is not None:
            _write(output, name, variants)
        found = {form: _described(variant) for form, variant in variants.items()}
        found.setdefault("planned", found["fused"])
        row = {"network": name, "madds": madds, **{form: found.get(form) for form in FORMS}}
        progress(_line(row))
        rows.append(row)
    return rows


def int8_network(build: Callable, seed: int) -> tuple[int, bytes]:
    """MAdds of a network, and its unfused int8 file with random weights."""
    rng = np.random.default_rng(seed)
    with _quiet():
        keras.backend.clear_session()
        model = build()
        _randomize(model, rng)
        images = rng.uniform(-1, 1, (_CALIBRATION_IMAGES, *model.input_shape[1:]))
        qat = compression.quantize(model, calibration=images.astype(np.float32))
        data = convert(qat, fuse="none", plan="greedy")
    return count(model).madds_shared, data


def table(rows: list[dict]) -> str:
    """The result for people."""
    return "\n".join(
        [
            "RAM in bytes: the smallest arena in which TensorFlow Lite Micro really runs the int8",
            "network; when streamed, the stream object beside it is included.",
            "",
            _cells("network", ["MAdds", *FORMS]),
            *map(_line, rows),
            "",
            _NOTE,
        ]
    )


def _line(row: Mapping) -> str:
    rams = ["-" if row[form] is None else f"{row[form]['ram']:,}" for form in FORMS]
    return _cells(row["network"], [f"{row['madds']:,}", *rams])


def _cells(first: str, others: Sequence[str]) -> str:
    return f"{first:<{_NETWORK}}" + "".join(f"{cell:>{_COLUMN}}" for cell in others)


def _randomize(model, rng: np.random.Generator) -> None:
    """Weights as in a trained network: no zero biases, which conversion would leave out."""
    for variable in model.weights:
        kind = variable.name.split("/")[-1].split(":")[0]
        if kind in ("gamma", "moving_variance"):
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        elif kind in ("beta", "moving_mean", "bias"):
            variable.assign(rng.normal(0, 0.2, variable.shape))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without what TensorFlow says while it converts and what quantize() says of no RNNPool."""
    loggers = [logging.getLogger(name) for name in ("tensorflow", "rnnpool_tf", "absl")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _strided_twin(input_shape):
    return visual_wake_words(input_shape, pooling="strided_conv")


def _baseline(input_shape):
    return visual_wake_words(input_shape, pooling="none")


def _described(variant: Variant) -> dict:
    described = arena_table.as_json(measure_arena(variant))
    return {key: value for key, value in described.items() if key not in ("name", "buffers")}


def _write(folder: Path, name: str, variants: Mapping[str, Variant]) -> None:
    for form, variant in variants.items():
        if variant.header is None:
            suffix = "" if form == "unfused" else f"_{form}"
            files = {folder / f"{name}{suffix}.tflite": variant.data}
        else:
            header, body = pair_paths(folder / name)
            files = {header: variant.header, body: variant.data}
        write_files(files)

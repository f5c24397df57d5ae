"""Seeded random layers for the int8 operator, from harmless to hostile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rnnpool_tf.gates import KINDS
from rnnpool_tf.geometry import Geometry
from rnnpool_tf.integer import IntegerCell

# What the numbers of a layer look like.
#   trained    weights and activations as a trained network has them
#   saturating all weights at the ends of int8, biases at the ends of int32
#   tiny       scales so small that products round to little
#   large      scales beyond what int16 weights can hold
#   wild       every scale drawn from 60 powers of two, some of which no multiplier can express
CHARACTERS = ("trained", "saturating", "tiny", "large", "wild")


@dataclass(frozen=True)
class Case:
    seed: int
    character: str
    batch: int
    size: tuple[int, int, int]
    units: tuple[int, int]
    geometry: Geometry
    per_row: bool
    gates: str

    @property
    def name(self) -> str:
        (h, w, k), (h1, h2), g = self.size, self.units, self.geometry
        (ph, pw), (sh, sw) = g.pool_size, g.strides
        scales = "rows" if self.per_row else "tensor"
        return (
            f"seed{self.seed}-{self.character}-{self.batch}x{h}x{w}x{k}-p{ph}x{pw}-s{sh}x{sw}"
            f"-{g.padding}-h{h1}_{h2}-{scales}-{self.gates}"
        )


def case(seed: int) -> Case:
    """The dimensions of the layer with this seed."""
    rng = np.random.default_rng([7, seed])
    geometry, (height, width) = _geometry(rng)
    units = tuple(int(n) for n in rng.choice([1, 2, 3, 4, 5, 7, 8, 11, 16], 2))
    if seed % 8 == 0:  # more than 2048 weights in one of the cells
        units = ((46, 5), (8, 44), (70, 33))[seed // 8 % 3]
    channels = int(rng.choice([1, 2, 3, 4, 5, 8, 12]))
    return Case(
        seed=seed,
        character=CHARACTERS[seed % len(CHARACTERS)],
        batch=int(rng.integers(1, 4)),
        size=(height, width, channels),
        units=units,
        geometry=geometry,
        per_row=bool(rng.integers(2)),
        gates=KINDS[seed % 3 == 0],
    )


def _geometry(rng: np.random.Generator) -> tuple[Geometry, tuple[int, int]]:
    padding = str(rng.choice(["valid", "same", "replicate"]))
    pools, strides, sizes = [], [], []
    for _ in range(2):
        pool = int(rng.integers(1, 8))
        smallest = 1 if padding == "same" else pool
        size = int(rng.integers(smallest, 14))
        if rng.integers(8) == 0:
            size = max(pool, smallest)  # the patch is the whole map
        pools.append(pool)
        strides.append(int(rng.choice([1, max(1, pool - 2), pool, pool + 1, pool + 3])))
        sizes.append(max(size, smallest))
    return Geometry(tuple(pools), tuple(strides), padding), (sizes[0], sizes[1])


def arrays(case: Case) -> tuple[np.ndarray, float, int, IntegerCell, IntegerCell]:
    """Pixels, input scale, input zero point and both cells."""
    rng = np.random.default_rng([8, case.seed])
    x = rng.integers(-128, 128, (case.batch, *case.size)).astype(np.int8)
    if rng.integers(4) == 0:
        x = rng.choice(np.array([-128, 127], np.int8), x.shape)
    zero_point = int(rng.choice([-128, 127, 0, rng.integers(-128, 128)]))
    scale = float(np.float32(6 / 255 if case.character == "trained" else _scale(rng, case, ())))
    h1, h2 = case.units
    return x, scale, zero_point, _cell(rng, case, case.size[2], h1), _cell(rng, case, h1, h2)


def _scale(rng: np.random.Generator, case: Case, shape: tuple[int, ...]) -> np.ndarray:
    low, high = {
        "trained": (-8, -5),
        "saturating": (-9, -4),
        "tiny": (-40, -12),
        "large": (-4, 3),
        "wild": (-60, 7.9),
    }[case.character]
    return (2.0 ** rng.uniform(low, high, shape)).astype(np.float32)


def _cell(rng: np.random.Generator, case: Case, inputs: int, units: int) -> IntegerCell:
    rows = (units,) if case.per_row else ()
    if case.character == "saturating":
        kernel = rng.choice(np.array([-128, -127, 127], np.int8), (units, inputs))
        recurrent = rng.choice(np.array([-128, -127, 127], np.int8), (units, units))
        ends = np.array([-(2**31), 2**31 - 1, 0, 2**30 - 1, -(2**30)], np.int32)
        biases = rng.choice(ends, (2, units))
    else:
        kernel = rng.integers(-128, 128, (units, inputs)).astype(np.int8)
        recurrent = rng.integers(-128, 128, (units, units)).astype(np.int8)
        biases = np.round(rng.normal(0, 2, (2, units)) * 2**26).astype(np.int32)
    return IntegerCell(
        kernel,
        _scale(rng, case, rows),
        recurrent,
        _scale(rng, case, rows),
        biases[0],
        biases[1],
        case.gates,
    )

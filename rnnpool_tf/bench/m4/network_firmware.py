"""Firmware that runs a whole model in TensorFlow Lite Micro's own interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rnnpool_tf.bench.m4.arrays import Arrays
from rnnpool_tf.bench.m4.firmware import OPTIMISATION, PORTABLE, Firmware
from rnnpool_tf.bench.m4.tflm_build import TflmBuild
from rnnpool_tf.conversion.flatbuffer import Graph
from rnnpool_tf.deploy.operators import resolver_calls, used_operators
from rnnpool_tf.native import kernels_path

# The board's own, all of it: models lie in it that no nRF52840 would take.
FLASH_BYTES = 4 << 20

_HARNESS = ("startup", "semihosting", "sampler", "instruction_counter", "stack_paint")
_SOURCE = """\
#include "network/network.h"

#include "RNNPool.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

extern "C" {{
{declarations}}}

namespace cortex_m {{

const uint8_t* const kModel = {model};
const Bytes kInput = {input};
const Bytes kOutputs[] = {{{outputs}}};
const size_t kOutputCount = {count};

const tflite::MicroOpResolver* MakeResolver() {{
  static tflite::MicroMutableOpResolver<{operators}> ops;
  const TfLiteStatus results[] = {{
      {calls},
  }};
  for (TfLiteStatus result : results) {{
    if (result != kTfLiteOk) return nullptr;
  }}
  return &ops;
}}

}}  // namespace cortex_m
"""


class NetworkFirmware(Firmware):
    """The operators, the harness and TensorFlow Lite Micro; see `Firmware`.

    Example::

        firmware = NetworkFirmware(Path(folder), find_tflm(), "dsp")
        firmware.link_network("one", data, x, outputs)
    """

    def __init__(
        self,
        folder: Path,
        tflm: TflmBuild,
        path: str = PORTABLE,
        *,
        optimisation: str = OPTIMISATION,
    ):
        self.tflm = tflm
        super().__init__(folder, path, optimisation=optimisation)

    def _tflm_flags(self) -> list[str]:
        # Its headers ask for C++17.
        return ["-std=c++17", *(f"-I{folder}" for folder in self.tflm.includes)]

    def _harness_sources(self) -> list[Path]:
        folder = kernels_path() / "cortex_m"
        shared = [folder / f"{name}.cpp" for name in _HARNESS]
        return [*shared, *sorted((folder / "network").glob("*.cpp"))]

    def _link_flags(self) -> list:
        return [self.tflm.library, f"-Wl,--defsym=__flash_bytes={FLASH_BYTES}"]

    def link_network(
        self, name: str, data: bytes, x: np.ndarray, outputs: Sequence[np.ndarray]
    ) -> Path:
        """Links an image that runs a model on `x`; returns the ELF file.

        Raises:
            EmulationError: TensorFlow Lite Micro's library lacks something, or the model does not
                fit into the board's 4 MB.
        """
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        write_network(data, x, outputs, folder)
        return self.link_sources(name, [folder / "network.cpp", folder / "arrays.S"])


def write_network(data: bytes, x: np.ndarray, outputs: Sequence[np.ndarray], folder: Path) -> None:
    """Writes network.cpp, arrays.S and arrays.bin.

    Args:
        data: The .tflite file.
        x: Its input as the model stores it.
        outputs: What it must give, likewise.

    Raises:
        ValueError: Operators that the device does not have.
    """
    calls = resolver_calls(*used_operators(Graph.from_bytes(data)))
    arrays = Arrays()
    model = arrays.add(data, "u1")  # the first one is aligned to 16 bytes
    values = [f"{{{arrays.add(a.tobytes(), 'u1')}, {a.nbytes}}}" for a in (x, *outputs)]
    arrays.write(folder)
    (folder / "network.cpp").write_text(
        _SOURCE.format(
            declarations=arrays.declarations(),
            model=model,
            input=values[0],
            outputs=", ".join(values[1:]),
            count=len(outputs),
            operators=len(calls),
            calls=",\n      ".join(calls),
        )
    )

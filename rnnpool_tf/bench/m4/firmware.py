"""Builds firmware images for an emulated Cortex-M4 and runs them.

The machine is QEMU's mps2-an386 with the memory of an nRF52840 (tflm_kernels/cortex_m/link.ld).
With ``-icount shift=6`` it executes one instruction in 64 ns of its own time, so that a timer
counts instructions, exactly and the same in every run. They are instructions, not cycles.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from rnnpool_tf.bench.m4.cases import Case, write_cases
from rnnpool_tf.native import kernels_path

COMPILER = "arm-none-eabi-g++"
EMULATOR = "qemu-system-arm"
# Of the published figures. `rnnpool bench m4 --optimise` shows other levels.
OPTIMISATION = "-O3"
MACHINE_FLAGS = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
# C++11, and no run-time support: what an Arduino core would be content with. Without the guards of
# local statics, as TFLite Micro is built.
LANGUAGE_FLAGS = (
    "-std=c++11",
    "-fno-exceptions",
    "-fno-rtti",
    "-fno-threadsafe-statics",
    "-ffunction-sections",
    "-fdata-sections",
    "-Wall",
    "-Wextra",
)
FORCE_PORTABLE = "RNNPOOL_FORCE_PORTABLE"
PORTABLE, DSP = "portable", "dsp"
EMULATION_SECONDS = 300


class EmulationError(RuntimeError):
    """A tool is missing, a build failed, or the firmware did not end as it should."""


@dataclass(frozen=True)
class CaseResult:
    """What the firmware reports of one case; `refusal` is its sentence when it did not run.

    Attributes:
        instructions: of the run; `prepare_instructions` of checking and preparing the weights.
        scratch, persistent: bytes of memory; persistent includes the operator's objects.
        stack, prepare_stack: bytes of stack, measured by painting.
        checksum: CRC-32 of the output's bytes.
        mismatches: elements that differ from the expected output (float: by more than 1e-6).
        first: position of the first of them, or -1.
        largest_error: float only.
    """

    refusal: str | None = None
    instructions: int = 0
    prepare_instructions: int = 0
    scratch: int = 0
    persistent: int = 0
    stack: int = 0
    prepare_stack: int = 0
    checksum: int = 0
    mismatches: int | None = None
    first: int | None = None
    largest_error: float = 0.0


@dataclass(frozen=True)
class Run:
    """Results of all cases of an image, and what of its flash is the operator's.

    Attributes:
        operator_flash: bytes of the operator's code and tables.
        library_flash: bytes of libm, libgcc and libc, most of which the operator needs.
        samples: address of an instruction → samples; empty unless sampling was asked for.
        image: the ELF file.
    """

    results: list[CaseResult]
    operator_flash: int
    library_flash: int
    image: Path
    samples: dict[int, int] = field(default_factory=dict)


def missing_packages() -> list[str]:
    """Debian packages that must be installed before anything here works."""
    missing = []
    if shutil.which(COMPILER) is None:
        missing += ["gcc-arm-none-eabi", "libnewlib-arm-none-eabi"]
    else:
        command = [COMPILER, *MACHINE_FLAGS, "-print-file-name=libm.a"]
        found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        if not Path(found).is_absolute():
            missing.append("libnewlib-arm-none-eabi")
    if shutil.which(EMULATOR) is None:
        missing.append("qemu-system-arm")
    return missing


def require_tools() -> None:
    """Raises EmulationError naming what must be installed."""
    missing = missing_packages()
    if missing:
        raise EmulationError(
            "the emulated Cortex-M4 needs Debian packages that are not installed. "
            f"Install them: apt-get install {' '.join(missing)}"
        )
    if not (kernels_path() / "cortex_m").is_dir():
        raise EmulationError(
            "the benchmark's sources (tflm_kernels/cortex_m) are not part of an installed "
            "package. Run it from a source checkout: pip install --editable ."
        )


def operator_sources() -> list[Path]:
    """The operator's sources: the core with its assembly, and the TFLite Micro adapter."""
    folder = kernels_path() / "src"
    return sorted(p for p in folder.rglob("*") if p.suffix in (".cpp", ".S"))


def paths() -> tuple[str, ...]:
    """Code paths that the operator's sources have: ("portable",) or ("portable", "dsp").

    A build for Cortex-M4 takes the DSP path unless RNNPOOL_FORCE_PORTABLE is defined; sources that
    do not know this macro have one path only.
    """
    headers = (kernels_path() / "src").rglob("*.h")
    known = any(FORCE_PORTABLE in path.read_text() for path in [*headers, *operator_sources()])
    return (PORTABLE, DSP) if known else (PORTABLE,)


class Firmware:
    """The operator and the harness, compiled once; links and runs images with any cases.

    Args:
        folder: where objects and images go.
        path: "portable" or "dsp".

    Raises:
        EmulationError: a tool is missing or the compiler refuses.

    Example::

        with tempfile.TemporaryDirectory() as folder:
            run = Firmware(Path(folder), "portable").run("one", cases)
            run.results[0].instructions
    """

    def __init__(
        self,
        folder: Path,
        path: str = PORTABLE,
        *,
        optimisation: str = OPTIMISATION,
    ):
        require_tools()
        if path not in paths():
            raise EmulationError(
                f"`path` must be one of {paths()}, which the operator's sources offer. "
                f"Received: path={path!r}"
            )
        self.folder = folder
        kernels = kernels_path()
        self.flags = [*MACHINE_FLAGS, *LANGUAGE_FLAGS, optimisation]
        self.flags += [f"-I{kernels / part}" for part in ("src", "cortex_m")]
        self.flags += [*self._tflm_flags(), "-DTF_LITE_STATIC_MEMORY"]
        if path == PORTABLE:
            self.flags.append(f"-D{FORCE_PORTABLE}")
        folder.mkdir(parents=True, exist_ok=True)
        self.operator = self._archive("librnnpool.a", operator_sources())
        self.harness = self._archive("libharness.a", self._harness_sources())

    # What an image with TFLite Micro itself in it has in another way: NetworkFirmware.

    def _tflm_flags(self) -> list[str]:
        return [f"-I{kernels_path() / 'desktop/abi'}"]

    def _harness_sources(self) -> list[Path]:
        return sorted((kernels_path() / "cortex_m").glob("*.cpp"))

    def _link_flags(self) -> list:
        return []

    def _archive(self, name: str, sources: list[Path]) -> Path:
        objects = self.folder / f"{name}.objects"
        objects.mkdir(exist_ok=True)
        targets = [objects / f"{source.name}.o" for source in sources]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(self._compile, sources, targets))
        archive = self.folder / name
        archive.unlink(missing_ok=True)
        _run(["arm-none-eabi-ar", "rcs", archive, *targets])
        return archive

    def _compile(self, source: Path, target: Path) -> None:
        _run([COMPILER, *self.flags, "-c", source, "-o", target], cwd=source.parent)

    def link(self, name: str, cases: list[Case], sample: bool = False) -> Path:
        """Links an image that runs these cases; returns the ELF file."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        write_cases(cases, [case.expected() for case in cases], folder, sample)
        return self.link_sources(name, [folder / "cases.cpp", folder / "arrays.S"])

    def link_sources(self, name: str, sources: list[Path]) -> Path:
        """Links sources with what they need of the harness and the operator; returns the ELF file.

        No heap, C++ runtime or system calls are linked: an operator that used them would not link.
        """
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        objects = [folder / f"{source.name}.o" for source in sources]
        for source, target in zip(sources, objects, strict=True):
            self._compile(source, target)
        image = folder / "image.elf"
        script = kernels_path() / "cortex_m" / "link.ld"
        _run(
            [
                COMPILER,
                *MACHINE_FLAGS,
                "-nostdlib",
                f"-Wl,-T,{script}",
                "-Wl,--gc-sections",
                *objects,
                self.harness,
                self.operator,
                *self._link_flags(),
                *("-Wl,--start-group", "-lm", "-lc", "-lgcc", "-Wl,--end-group"),
                "-o",
                image,
            ]
        )
        return image

    def run(self, name: str, cases: list[Case], sample: bool = False) -> Run:
        """Links and emulates an image; one result per case, in their order.

        Args:
            sample: run every case a second time, under the sampling profiler.
        """
        image = self.link(name, cases, sample)
        run = _parse(emulate(image), image)
        if len(run.results) != len(cases):
            raise EmulationError(f"{image} reported {len(run.results)} of {len(cases)} cases")
        return run


def emulate(image: Path) -> str:
    """Runs an image until it exits; returns what it printed."""
    return _run(
        [
            EMULATOR,
            *("-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none"),
            *("-chardev", "stdio,id=s"),
            *("-semihosting-config", "enable=on,target=native,chardev=s"),
            *("-icount", "shift=6", "-kernel", image),
        ],
        timeout=EMULATION_SECONDS,
        stdin=subprocess.DEVNULL,
    )


def _run(command: list, **options) -> str:
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    except subprocess.TimeoutExpired as error:
        raise EmulationError(f"{words[0]} did not end within {error.timeout} s") from error
    if done.returncode != 0:
        output = f"{done.stdout[-1000:]}{done.stderr[-3000:]}".strip()
        raise EmulationError(f"{words[0]} failed with exit status {done.returncode}:\n{output}")
    return done.stdout


def _parse(text: str, image: Path) -> Run:
    results, flash, samples = [], {}, {}
    lines = text.splitlines()
    if lines[-1:] != ["done"]:
        raise EmulationError(f"{image} printed no end:\n{text[-1000:]}")
    for line in lines:
        kind, _, rest = line.partition(" ")
        if kind == "sample":
            address, count = rest.split()
            samples[int(address, 16)] = samples.get(int(address, 16), 0) + int(count, 16)
        elif kind == "flash":
            flash = dict(word.split("=") for word in rest.split())
        elif kind == "case":
            results.append(_parse_case(rest.partition(" ")[2]))
    return Run(results, int(flash["operator"]), int(flash["libraries"]), image, samples)


def _parse_case(text: str) -> CaseResult:
    if text.startswith("refused="):
        return CaseResult(refusal=text.removeprefix("refused="))
    values: dict[str, int | float] = {}
    for name, value in (word.split("=") for word in text.split()):
        if name == "error":
            values["largest_error"] = struct.unpack("<f", int(value, 16).to_bytes(4, "little"))[0]
        elif name == "crc":
            values["checksum"] = int(value, 16)
        else:
            values[name] = int(value)
    return CaseResult(**values)

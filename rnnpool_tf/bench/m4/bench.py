"""`rnnpool bench m4`: what the operator costs on an emulated Cortex-M4."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rnnpool_tf.bench.m4 import cycles
from rnnpool_tf.bench.m4.cases import Case, FloatCase
from rnnpool_tf.bench.m4.disassembly import disassemble, samples_by_function
from rnnpool_tf.bench.m4.firmware import (
    OPTIMISATION,
    EmulationError,
    Firmware,
    Run,
    paths,
)
from rnnpool_tf.bench.m4.fused_cases import BlockCase, ConvPoolCase
from rnnpool_tf.bench.m4.workloads import workloads


def chosen_paths(path: str) -> tuple[str, ...]:
    """The code paths that "portable", "dsp" or "both" stands for; "both" means all there are."""
    return paths() if path == "both" else (path,)


def measure(
    path: str = "both", only: str = "", optimisation: str = OPTIMISATION
) -> tuple[list[dict], list[tuple[str, list[tuple[str, float]]]]]:
    """Builds, runs and checks every workload.

    Args:
        path: "portable", "dsp" or "both".
        only: part of the name of the workloads to run; empty: all.

    Returns:
        One dict per workload and path, see `_row`; and for each a title with the share of its
        instructions by function.

    Raises:
        EmulationError: a tool is missing, a build fails or an output is not what the integer model
            (float32: the float64 reference, within 1e-6) gives.
        ValueError: `only` matches nothing.
    """
    cases = [case for case in workloads() if only.lower() in case.name.lower()]
    if not cases:
        names = ", ".join(case.name for case in workloads())
        raise ValueError(f"`--only` must be part of a name among: {names}. Received: {only}")
    return measure_cases(cases, path, optimisation)


def measure_cases(
    cases: list[Case], path: str, optimisation: str
) -> tuple[list[dict], list[tuple[str, list[tuple[str, float]]]]]:
    """As `measure`, of any cases, in their order, on each path."""
    rows, profiles = [], []
    with tempfile.TemporaryDirectory(prefix="rnnpool_m4_") as folder:
        for one in chosen_paths(path):
            firmware = Firmware(Path(folder) / one, one, optimisation=optimisation)
            for index, case in enumerate(cases):
                run = firmware.run(f"case{index}", [case], sample=True)
                require_correct_results([case], run)
                instructions = disassemble(run.image)
                factor = cycles.cycles_per_instruction(instructions, run.samples)
                rows.append(_row(case, one, run, factor))
                shares = samples_by_function(instructions, run.samples)
                profiles.append((f"{case.name}, {one}", shares))
    return rows, profiles


def require_correct_results(cases: list[Case], run: Run) -> None:
    """Raises EmulationError unless every case of `run` gave what it must."""
    for case, result in zip(cases, run.results, strict=True):
        if result.refusal is not None:
            raise EmulationError(f"{case.name} was refused on the emulated M4: {result.refusal}")
        if result.mismatches is None or result.mismatches:
            raise EmulationError(
                f"{case.name} gives wrong results on the emulated M4: {result.mismatches} "
                f"elements differ, the first at {result.first}"
            )


def _row(case: Case, path: str, run: Run, cycles_per_instruction: float) -> dict:
    result = run.results[0]
    work = case.work
    unit_steps = 0 if isinstance(case, FloatCase) else work.unit_steps
    is_fused = isinstance(case, (BlockCase, ConvPoolCase))

    def estimate(tables_in_flash: bool) -> int | None:
        # Convolutions read their weights from flash, which the estimate knows nothing of.
        if is_fused:
            return None
        return cycles.estimate_cycles(
            result.instructions, cycles_per_instruction, unit_steps, tables_in_flash
        )

    return {
        "name": case.name,
        "path": path,
        "instructions": result.instructions,
        "prepare_instructions": result.prepare_instructions,
        "macs": work.macs,
        "instructions_per_mac": round(result.instructions / work.macs, 3),
        "shared_macs": work.shared_macs,
        "instructions_per_shared_mac": round(result.instructions / work.shared_macs, 3),
        "scratch_bytes": result.scratch,
        "persistent_bytes": result.persistent,
        "stack_bytes": result.stack,
        "prepare_stack_bytes": result.prepare_stack,
        "flash_bytes": run.operator_flash,
        "library_flash_bytes": run.library_flash,
        "checksum": f"{result.checksum:08x}",
        "estimated_cycles_tables_in_flash": estimate(True),
        "estimated_cycles_tables_in_ram": estimate(False),
    }


_NOTES = """\
Instructions, counted; not cycles. MACs: of RNNPool's Algorithm 1, every patch from
scratch, and of convolutions with their padding.
Scratch and persistent RAM, stack and flash (code and tables) in bytes; flash without what the
operator takes from libm and libgcc. Every output was equal to the integer model's,
of fused operators to that of their stages one after the other{float}.
est. ms: an ESTIMATE for {clock} MHz with {waits} wait states for tables in flash / tables in RAM;
its assumptions are in rnnpool_tf/bench/m4/cycles.py.
"""


def table(rows: list[dict]) -> str:
    """The rows as text."""
    lines = [
        f"{'layer':31}{'path':9}{'instructions':>13}{'per MAC':>8}{'scratch':>9}{'persist.':>9}"
        f"{'stack':>6}{'flash':>7}  {'checksum':8}{'est. ms':>14}"
    ]
    for row in rows:
        milliseconds = " / ".join(
            f"{estimate / cycles.CLOCK_MHZ / 1e3:.0f}"
            for place in ("flash", "ram")
            if (estimate := row[f"estimated_cycles_tables_in_{place}"]) is not None
        )
        lines.append(
            f"{row['name']:31}{row['path']:9}{row['instructions']:13,}"
            f"{row['instructions_per_mac']:8.2f}{row['scratch_bytes']:9,}"
            f"{row['persistent_bytes']:9,}{row['stack_bytes']:6}{row['flash_bytes']:7,}"
            f"  {row['checksum']:8}{milliseconds:>14}"
        )
    has_float = any("float32" in row["name"] for row in rows)
    note = ",\nand within 1e-6 of a float64 reference in float32" if has_float else ""
    notes = _NOTES.format(float=note, clock=cycles.CLOCK_MHZ, waits=cycles.FLASH_WAIT_STATES)
    return "\n".join([*lines, "", notes.rstrip()])


def profile_text(profiles: list[tuple[str, list[tuple[str, float]]]]) -> str:
    """Shares by function, down to half a percent."""
    lines = []
    for title, shares in profiles:
        lines += ["", f"{title}: share of the instructions by function"]
        lines += [f"  {share:6.1%}  {name}" for name, share in shares if share >= 0.005]
    return "\n".join(lines)

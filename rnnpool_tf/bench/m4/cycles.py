"""An estimate of cycles on an nRF52840 from samples of what the emulator executed.

The emulator counts instructions; it has neither pipeline nor memory timing. The estimate weighs
each sampled instruction with the cycles that Arm's Cortex-M4 manual gives for it, and adds wait
states. What it assumes:

* A load or store takes 2 cycles, 1 right after another one; n registers take n + 1. A load whose
  address the instruction before it has computed waits 1 cycle more.
* A taken branch takes 3 cycles. Conditional branches are taken when they go backwards.
* Multiplications, SIMD ones included, take 1 cycle, divisions 7, VFMA 3, VDIV and VSQRT 14.
* All code runs from the instruction cache without waiting: the loops fit it.
* Data in RAM cost no wait state. The layer's input, output and buffers are there.
* A look-up in a table that lies in flash waits 3 cycles: the cache serves instructions only. There
  are two per unit and step.

Interrupts, cache misses and contention with DMA are left out. A board is the judge.
"""

from __future__ import annotations

import re

from rnnpool_tf.bench.m4.disassembly import Instruction

CLOCK_MHZ = 64
FLASH_WAIT_STATES = 3
TABLE_LOOK_UPS = 2  # per unit and step

_BRANCH_CYCLES = 3
_CONDITIONAL = re.compile(r"^(b(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le)(\.[nw])?|cbn?z)$")
_BRANCH = re.compile(r"^(b|bl|bx|blx)(\.[nw])?$")
_MULTIPLE = re.compile(r"^(ldm|stm|push|pop|vldm|vstm|vpush|vpop)")
_SINGLE = re.compile(r"^(ldr|str|vldr|vstr)")
_RANGE = re.compile(r"\b([rs])(\d+)-[rs](\d+)")


def cycles_per_instruction(instructions: list[Instruction], samples: dict[int, int]) -> float:
    """Average cycles of the sampled instructions, wait states excluded."""
    total = cycles = 0
    previous = None
    for one in instructions:
        if count := samples.get(one.address):
            total += count
            cycles += count * _cycles(one, previous)
        previous = one
    return cycles / total


def estimate_cycles(
    instructions_executed: int, per_instruction: float, unit_steps: int, tables_in_flash: bool
) -> int:
    """Estimated cycles of a run; see the assumptions above.

    Args:
        per_instruction: of `cycles_per_instruction`.
        unit_steps: of `work_of`; 0 for float32, which uses no tables.
    """
    waits = TABLE_LOOK_UPS * unit_steps * FLASH_WAIT_STATES if tables_in_flash else 0
    return round(instructions_executed * per_instruction) + waits


def _cycles(one: Instruction, previous: Instruction | None) -> int:
    mnemonic = one.mnemonic
    if _CONDITIONAL.match(mnemonic):
        target = re.search(r"\b([0-9a-f]+) <", one.operands)
        return _BRANCH_CYCLES if target and int(target[1], 16) <= one.address else 1
    if _BRANCH.match(mnemonic):
        return _BRANCH_CYCLES
    if _MULTIPLE.match(mnemonic):
        return 1 + _registers(one.operands) + (_BRANCH_CYCLES - 1 if "pc" in one.operands else 0)
    if mnemonic.startswith(("ldrd", "strd")):
        return 3
    if _SINGLE.match(mnemonic):
        return _single_access(one, previous)
    if mnemonic.startswith(("sdiv", "udiv")):
        return 7
    if mnemonic.startswith(("vdiv", "vsqrt")):
        return 14
    if mnemonic.startswith(("vfma", "vfms", "vfnma", "vmla", "vmls")):
        return 3
    return 1


def _single_access(one: Instruction, previous: Instruction | None) -> int:
    if previous is None:
        return 2
    if _SINGLE.match(previous.mnemonic):
        return 1
    written = previous.operands.split(",")[0].strip()
    address = one.operands.partition("[")[2]
    waits = bool(re.search(rf"\b{re.escape(written)}\b", address)) if written else False
    return 2 + waits


def _registers(operands: str) -> int:
    inside = operands.partition("{")[2].partition("}")[0]
    ranges = sum(int(last) - int(first) for _, first, last in _RANGE.findall(inside))
    return inside.count(",") + 1 + ranges

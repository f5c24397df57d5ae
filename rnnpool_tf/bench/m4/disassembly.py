"""Instructions of a firmware image, and which of them the samples hit."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
_INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\t[0-9a-f ]+\t(\S+)\s*(.*)$")


@dataclass(frozen=True)
class Instruction:
    """One instruction: its address, the function it belongs to, and its text in two parts."""

    address: int
    function: str
    mnemonic: str
    operands: str


def disassemble(image: Path) -> list[Instruction]:
    """All instructions of an ELF file in the order of their addresses; names are demangled."""
    command = ["arm-none-eabi-objdump", "-d", "-C", str(image)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    instructions, function = [], ""
    for line in text.splitlines():
        if match := _FUNCTION.match(line):
            function = match[1]
        elif match := _INSTRUCTION.match(line):
            operands = re.split(r"\s*[@;]", match[3])[0]
            instructions.append(Instruction(int(match[1], 16), function, match[2], operands))
    return instructions


def samples_by_function(
    instructions: list[Instruction], samples: dict[int, int]
) -> list[tuple[str, float]]:
    """(function, share of the samples), largest share first."""
    owner = {instruction.address: instruction.function for instruction in instructions}
    counts: Counter[str] = Counter()
    for address, count in samples.items():
        counts[owner.get(address, "unknown")] += count
    total = sum(counts.values())
    return [(name, count / total) for name, count in counts.most_common()]


def annotated(
    instructions: list[Instruction], samples: dict[int, int], smallest_share: float = 0.02
) -> list[str]:
    """Listing of the functions with at least this share of the samples; share in % per line."""
    shares = samples_by_function(instructions, samples)
    wanted = {name for name, share in shares if share >= smallest_share}
    total = sum(samples.values())
    lines, current = [], None
    for one in instructions:
        if one.function not in wanted:
            continue
        if one.function != current:
            current = one.function
            lines.append(f"{current}:")
        share = 100 * samples.get(one.address, 0) / total
        lines.append(f"{share:7.2f} {one.address:6x}  {one.mnemonic:10}{one.operands}")
    return lines

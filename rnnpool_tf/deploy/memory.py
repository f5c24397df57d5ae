"""RAM and flash of the firmware, from measurements, and the limits of the board."""

from __future__ import annotations

from dataclasses import asdict, dataclass

# Arduino Nano 33 BLE (nRF52840): 256 KB of RAM; 1 MB of flash, of which the bootloader leaves
# 983,040 bytes to the sketch.
NANO_33_BLE_RAM = 256 * 1024
NANO_33_BLE_FLASH = 983_040

# Estimates, not measurements. RAM that Mbed OS, the Arduino core, the stack of the main thread
# (32 KB) and the heap of USB and the camera library take; flash that they take together with the
# interpreter's kernels and ours.
SYSTEM_RAM = 48 * 1024
SYSTEM_FLASH = 192 * 1024

# Bookkeeping that differs between releases of TensorFlow Lite Micro, and alignment.
_ARENA_SLACK = 1024


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes of RAM and flash.

    Attributes:
        arena_measured: What TensorFlow Lite Micro used on the desktop. It includes the model's
            input and every intermediate tensor. On a 32-bit device tensors take exactly as much,
            the interpreter's own structures less, because pointers are half as long.
        arena_margin: Scratch buffers that CMSIS-NN's kernels want in addition, and slack.
        frame: The camera's frame buffer, outside the arena.
        stream: Of a streamed model, outside the arena: the stream object and a line.
        faces: Of a detector, outside the arena: the decoder with its candidates and faces.
        system_ram: Estimate for everything that is not the project's.
        model, pictures: Flash.
        system_flash: Estimate for all code.
    """

    arena_measured: int
    arena_margin: int
    frame: int
    model: int
    pictures: int
    stream: int = 0
    faces: int = 0
    system_ram: int = SYSTEM_RAM
    system_flash: int = SYSTEM_FLASH

    @property
    def arena(self) -> int:
        """Size of the arena in the project."""
        return self.arena_measured + self.arena_margin

    @property
    def ram(self) -> int:
        return self.arena + self.frame + self.stream + self.faces + self.system_ram

    @property
    def flash(self) -> int:
        return self.model + self.pictures + self.system_flash

    def as_dict(self) -> dict[str, int]:
        """All figures by name, sums included."""
        return {**asdict(self), "arena": self.arena, "ram": self.ram, "flash": self.flash}

    def check(self, ram_bytes: int, flash_bytes: int) -> None:
        """Raises ValueError, with the sum spelt out, when the project does not fit."""
        if self.ram > ram_bytes:
            advice = " or `camera='none'`" if self.frame else ""
            raise ValueError(
                f"the project needs about {self.ram:,} bytes of RAM and the board has "
                f"{ram_bytes:,}: arena {self.arena:,}, camera frame {self.frame:,}, stream "
                f"{self.stream:,}, faces {self.faces:,}, system and stack {self.system_ram:,} "
                f"(estimate). Use a smaller input{advice}, or give the RAM of a larger board as "
                "`ram_bytes`."
            )
        if self.flash > flash_bytes:
            raise ValueError(
                f"the project needs about {self.flash:,} bytes of flash and the board has "
                f"{flash_bytes:,}: model {self.model:,}, test pictures {self.pictures:,}, code "
                f"{self.system_flash:,} (estimate). Use a smaller model or fewer images, or give "
                f"the flash of a larger board as `flash_bytes`."
            )


def plan(
    arena_measured: int,
    cmsis_nn_scratch: int,
    frame: int,
    model: int,
    pictures: int,
    stream: int = 0,
    faces: int = 0,
) -> MemoryPlan:
    """The plan for an arena of `arena_measured + cmsis_nn_scratch + slack`, a multiple of 16."""
    arena = -(-(arena_measured + cmsis_nn_scratch + _ARENA_SLACK) // 16) * 16
    margin = arena - arena_measured
    return MemoryPlan(arena_measured, margin, frame, model, pictures, stream, faces)

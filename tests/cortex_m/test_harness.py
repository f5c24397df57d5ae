"""The instruments themselves: counter, stack paint, sampler, and that failures are noticed."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from rnnpool_tf.bench.m4 import firmware as module
from rnnpool_tf.bench.m4.bench import require_correct_results
from rnnpool_tf.bench.m4.cases import Int8Case
from rnnpool_tf.bench.m4.cycles import cycles_per_instruction
from rnnpool_tf.bench.m4.disassembly import disassemble, samples_by_function
from rnnpool_tf.bench.m4.firmware import EmulationError, emulate
from rnnpool_tf.bench.m4.workloads import int8_layer
from rnnpool_tf.geometry import Geometry

pytestmark = pytest.mark.keras_free
HERE = Path(__file__).parent


def small_layer(name="small") -> Int8Case:
    return int8_layer(name, (10, 12, 3), (8, 8), Geometry((4, 4), (2, 2), "same"))


def test_counter_and_stack_paint(firmware):
    image = firmware.link_sources("counter", [HERE / "counter_check.cpp"])
    # The program ends with status 7, which must not go unnoticed.
    with pytest.raises(EmulationError, match="exit status 7") as error:
        emulate(image)
    lines = str(error.value).splitlines()[1:]
    printed = {name: int(value) for name, value in (line.split("=") for line in lines)}
    # A lambda that the compiler inlines, and the call of the loop: a handful of instructions.
    assert 0 <= printed["nothing"] <= 4
    assert 2000 <= printed["thousand"] - printed["nothing"] <= 2006
    assert 100_000_000 <= printed["fifty_million"] - printed["nothing"] <= 100_000_006
    assert 1000 <= printed["stack"] <= 1040


class WrongCase(Int8Case):
    """Expects what the layer does not give, in two places."""

    def expected(self):
        output = super().expected().copy()
        output.flat[[3, 77]] ^= 1
        return output


def test_wrong_results_are_located(firmware):
    fields = {f.name: getattr(small_layer(), f.name) for f in dataclasses.fields(Int8Case)}
    case = WrongCase(**fields)
    run = firmware.run("wrong", [case])
    assert (run.results[0].mismatches, run.results[0].first) == (2, 3)
    with pytest.raises(EmulationError, match=r"2 elements differ, the first at 3"):
        require_correct_results([case], run)


def test_same_counts_in_every_run(firmware):
    first = firmware.run("repeat", [small_layer(), small_layer()])
    second = module._parse(emulate(first.image), first.image)
    assert second == first
    assert first.results[0] == first.results[1]


def test_samples_lie_in_the_operator(firmware):
    run = firmware.run("samples", [small_layer()], sample=True)
    instructions = disassemble(run.image)
    shares = dict(samples_by_function(instructions, run.samples))
    assert sum(share for name, share in shares.items() if "rnnpool" in name) > 0.8, shares
    assert 1.0 < cycles_per_instruction(instructions, run.samples) < 3.0


def test_fault_is_reported(firmware, tmp_path):
    source = tmp_path / "fault.cpp"
    source.write_text("int main() { return *(volatile int*)0x90000000; }\n")
    with pytest.raises(EmulationError, match="fault"):
        emulate(firmware.link_sources("fault", [source]))


def test_too_large_a_layer_is_reported(firmware):
    case = int8_layer("large", (40, 200, 3), (16, 16), Geometry((1, 1), (1, 1)))
    with pytest.raises(EmulationError, match="out of RAM"):
        firmware.run("large", [case])


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    with pytest.raises(
        EmulationError, match=r"apt-get install gcc-arm-none-eabi .*qemu-system-arm"
    ):
        module.require_tools()

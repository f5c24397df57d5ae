"""The operator needs no heap: linked without one, and by the names its objects ask for."""

from __future__ import annotations

import re
import subprocess

import pytest

from rnnpool_tf.bench.m4.firmware import EmulationError
from tests.cortex_m.fused_vectors import operator_cases as fused_operators
from tests.cortex_m.vectors import operator_cases

pytestmark = pytest.mark.keras_free

# Everything that the operator may ask of others: plain memory and math functions, the compiler's
# arithmetic, and TFLite Micro.
ALLOWED = re.compile(
    r"mem(cpy|set|move|cmp)|strlen|"
    r"(exp|tanh|fabs|round|frexp|ldexp)f?|"
    r"__aeabi_(?!atexit|unwind)\w+|"
    r"MicroPrintf\(.*\)|tflite::.*"
)
HEAP = re.compile(r"\b(_?(m|re|c)alloc(_r)?|_?free(_r)?|_?sbrk(_r)?|operator new.*)")


def undefined_symbols(path) -> set[str]:
    """Names that an object or archive takes from elsewhere, its own members excluded."""
    command = ["arm-none-eabi-nm", "-C", str(path)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    found = [re.match(r"(?:[0-9a-f]{8}| {8}) (\w) (.+)", line) for line in lines]
    symbols = [match.groups() for match in found if match]
    assert symbols
    defined = {name for kind, name in symbols if kind != "U"}
    return {name for kind, name in symbols if kind == "U"} - defined


def test_objects_ask_for_nothing_but_math_and_memory(firmware):
    foreign = {n for n in undefined_symbols(firmware.operator) if not ALLOWED.fullmatch(n)}
    assert not foreign, foreign


@pytest.mark.parametrize(
    ("group", "cases", "wanted"),
    [
        ("operator", operator_cases, "rnnpool::RunInt8"),
        ("fused_operators", fused_operators, "rnnpool::RunInvertedResidual"),
    ],
    ids=["RNNPool", "fused"],
)
def test_images_link_without_heap(firmware, golden_runs, group, cases, wanted):
    """Images that run whole operators, whose link line has no heap to offer."""
    image = golden_runs(group, list(cases())).image
    command = ["arm-none-eabi-nm", "-C", str(image)]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert wanted in names
    assert not HEAP.findall(names)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("new", "return reinterpret_cast<int>(new int(1));"),
        ("malloc", "return reinterpret_cast<int>(__builtin_malloc(8));"),
    ],
    ids=["new", "malloc"],
)
def test_a_heap_would_not_link(firmware, tmp_path, name, code):
    """What the two tests above rest on."""
    source = tmp_path / "heap.cpp"
    source.write_text(f"int main() {{ {code} }}\n")
    with pytest.raises(EmulationError, match=r"undefined reference to `(operator new|_sbrk)"):
        firmware.link_sources(f"heap_{name}", [source])


def test_stack_is_small(firmware, golden_runs):
    """Painted; the layer's size does not matter. What is measured is in the benchmark's table."""
    results = golden_runs("operator", list(operator_cases())).results
    ran = [result for result in results if result.refusal is None]
    assert {result.stack > 0 for result in ran} == {True}
    # Eval and Prepare of a microcontroller's interpreter run on stacks of some kilobytes.
    assert max(result.stack for result in ran) <= 768
    assert max(result.prepare_stack for result in ran) <= 2048

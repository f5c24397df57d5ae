// Loops and stack frames of known size under the harness's own instruments.

#include "measure.h"
#include "semihosting.h"

namespace {

// Two instructions a turn.
__attribute__((noinline, naked)) void Loop(uint32_t) {
  __asm volatile(
      "1: subs r0, r0, #1\n"
      "bne 1b\n"
      "bx lr\n");
}

__attribute__((noinline)) void UseStack() {
  volatile uint8_t bytes[1000];
  for (uint32_t i = 0; i < sizeof(bytes); ++i) bytes[i] = 1;
}

void Show(const char* name, uint32_t value) {
  cortex_m::Print(name);
  cortex_m::PrintNumber(value);
  cortex_m::Print("\n");
}

}  // namespace

int main() {
  uint32_t instructions, stack;
  cortex_m::Measure([] {}, &instructions, &stack);
  Show("nothing=", instructions);
  cortex_m::Measure([] { Loop(1000); }, &instructions, &stack);
  Show("thousand=", instructions);
  cortex_m::Measure([] { Loop(50000000); }, &instructions, &stack);
  Show("fifty_million=", instructions);
  cortex_m::Measure(UseStack, &instructions, &stack);
  Show("stack=", stack);
  return 7;
}

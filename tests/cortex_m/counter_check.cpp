// Loops and stack frames of known size under the harness's own instruments.

#include "measure.h"
#include "report.h"

namespace {

using cortex_m::Report;

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

}  // namespace

int main() {
  uint32_t instructions, stack;
  cortex_m::Measure([] {}, &instructions, &stack);
  Report("nothing=", instructions);
  cortex_m::Measure([] { Loop(1000); }, &instructions, &stack);
  Report("thousand=", instructions);
  cortex_m::Measure([] { Loop(50000000); }, &instructions, &stack);
  Report("fifty_million=", instructions);
  cortex_m::Measure(UseStack, &instructions, &stack);
  Report("stack=", stack);
  return 7;
}

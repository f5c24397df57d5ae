#include "stack_paint.h"

extern "C" uint32_t __stack_limit[];

namespace cortex_m {
namespace {

const uint32_t kColour = 0xC0105EED;
uint32_t* painted_top;

}  // namespace

__attribute__((noinline)) void PaintStack() {
  uint32_t* top;
  __asm volatile("mov %0, sp" : "=r"(top));
  painted_top = top;
  // Volatile, so that this stays a loop without calls, whose frames would lie in the paint.
  for (volatile uint32_t* word = __stack_limit; word < top; ++word) *word = kColour;
}

__attribute__((noinline)) uint32_t StackUsed() {
  const volatile uint32_t* word = __stack_limit;
  while (word < painted_top && *word == kColour) ++word;
  return static_cast<uint32_t>(painted_top - word) * sizeof(uint32_t);
}

}  // namespace cortex_m

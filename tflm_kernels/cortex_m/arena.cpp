#include "arena.h"

#include <stdint.h>

#include "semihosting.h"

extern "C" uint8_t __arena_start[], __arena_end[];

namespace cortex_m {
namespace {

uint8_t* next = __arena_start;

}  // namespace

void* Allocate(size_t bytes) {
  const size_t rounded = (bytes + 15) / 16 * 16;
  if (rounded > static_cast<size_t>(__arena_end - next)) {
    Print("out of RAM\n");
    Exit(4);
  }
  uint8_t* memory = next;
  next += rounded;
  return memory;
}

void ResetArena() { next = __arena_start; }

}  // namespace cortex_m

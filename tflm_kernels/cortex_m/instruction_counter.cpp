#include "instruction_counter.h"

namespace cortex_m {
namespace {

// CMSDK APB timer 0 of the board.
volatile uint32_t* const kControl = reinterpret_cast<volatile uint32_t*>(0x40000000);
volatile uint32_t* const kValue = reinterpret_cast<volatile uint32_t*>(0x40000004);
volatile uint32_t* const kReload = reinterpret_cast<volatile uint32_t*>(0x40000008);

uint32_t InstructionsOf(uint32_t ticks) {
  return static_cast<uint32_t>((static_cast<uint64_t>(ticks) * 5 + 4) / 8);
}

}  // namespace

InstructionCounter::InstructionCounter() : begin_(0), overhead_(0) {
  *kControl = 0;
  *kReload = UINT32_MAX;
  *kValue = UINT32_MAX;
  *kControl = 1;
  Start();
  overhead_ = Stop();
}

__attribute__((noinline)) void InstructionCounter::Start() { begin_ = *kValue; }

__attribute__((noinline)) uint32_t InstructionCounter::Stop() {
  // Counts down, modulo 2^32.
  return InstructionsOf(begin_ - *kValue) - overhead_;
}

}  // namespace cortex_m

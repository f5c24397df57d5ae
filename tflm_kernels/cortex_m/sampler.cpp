#include "sampler.h"

#include "semihosting.h"

extern "C" uint8_t __code_end[];

namespace cortex_m {
namespace {

// CMSDK APB timer 1 of the board, interrupt 9.
volatile uint32_t* const kControl = reinterpret_cast<volatile uint32_t*>(0x40001000);
volatile uint32_t* const kValue = reinterpret_cast<volatile uint32_t*>(0x40001004);
volatile uint32_t* const kReload = reinterpret_cast<volatile uint32_t*>(0x40001008);
volatile uint32_t* const kClear = reinterpret_cast<volatile uint32_t*>(0x4000100C);
volatile uint32_t* const kEnableInterrupts = reinterpret_cast<volatile uint32_t*>(0xE000E100);
const uint32_t kTimerInterrupt = 1u << 9;
const uint32_t kEnabledWithInterrupt = 1u | 8u;

const uint32_t kHalfwords = 64 * 1024;  // of code: 128 KB
__attribute__((section(".psram"))) uint32_t samples[kHalfwords];
uint32_t noise;

}  // namespace

extern "C" __attribute__((used)) void NoteSample(const uint32_t* frame) {
  *kClear = 1;
  // Irregular, or the samples would march in step with the loops they look at.
  noise = noise * 1664525u + 1013904223u;
  *kReload = 1200 + (noise >> 22);
  const uint32_t halfword = frame[6] / 2;  // the interrupted instruction
  if (halfword < kHalfwords) ++samples[halfword];
}

__attribute__((naked)) void SamplerInterrupt() {
  __asm volatile(
      "mov r0, sp\n"
      "b NoteSample\n");
}

void StartSampling() {
  for (uint32_t i = 0; i < kHalfwords; ++i) samples[i] = 0;
  noise = 1;
  *kReload = 1600;
  *kValue = 1600;
  *kEnableInterrupts = kTimerInterrupt;
  *kControl = kEnabledWithInterrupt;
}

void StopSampling() { *kControl = 0; }

void PrintSamples() {
  const uint32_t end = reinterpret_cast<uint32_t>(__code_end) / 2;
  for (uint32_t i = 0; i < end && i < kHalfwords; ++i) {
    if (samples[i] == 0) continue;
    Print("sample ");
    PrintHex(2 * i);
    Print(" ");
    PrintHex(samples[i]);
    Print("\n");
  }
}

}  // namespace cortex_m

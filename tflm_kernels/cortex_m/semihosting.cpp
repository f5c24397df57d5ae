#include "semihosting.h"

namespace cortex_m {
namespace {

const uint32_t kWrite0 = 0x04;
const uint32_t kExitExtended = 0x20;
const uint32_t kApplicationExit = 0x20026;

void Call(uint32_t operation, const void* argument) {
  register uint32_t r0 __asm("r0") = operation;
  register const void* r1 __asm("r1") = argument;
  __asm volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
}

void PrintDigits(uint64_t number, uint32_t base, bool minus) {
  char digits[22];
  char* first = digits + sizeof(digits) - 1;
  *first = '\0';
  do {
    *--first = "0123456789abcdef"[number % base];
    number /= base;
  } while (number != 0);
  if (minus) *--first = '-';
  Print(first);
}

}  // namespace

void Print(const char* text) { Call(kWrite0, text); }

void PrintNumber(int64_t number) {
  const uint64_t bits = static_cast<uint64_t>(number);
  PrintDigits(number < 0 ? uint64_t(0) - bits : bits, 10, number < 0);
}

void PrintHex(uint32_t number) { PrintDigits(number, 16, false); }

void Exit(int status) {
  const uint32_t block[2] = {kApplicationExit, static_cast<uint32_t>(status)};
  Call(kExitExtended, block);
  for (;;) {
  }
}

}  // namespace cortex_m

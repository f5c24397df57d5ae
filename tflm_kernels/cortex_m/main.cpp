// Runs every case, compares, and prints one line for each:
//
//   case <index> instructions=… prepare_instructions=… scratch=… persistent=… stack=…
//     prepare_stack=… crc=<hex> mismatches=… first=… error=<bits of a float, hex>
//   case <index> refused=<sentence>
//
// then "flash operator=… libraries=…" and "done". Python reads this (rnnpool_tf.bench.m4.firmware).

#include <math.h>
#include <string.h>

#include "arena.h"
#include "cases.h"
#include "semihosting.h"

extern "C" uint8_t __operator_start[], __operator_end[], __libraries_start[], __libraries_end[];

namespace cortex_m {
namespace {

// How far a float may be from its expected value: float32 roundings of states below 1.
const float kTolerance = 1e-6f;

void PrintField(const char* name, int64_t value) {
  Print(name);
  PrintNumber(value);
}

// CRC-32 as zlib computes it.
uint32_t Crc32(const uint8_t* bytes, size_t count) {
  uint32_t crc = UINT32_MAX;
  for (size_t i = 0; i < count; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

struct Comparison {
  size_t mismatches;
  int64_t first;        // position of the first mismatch, or -1
  float largest_error;  // float only
};

Comparison Compare(const Case& layer, const void* output) {
  Comparison result = {0, -1, 0.0f};
  for (size_t i = 0; i < layer.output_elements; ++i) {
    bool equal;
    if (layer.is_float) {
      const float error = fabsf(static_cast<const float*>(output)[i] -
                                static_cast<const float*>(layer.expected)[i]);
      equal = error <= kTolerance;  // false for a NaN
      if (error > result.largest_error) result.largest_error = error;
    } else {
      equal =
          static_cast<const int8_t*>(output)[i] == static_cast<const int8_t*>(layer.expected)[i];
    }
    if (equal) continue;
    if (result.mismatches++ == 0) result.first = static_cast<int64_t>(i);
  }
  return result;
}

void Report(const Case& layer, const Outcome& outcome) {
  if (outcome.refusal != nullptr) {
    Print(" refused=");
    Print(outcome.refusal);
    Print("\n");
    return;
  }
  PrintField(" instructions=", outcome.instructions);
  PrintField(" prepare_instructions=", outcome.prepare_instructions);
  PrintField(" scratch=", outcome.scratch_bytes);
  PrintField(" persistent=", outcome.persistent_bytes);
  PrintField(" stack=", outcome.stack_bytes);
  PrintField(" prepare_stack=", outcome.prepare_stack_bytes);
  Print(" crc=");
  PrintHex(Crc32(static_cast<const uint8_t*>(outcome.output),
                 layer.output_elements * (layer.is_float ? sizeof(float) : 1)));
  // A layer that should have been refused has nothing to compare with.
  if (layer.expected != nullptr) {
    const Comparison comparison = Compare(layer, outcome.output);
    PrintField(" mismatches=", static_cast<int64_t>(comparison.mismatches));
    PrintField(" first=", comparison.first);
    uint32_t bits;
    memcpy(&bits, &comparison.largest_error, sizeof(bits));
    Print(" error=");
    PrintHex(bits);
  }
  Print("\n");
}

}  // namespace
}  // namespace cortex_m

int main() {
  using namespace cortex_m;
  for (int32_t i = 0; i < kCaseCount; ++i) {
    ResetArena();
    Outcome outcome = {};
    kCases[i].run(kCases[i], &outcome);
    PrintField("case ", i);
    Report(kCases[i], outcome);
  }
  PrintField("flash operator=", __operator_end - __operator_start);
  PrintField(" libraries=", __libraries_end - __libraries_start);
  Print("\ndone\n");
  return 0;
}

// What the programs share that run the core under sanitizers: seeded noise, and buffers allocated
// at exactly the size that the core asked for, so that a byte too far ends the program.

#ifndef RNNPOOL_TESTS_KERNELS_SANITIZED_H_
#define RNNPOOL_TESTS_KERNELS_SANITIZED_H_

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <memory>

namespace sanitized {

inline uint64_t& RandomState() {
  static uint64_t state;
  return state;
}

inline void Seed(const char* seed) {
  RandomState() = 0x9E3779B97F4A7C15u + strtoull(seed, nullptr, 10);
}

inline uint32_t Random(uint32_t below) {
  uint64_t& state = RandomState();
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return static_cast<uint32_t>(state >> 32) % below;
}

// Any int32: small and large, both signs, often an end of the range.
inline int32_t AnyInt32() {
  if (Random(8) == 0) return Random(2) ? INT32_MAX : INT32_MIN;
  return static_cast<int32_t>((Random(1u << 16) << 16 | Random(1u << 16)) >> Random(32));
}

inline void Require(bool condition, const char* what) {
  if (condition) return;
  fprintf(stderr, "failed: %s\n", what);
  exit(1);
}

// Of exactly `bytes` bytes, filled with noise: nothing may depend on what was there.
inline std::unique_ptr<uint8_t[]> Allocate(size_t bytes) {
  std::unique_ptr<uint8_t[]> memory(new uint8_t[bytes]);
  for (size_t i = 0; i < bytes; ++i) memory[i] = static_cast<uint8_t>(Random(256));
  return memory;
}

}  // namespace sanitized

#endif  // RNNPOOL_TESTS_KERNELS_SANITIZED_H_

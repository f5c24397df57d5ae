// Instructions of the DSP extension on pairs of int16, and on words of four int8. In assembly
// because older compilers have no intrinsics for them; where whole loops matter see dsp_routines.h.

#ifndef RNNPOOL_DSP_INSTRUCTIONS_H_
#define RNNPOOL_DSP_INSTRUCTIONS_H_

#include <stdint.h>
#include <string.h>

#include "rnnpool/int8_path.h"

#if RNNPOOL_USE_DSP

namespace rnnpool {

// Bytes 0 and 2 of `bytes`, sign-extended, plus the int16 halves of `pair`.
inline uint32_t AddBytes02(uint32_t pair, uint32_t bytes) {
  uint32_t result;
  __asm__("sxtab16 %0, %1, %2" : "=r"(result) : "r"(pair), "r"(bytes));
  return result;
}

inline uint32_t AddBytes13(uint32_t pair, uint32_t bytes) {
  uint32_t result;
  __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(pair), "r"(bytes));
  return result;
}

inline uint32_t Bytes02(uint32_t bytes) {
  uint32_t result;
  __asm__("sxtb16 %0, %1" : "=r"(result) : "r"(bytes));
  return result;
}

inline uint32_t Bytes13(uint32_t bytes) {
  uint32_t result;
  __asm__("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(bytes));
  return result;
}

// Bytes 1 and 3, zero-extended.
inline uint32_t UpperBytes(uint32_t bytes) {
  uint32_t result;
  __asm__("uxtb16 %0, %1, ror #8" : "=r"(result) : "r"(bytes));
  return result;
}

inline uint32_t LowHalves(uint32_t a, uint32_t b) {
  uint32_t result;
  __asm__("pkhbt %0, %1, %2, lsl #16" : "=r"(result) : "r"(a), "r"(b));
  return result;
}

inline uint32_t HighHalves(uint32_t a, uint32_t b) {
  uint32_t result;
  __asm__("pkhtb %0, %1, %2, asr #16" : "=r"(result) : "r"(b), "r"(a));
  return result;
}

// Saturates each half.
inline uint32_t AddPairs(uint32_t a, uint32_t b) {
  uint32_t result;
  __asm__("qadd16 %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
  return result;
}

inline int32_t MultiplyPairs(uint32_t a, uint32_t b, int32_t sum) {
  int32_t result;
  __asm__("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum));
  return result;
}

// The larger and the smaller ones of four signed bytes.
inline uint32_t LargerBytes(uint32_t a, uint32_t b) {
  uint32_t result;
  __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(result) : "r"(a), "r"(b) : "cc");
  return result;
}

inline uint32_t SmallerBytes(uint32_t a, uint32_t b) {
  uint32_t result;
  __asm__("ssub8 %0, %1, %2\n\tsel %0, %2, %1" : "=&r"(result) : "r"(a), "r"(b) : "cc");
  return result;
}

// A load, at any address: Cortex-M3 and later allow it for single words.
inline uint32_t Word(const void* place) {
  uint32_t word;
  memcpy(&word, place, sizeof(word));
  return word;
}

inline void StoreWord(uint32_t word, void* place) { memcpy(place, &word, sizeof(word)); }

}  // namespace rnnpool

#endif  // RNNPOOL_USE_DSP

#endif  // RNNPOOL_DSP_INSTRUCTIONS_H_

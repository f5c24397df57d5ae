// What the AVX2 paths (int8_widened_avx2.cpp, float_cell_avx2.cpp) share. Lanes are units: blocks
// of 8 units of one cell side by side, a whole cell of the Visual Wake Words network. Nothing
// outside these files is compiled for AVX2, and they run only on processors that have it.

#ifndef RNNPOOL_AVX2_H_
#define RNNPOOL_AVX2_H_

#include "rnnpool/int8_path.h"

#if RNNPOOL_USE_AVX2

#include <immintrin.h>
#include <stdint.h>

#include "rnnpool/cell_loops.h"

#define RNNPOOL_AVX2 __attribute__((target("avx2,fma")))
#define RNNPOOL_AVX2_INLINE inline __attribute__((always_inline, target("avx2,fma")))

namespace rnnpool {

inline bool HasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

const int32_t kAvx2Lanes = 8;

// Matrices are transposed to the stack for every call, so that they stand in memory as for the
// portable path. Larger ones are left to it.
const int32_t kAvx2LargestMatrix = 2048;  // elements of 4 bytes

inline int32_t Avx2Blocks(int32_t units) { return (units + kAvx2Lanes - 1) / kAvx2Lanes; }

// The first `count` lanes; for loads and stores that must stay inside dense arrays.
RNNPOOL_AVX2_INLINE __m256i FirstLanes(int32_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// WalkSequences of cell_loops.h, but all sequences take a step before any takes the next: they do
// not wait for each other, whereas a step waits for the one before it.
template <class Stepper, typename Product, typename State>
RNNPOOL_AVX2_INLINE void WalkAbreast(const Stepper& stepper, int32_t pitch, const Product* products,
                                     const SequenceBatch& batch, State* states) {
  int32_t done = 0;
  if (batch.fresh && batch.steps > 0) {
    for (int32_t n = 0; n < batch.count; ++n) {
      stepper.template Step<true>(products + n * batch.pitch, states + n * pitch);
    }
    done = 1;
  }
  for (; done < batch.steps; ++done) {
    const Product* product = products + done * batch.stride;
    for (int32_t n = 0; n < batch.count; ++n) {
      stepper.template Step<false>(product + n * batch.pitch, states + n * pitch);
    }
  }
}

}  // namespace rnnpool

#endif  // RNNPOOL_USE_AVX2

#endif  // RNNPOOL_AVX2_H_

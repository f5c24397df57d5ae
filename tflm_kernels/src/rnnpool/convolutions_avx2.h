// Pointwise and depthwise convolution and the sum with AVX2; equal to pointwise.cpp, depthwise.cpp
// and residual_add.cpp to the last bit. Every function returns false, with nothing done, where this
// processor or this layer cannot be served.

#ifndef RNNPOOL_CONVOLUTIONS_AVX2_H_
#define RNNPOOL_CONVOLUTIONS_AVX2_H_

#include "rnnpool/depthwise.h"
#include "rnnpool/int8_path.h"
#include "rnnpool/pointwise.h"
#include "rnnpool/residual_add.h"

#if RNNPOOL_USE_AVX2

namespace rnnpool {

bool Avx2Pointwise(const Pointwise& layer, const int8_t* pixels, int32_t count, int8_t* output);
bool Avx2Depthwise(const Depthwise& layer, const int8_t* const* taps, int8_t* output);
// Returns how many of the first values it has done, which leaves fewer than 8 or all.
int32_t Avx2ResidualAdd(const ResidualAdd& layer, const int8_t* x, const int8_t* y, int32_t count,
                        int8_t* output);

}  // namespace rnnpool

#endif  // RNNPOOL_USE_AVX2

#endif  // RNNPOOL_CONVOLUTIONS_AVX2_H_

// The float32 cell with AVX2 and fused multiply-add. Every function returns false, with nothing
// done, where this processor or this cell cannot be served. Results differ from float_cell.cpp's by
// roundings: sums in another form, sigmoid and tanh within 2e-7 of the exact ones.

#ifndef RNNPOOL_FLOAT_CELL_AVX2_H_
#define RNNPOOL_FLOAT_CELL_AVX2_H_

#include <stdint.h>

#include "rnnpool/avx2.h"
#include "rnnpool/float_cell.h"

#if RNNPOOL_USE_AVX2

namespace rnnpool {

bool Avx2Project(const FloatCell& cell, const float* vectors, int32_t pitch, int32_t count,
                 float* products);
bool Avx2Sequences(const FloatCell& cell, const float* products, const SequenceBatch& batch,
                   float* states);

}  // namespace rnnpool

#endif  // RNNPOOL_USE_AVX2

#endif  // RNNPOOL_FLOAT_CELL_AVX2_H_

// The widened cell with AVX2; equal to int8_widened_portable.cpp to the last bit. Every function
// returns false, with nothing done, where this processor or this cell cannot be served.

#ifndef RNNPOOL_INT8_WIDENED_AVX2_H_
#define RNNPOOL_INT8_WIDENED_AVX2_H_

#include <stdint.h>

#include "rnnpool/avx2.h"
#include "rnnpool/cell_loops.h"
#include "rnnpool/gates_kind.h"
#include "rnnpool/int8_widened_layout.h"

#if RNNPOOL_USE_AVX2

namespace rnnpool {

bool Avx2Project(const WidenedLayout& layout, const int16_t* data, int32_t shift,
                 const int8_t* pixels, int32_t pitch, int32_t count, int32_t* products);
bool Avx2Project(const WidenedLayout& layout, const int16_t* data, int32_t shift,
                 const int16_t* states, int32_t pitch, int32_t count, int32_t* products);
bool Avx2Sequences(const WidenedLayout& layout, const int16_t* data, GatesKind gates,
                   const int32_t* products, const SequenceBatch& batch, int16_t* states);

}  // namespace rnnpool

#endif  // RNNPOOL_USE_AVX2

#endif  // RNNPOOL_INT8_WIDENED_AVX2_H_

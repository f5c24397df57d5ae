// The sum of two int8 tensors with scales of their own, as TensorFlow Lite's ADD computes it:
//   x' = round((x - x_zero_point) * 2^20 * x_multiplier * 2^x_shift)        likewise y'
//   output = clamp(round((x' + y') * sum_multiplier * 2^sum_shift) + zero_point, min, max)
// where multipliers are fractions in Q31 and every "round" is requantize.h's double rounding.

#ifndef RNNPOOL_RESIDUAL_ADD_H_
#define RNNPOOL_RESIDUAL_ADD_H_

#include <stdint.h>

#include "rnnpool/requantize.h"

namespace rnnpool {

const int32_t kAddLeftShift = 20;

// A positive factor below 1.
struct AddFactor {
  int32_t multiplier;  // 0 or 2^30..2^31-1
  int32_t shift;       // -31..0
};

struct ResidualAdd {
  int32_t x_zero_point;  // in -128..127
  int32_t y_zero_point;
  AddFactor x;
  AddFactor y;
  AddFactor sum;
  OutputRange range;
};

// Returns nullptr or a sentence.
const char* CheckResidualAdd(const ResidualAdd& layer);

// `count` values. The output may begin at or before x, or at or before y, and overlap it; a value
// is read before anything is written to its address.
void RunResidualAdd(const ResidualAdd& layer, const int8_t* x, const int8_t* y, int32_t count,
                    int8_t* output);

// The readable form, which RunResidualAdd is on most processors. On Cortex-M with the DSP extension
// it serves sums whose factors TensorFlow Lite would not give.
void RunResidualAddPortable(const ResidualAdd& layer, const int8_t* x, const int8_t* y,
                            int32_t count, int8_t* output);

}  // namespace rnnpool

#endif  // RNNPOOL_RESIDUAL_ADD_H_

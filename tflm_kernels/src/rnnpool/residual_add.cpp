// The portable sum.

#include "rnnpool/residual_add.h"

#include "rnnpool/convolutions_avx2.h"
#include "rnnpool/portable_loops.h"

namespace rnnpool {
namespace {

bool IsFactor(const AddFactor& factor) {
  return (factor.multiplier == 0 || factor.multiplier >= (1 << 30)) && factor.shift >= -31 &&
         factor.shift <= 0;
}

}  // namespace

const char* CheckResidualAdd(const ResidualAdd& layer) {
  if (layer.x_zero_point < -128 || layer.x_zero_point > 127 || layer.y_zero_point < -128 ||
      layer.y_zero_point > 127) {
    return "A zero point must be in -128..127.";
  }
  if (!IsFactor(layer.x) || !IsFactor(layer.y) || !IsFactor(layer.sum)) {
    return "A sum's multipliers must be 0 or in 2^30..2^31-1, and its shifts in -31..0.";
  }
  return CheckRange(layer.range);
}

namespace {

// At most 255 * 2^20 in magnitude, so that the sum of two fits int32.
int32_t Rescale(int32_t value, int32_t zero_point, const AddFactor& factor) {
  return MultiplyByQuantizedMultiplier((value - zero_point) * (1 << kAddLeftShift),
                                       factor.multiplier, factor.shift);
}

}  // namespace

void RunResidualAddPortable(const ResidualAdd& layer, const int8_t* x, const int8_t* y,
                            int32_t count, int8_t* output) {
  for (int32_t i = 0; i < count; ++i) {
    const int32_t sum =
        Rescale(x[i], layer.x_zero_point, layer.x) + Rescale(y[i], layer.y_zero_point, layer.y);
    output[i] = ClampToRange(
        MultiplyByQuantizedMultiplier(sum, layer.sum.multiplier, layer.sum.shift), layer.range);
  }
}

#if !RNNPOOL_USE_DSP

void RunResidualAdd(const ResidualAdd& layer, const int8_t* x, const int8_t* y, int32_t count,
                    int8_t* output) {
  int32_t done = 0;
#if RNNPOOL_USE_AVX2
  done = Avx2ResidualAdd(layer, x, y, count, output);
#endif
  RunResidualAddPortable(layer, x + done, y + done, count - done, output + done);
}

#endif  // !RNNPOOL_USE_DSP

}  // namespace rnnpool

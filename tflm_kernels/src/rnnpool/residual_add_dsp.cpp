// The sum for Cortex-M processors with the DSP extension. dsp_convolutions.h shows why the forms
// with SMMULR are exact; it wants twice its argument, so summands are computed twofold.
//
// With d = x - zero_point, |d| <= 255, a summand is round(round(d 2^20 m / 2^31) / 2^e). The inner
// part is SMMULR(d 2^21, m). The summand with the larger scale has m = 2^30 and e = 0 in TensorFlow
// Lite, so twice of it is d 2^20 and takes no multiplication. Both are below 2^27: nothing here
// overflows.

#include "rnnpool/int8_path.h"
#include "rnnpool/residual_add.h"

#if RNNPOOL_USE_DSP

#include "rnnpool/dsp_convolutions.h"

namespace rnnpool {
namespace {

inline int32_t MultiplyHighRounded(int32_t a, int32_t b) {
  int32_t result;
  __asm__("smmulr %0, %1, %2" : "=r"(result) : "r"(a), "r"(b));
  return result;
}

// Of a zero point or a value.
inline int32_t Shifted(int32_t value, int bits) {
  return static_cast<int32_t>(static_cast<uint32_t>(value) << bits);
}

// The value less one where it is negative, so that halves are rounded away from zero, divided by
// 2^shift. The last bit and the second rounding are left to the caller.
inline int32_t DivideAlmost(int32_t value, int32_t shift) {
  return (value + (value >> 31)) >> shift;
}

// round(value / 2) clamped to int8.
inline int8_t HalfAsInt8(int32_t value_plus_1) {
  int32_t result;
  __asm__("ssat %0, #8, %1, asr #1" : "=r"(result) : "r"(value_plus_1));
  return static_cast<int8_t>(result);
}

bool IsHalf(const AddFactor& factor) { return factor.multiplier == 1 << 30 && factor.shift == 0; }

bool IsDivided(const AddFactor& factor) { return factor.shift < 0; }

// x is the summand whose factor is a half; kBoth: y is one, too.
template <bool kBoth>
void AddToHalf(const ResidualAdd& layer, const int8_t* x, const int8_t* y, int32_t count,
               int8_t* output) {
  const int32_t multiplier = layer.y.multiplier;
  const int32_t shift = -layer.y.shift - 1;
  const int32_t y_start = -Shifted(layer.y_zero_point, 21);
  const int32_t x_start_plus_1 = 1 - Shifted(layer.x_zero_point, 20);
  const int32_t both_start = -Shifted(layer.x_zero_point + layer.y_zero_point, 20);
  const int32_t sum_multiplier = layer.sum.multiplier;
  const int32_t sum_shift = -layer.sum.shift - 1;
  const int32_t zero = 2 * layer.range.zero_point + 1;
  for (const int8_t* end = output + count; output != end; ++output) {
    const int32_t y_value = *y++;
    int32_t twice_sum;
    if (kBoth) {
      twice_sum = both_start + Shifted(y_value, 20);
    } else {
      const int32_t scaled = MultiplyHighRounded(y_start + Shifted(y_value, 21), multiplier);
      // x_start is even, so that clearing the last bit rounds y alone.
      twice_sum = (DivideAlmost(scaled, shift) + x_start_plus_1) & ~1;
    }
    twice_sum += Shifted(*x++, 20);
    const int32_t scaled_sum = MultiplyHighRounded(twice_sum, sum_multiplier);
    *output = HalfAsInt8(DivideAlmost(scaled_sum, sum_shift) + zero);
  }
}

}  // namespace

void RunResidualAdd(const ResidualAdd& layer, const int8_t* x, const int8_t* y, int32_t count,
                    int8_t* output) {
  const bool x_is_half = IsHalf(layer.x), y_is_half = IsHalf(layer.y);
  if (!IsDivided(layer.sum) || !(x_is_half || y_is_half) || !(x_is_half || IsDivided(layer.x)) ||
      !(y_is_half || IsDivided(layer.y))) {
    return RunResidualAddPortable(layer, x, y, count, output);
  }
  if (x_is_half && y_is_half) {
    AddToHalf<true>(layer, x, y, count, output);
  } else if (x_is_half) {
    AddToHalf<false>(layer, x, y, count, output);
  } else {
    ResidualAdd swapped = layer;
    swapped.x_zero_point = layer.y_zero_point;
    swapped.y_zero_point = layer.x_zero_point;
    swapped.x = layer.y;
    swapped.y = layer.x;
    AddToHalf<false>(swapped, y, x, count, output);
  }
  ClampOutput(layer.range, count, output);
}

}  // namespace rnnpool

#endif  // RNNPOOL_USE_DSP

// Integer operations that the int8 cells share.

#ifndef RNNPOOL_FIXED_POINT_H_
#define RNNPOOL_FIXED_POINT_H_

#include <stdint.h>

#include "rnnpool/tables.h"

namespace rnnpool {

// Saturates to a signed integer of `bits` bits. `value >> n` below is an arithmetic shift, which
// C++11 leaves to the implementation and every supported compiler provides.
inline int32_t SaturateBits(int32_t value, int bits) {
  const int32_t largest = static_cast<int32_t>((uint32_t(1) << (bits - 1)) - 1);
  return value > largest ? largest : value < -largest - 1 ? -largest - 1 : value;
}

inline int32_t Saturate32(int64_t value) {
  return value > INT32_MAX   ? INT32_MAX
         : value < INT32_MIN ? INT32_MIN
                             : static_cast<int32_t>(value);
}

// sum of weights[i] * (values[i] - zero_point). Weights and values are int8 or int16.
template <typename Weight, typename Value>
inline int32_t DotProduct(const Weight* weights, const Value* values, int32_t zero_point,
                          int32_t count) {
  int32_t sum = 0;
  for (int32_t i = 0; i < count; ++i) sum += weights[i] * (values[i] - zero_point);
  return sum;
}

// The gates of one unit, from their Q26 arguments.
struct Gates {
  int32_t minus_keep;  // -z in Q17
  int32_t candidate;   // c in Q15
};

// The entry of a table of 2^bits for a value counted from the table's middle, or the nearest there
// is. Seldom beyond its ends, so one comparison serves both.
inline uint32_t TableIndex(int32_t value, int bits) {
  const uint32_t size = uint32_t(1) << bits;
  uint32_t index = static_cast<uint32_t>(value) + size / 2;
  if (index >= size) index = value < 0 ? 0 : size - 1;
  return index;
}

// Sigmoid and tanh. A step of the sigmoid's table is 1/128, of tanh's 1/512; both tables are
// addressed from their middle.
struct SmoothGates {
  static Gates Of(int32_t gate_q26, int32_t candidate_q26) {
    Gates gates;
    gates.minus_keep = kMinusSigmoidQ17[TableIndex(gate_q26 >> 19, 11)];
    gates.candidate = kTanhQ15[TableIndex(candidate_q26 >> 17, 12)];
    return gates;
  }
};

// The gate's argument is x + 1; half of it in Q17, clipped to what that holds of 0..1.
struct PiecewiseLinearGates {
  static Gates Of(int32_t gate_q26, int32_t candidate_q26) {
    const int32_t largest = (int32_t(1) << 17) - 1;
    int32_t keep = gate_q26 >> 10;
    keep = keep < largest ? keep : largest;
    keep = keep > 0 ? keep : 0;
    const Gates gates = {-keep, SaturateBits(candidate_q26 >> 11, 16)};
    return gates;
  }
};

// h' = c - z (c - h) in Q15. (c - h) is halved first so that it fits 16 bits, which together with
// z in Q17 makes this one SMLAWB on a Cortex-M4. Both roundings are downwards and 0 <= z < 1, so h'
// never leaves the range between h and c, however long the sweep: |h'| <= max |tanh entry| = 32746,
// or with piecewise linear gates the range of int16.
inline int16_t UpdateState(const Gates& gates, int32_t state) {
  const int32_t half = (gates.candidate - state) >> 1;
  const int64_t product = static_cast<int64_t>(gates.minus_keep) * half;
  return static_cast<int16_t>(gates.candidate + static_cast<int32_t>(product >> 16));
}

}  // namespace rnnpool

#endif  // RNNPOOL_FIXED_POINT_H_

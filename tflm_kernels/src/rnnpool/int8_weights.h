// The quantised weights and inputs of one FastGRNN cell, as they stand in a model.

#ifndef RNNPOOL_INT8_WEIGHTS_H_
#define RNNPOOL_INT8_WEIGHTS_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/gates_kind.h"

namespace rnnpool {

// Real value = values[r][i] * scale of row r. One scale per row, or one for all rows. Values may be
// packed, which takes `packed_bytes` bytes (int8_packed.h); 0: they are not.
struct Int8Matrix {
  const int8_t* values;
  const float* scales;
  int32_t scale_count;
  size_t packed_bytes;

  double RowScale(int32_t row) const { return scales[scale_count == 1 ? 0 : row]; }
};

// What is added to a gate's argument, Q26: piecewise linear gates take x + 1, and with the 1 in the
// bias no step has to add it.
inline int64_t GateBias(int32_t bias_gate, GatesKind gates) {
  return bias_gate + (gates == GatesKind::kPiecewiseLinear ? int64_t(1) << 26 : 0);
}

// Rows are units: kernel [units][inputs], recurrent [units][units]. Biases in Q26.
struct Int8CellWeights {
  int32_t inputs;
  int32_t units;
  Int8Matrix kernel;
  Int8Matrix recurrent;
  const int32_t* bias_gate;
  const int32_t* bias_update;
  GatesKind gates;

  int64_t count() const { return static_cast<int64_t>(units) * (int64_t(inputs) + units); }

  int64_t BiasDifference(int32_t row) const {
    return bias_update[row] - GateBias(bias_gate[row], gates);
  }
};

// What a cell is fed with: real value = (v - zero_point) * unit, |v - zero_point| <= largest.
struct Int8CellInput {
  double unit;
  int32_t zero_point;
  int32_t largest;
  bool pixels;  // v is int8, not int16
};

// The pixels of an int8 map, for the first cell.
inline Int8CellInput PixelInput(float scale, int32_t zero_point) {
  const int32_t below = 128 + zero_point;
  const int32_t above = 127 - zero_point;
  const Int8CellInput input = {static_cast<double>(scale), zero_point,
                               below > above ? below : above, true};
  return input;
}

// The Q15 states of the first cell, for the second.
inline Int8CellInput StateInput() {
  const Int8CellInput input = {1.0 / 32768.0, 0, 32768, false};
  return input;
}

}  // namespace rnnpool

#endif  // RNNPOOL_INT8_WEIGHTS_H_

// The int8 cell with weights widened to int16 and rescaled to powers of two, so that nothing but
// multiply-accumulates and table look-ups is left in the loop. For small cells.
//
// With m_r = (scale of W's row r) * (unit of the input), and "round" to nearest, halves away from
// zero:
//   W in Q(e) of the input's unit    w16 = round(q m_r 2^e)
//   U in Q11                         u16 = round(q s_r 2^11)
//   bias in Q(e)                     b_e = (bias_gate + 2^(n-1)) >> n, with n = 26 - e
//   product, Q26                     wx = saturate(b_e + sum w16 (v - z), 31 - n bits) << n
//   gate argument, Q26               gate = wx + sum u16 h
//   candidate argument, Q26          cand = gate + (bias_update - bias_gate)
// e is the largest of 0..26 for which every w16 fits int16 and no sum for wx leaves int32.

#ifndef RNNPOOL_INT8_WIDENED_H_
#define RNNPOOL_INT8_WIDENED_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/int8_weights.h"

namespace rnnpool {

class Int8WidenedCell {
 public:
  // Cells of more weights than this stay int8.
  static const int64_t kMaxWeights = 2048;

  // Searches e and proves that int32 holds every sum, whatever the input. False: use the compact
  // form. *shift receives n.
  static bool Prove(const Int8CellWeights& weights, const Int8CellInput& input, int32_t* shift);

  // Bytes that Build writes: bias [units] and bias difference [units] in int32; W [units][inputs]
  // and U [units][units] in int16, each row padded with a zero to an even length, so that rows can
  // be read as aligned pairs.
  static size_t PersistentBytes(const Int8CellWeights& weights);

  // Fills `persistent` (aligned to 4 bytes), which must outlive the cell. Call only after Prove.
  void Build(const Int8CellWeights& weights, const Int8CellInput& input, int32_t shift,
             void* persistent);

  int32_t units() const { return units_; }

  // Product of one vector of pixels (int8_t) or states (int16_t); nullptr: of zeros.
  template <typename Value>
  void Project(const Value* vector, int32_t* product) const;

  void Start(const int32_t* product, int16_t* state) const;
  void Step(const int32_t* product, int16_t* state, int32_t* workspace) const;

 private:
  int32_t inputs_;
  int32_t units_;
  int32_t zero_point_;
  int32_t shift_;                   // n
  const int32_t* bias_;             // b_e
  const int32_t* bias_difference_;  // bias_update - bias_gate
  const int16_t* kernel_;
  const int16_t* recurrent_;
};

}  // namespace rnnpool

#endif  // RNNPOOL_INT8_WIDENED_H_

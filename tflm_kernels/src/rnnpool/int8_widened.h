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
// With piecewise linear gates bias_gate + 1.0 takes the place of bias_gate (GateBias).
// e is the largest of 0..26 for which every w16 fits int16 and no sum for wx leaves int32.
// int8_widened_portable.cpp computes this in C++, int8_widened_dsp.cpp with dsp_routines.h.

#ifndef RNNPOOL_INT8_WIDENED_H_
#define RNNPOOL_INT8_WIDENED_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/cell_loops.h"
#include "rnnpool/int8_weights.h"
#include "rnnpool/int8_widened_layout.h"

namespace rnnpool {

class Int8WidenedCell {
 public:
  // Cells of more weights than this stay int8.
  static const int64_t kMaxWeights = 2048;

  // Searches e and proves that int32 holds every sum, whatever the input. False: use the compact
  // form. *shift receives n.
  static bool Prove(const Int8CellWeights& weights, const Int8CellInput& input, int32_t* shift);

  // Bytes that Build writes; see int8_widened_layout.h.
  static size_t PersistentBytes(const Int8CellWeights& weights, const Int8CellInput& input);

  // Fills `persistent` (aligned to 4 bytes), which must outlive the cell. Call only after Prove.
  void Build(const Int8CellWeights& weights, const Int8CellInput& input, int32_t shift,
             void* persistent);

  int32_t units() const { return layout_.units; }

  // See int8_cell.h. Only the one that fits the cell's input may be called.
  void Project(const int8_t* pixels, int32_t pitch, int32_t count, int32_t* products) const;
  void Project(const int16_t* states, int32_t pitch, int32_t count, int32_t* products) const;

  // The product of a vector of real value 0.
  void ProjectZero(int32_t* product) const;

  // See cell_loops.h.
  void Sequences(const int32_t* products, const SequenceBatch& batch, int16_t* states,
                 int32_t* workspace) const;
  void Advance(const int32_t* products, int32_t count, bool fresh, int16_t* states,
               int32_t* workspace) const;

 private:
  int32_t BiasOf(int32_t row) const;

  WidenedLayout layout_;
  int32_t zero_point_;
  int32_t shift_;        // n
  bool saturates_;       // some product may
  GatesKind gates_;
  const int16_t* data_;  // laid out by layout_; biases include -z sum w16
};

}  // namespace rnnpool

#endif  // RNNPOOL_INT8_WIDENED_H_

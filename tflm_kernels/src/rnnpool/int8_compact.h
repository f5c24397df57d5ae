// The int8 cell with its weights left where they are, in flash, dense or packed. For cells too
// large, or with scales too extreme, for the widened form.
//
// A real factor f > 0 is applied as a multiplier M in [2^30, 2^31) and a shift s in 1..62:
//   f ~ M 2^-s,  rq(a) = saturate32((a M + 2^(s-1)) >> s)
//   product, Q26                     wx = saturate(rq(sum q (v - z)) + bias_gate, 31 bits)
//   gate argument, Q26               gate = saturate32(wx + rq(sum q h))
//   candidate argument, Q26          cand = saturate32(gate + saturate32(bias_update - bias_gate))
// With piecewise linear gates bias_gate + 1.0 takes the place of bias_gate (GateBias).
// with f = (scale of W's row) (unit of the input) 2^26, and (scale of U's row) 2^11.

#ifndef RNNPOOL_INT8_COMPACT_H_
#define RNNPOOL_INT8_COMPACT_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/cell_loops.h"
#include "rnnpool/int8_packed.h"
#include "rnnpool/int8_weights.h"

namespace rnnpool {

class Int8CompactCell {
 public:
  // Returns nullptr when every int8 weight and every input keeps the sums inside int32 and all
  // scales can be applied, or a sentence.
  static const char* Prove(const Int8CellWeights& weights, const Int8CellInput& input);

  // Bytes that Build writes: per row the multipliers of W and U and the bias difference in int32,
  // then the shifts of W and U in int8; rounded up to a multiple of 4.
  static size_t PersistentBytes(const Int8CellWeights& weights);

  // Words of workspace that Project needs: with a packed kernel, vectors as that reads them.
  static int32_t WorkspaceWords(const Int8CellWeights& weights);

  // Fills `persistent` (aligned to 4 bytes). It and the weights must outlive the cell. Call only
  // after Prove.
  void Build(const Int8CellWeights& weights, const Int8CellInput& input, void* persistent);

  int32_t units() const { return units_; }

  // See int8_cell.h.
  void Project(const int8_t* pixels, int32_t pitch, int32_t count, int32_t* products,
               int32_t* workspace) const;
  void Project(const int16_t* states, int32_t pitch, int32_t count, int32_t* products,
               int32_t* workspace) const;

  // The product of a vector of real value 0.
  void ProjectZero(int32_t* product) const;

  // See cell_loops.h.
  void Sequences(const int32_t* products, const SequenceBatch& batch, int16_t* states,
                 int32_t* workspace) const;
  void Advance(const int32_t* products, int32_t count, bool fresh, int16_t* states,
               int32_t* workspace) const;

 private:
  template <class AllGates>
  class Stepper;

  template <typename Value>
  void ProjectVectors(const Value* vectors, int32_t pitch, int32_t count, int32_t* products) const;
  template <typename Value>
  void ProjectPacked(const Value* vectors, int32_t pitch, int32_t count, int32_t* products,
                     int32_t* workspace) const;
  // From the sums of a vector.
  void FinishProduct(int32_t* product) const;
  void MultiplyRecurrent(const int16_t* state, int32_t* sums) const;

  int32_t inputs_;
  int32_t units_;
  int32_t zero_point_;
  const int8_t* kernel_;  // dense or packed
  const int8_t* recurrent_;
  const int32_t* bias_gate_;
  const int32_t* bias_difference_;
  const int32_t* kernel_multiplier_;
  const int32_t* recurrent_multiplier_;
  const int8_t* kernel_shift_;  // those of the recurrent matrix follow
  bool kernel_packed_;
  bool recurrent_packed_;
  GatesKind gates_;
};

}  // namespace rnnpool

#endif  // RNNPOOL_INT8_COMPACT_H_

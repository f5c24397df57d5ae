// The FastGRNN cell in float32.
//
//   a = W v + U h,  g = sigmoid(a + bias_gate),  c = tanh(a + bias_update)
//   h' = g h + (zeta (1 - g) + nu) c
//
// With piecewise linear gates:
//   g = clip((a + bias_gate + 1) / 2, 0, 1),  c = clip(a + bias_update, -1, 1)

#ifndef RNNPOOL_FLOAT_CELL_H_
#define RNNPOOL_FLOAT_CELL_H_

#include <stdint.h>

#include "rnnpool/cell_loops.h"
#include "rnnpool/gates_kind.h"

namespace rnnpool {

// Points at its weights, which must outlive it. Rows are units: kernel [units][inputs], recurrent
// [units][units].
class FloatCell {
 public:
  int32_t inputs;
  int32_t units;
  const float* kernel;
  const float* recurrent;
  const float* bias_gate;
  const float* bias_update;
  float zeta;  // after the sigmoid; 1 in the paper
  float nu;    // after the sigmoid; 0 in the paper
  GatesKind gates;

  // products[i][r] = W v_i for `count` vectors that lie input_pitch elements apart. No workspace is
  // needed.
  void Project(const float* vectors, int32_t input_pitch, int32_t count, float* products,
               float* workspace) const;

  // The products of `count` zero vectors.
  void ProjectZeros(int32_t count, float* products) const;

  // See cell_loops.h.
  void Sequences(const float* products, const SequenceBatch& batch, float* states,
                 float* workspace) const;
  void Advance(const float* products, int32_t count, bool fresh, float* states,
               float* workspace) const;
};

}  // namespace rnnpool

#endif  // RNNPOOL_FLOAT_CELL_H_

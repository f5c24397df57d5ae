#include "rnnpool/float_cell.h"

#include <math.h>

#include "rnnpool/cell_loops.h"
#include "rnnpool/float_cell_avx2.h"

namespace rnnpool {
namespace {

// Not-a-numbers pass.
float Clip(float value, float smallest, float largest) {
  return value < smallest ? smallest : value > largest ? largest : value;
}

struct SmoothGates {
  static float Gate(float x) { return 1.0f / (1.0f + expf(-x)); }
  static float Candidate(float x) { return tanhf(x); }
};

struct PiecewiseLinearGates {
  static float Gate(float x) { return Clip((x + 1.0f) * 0.5f, 0.0f, 1.0f); }
  static float Candidate(float x) { return Clip(x, -1.0f, 1.0f); }
};

template <class Gates>
class Stepper {
 public:
  explicit Stepper(const FloatCell& cell) : cell_(cell) {}

  int32_t units() const { return cell_.units; }

  void Start(const float* product, float* state) const {
    for (int32_t r = 0; r < cell_.units; ++r) state[r] = Update(r, product[r], 0.0f);
  }

  void Step(const float* product, float* state, float* workspace) const {
    const float* row = cell_.recurrent;
    for (int32_t r = 0; r < cell_.units; ++r) {
      // Summed by itself: fewer roundings at the size of the product.
      float sum = 0.0f;
      for (int32_t i = 0; i < cell_.units; ++i) sum += row[i] * state[i];
      workspace[r] = product[r] + sum;
      row += cell_.units;
    }
    for (int32_t r = 0; r < cell_.units; ++r) state[r] = Update(r, workspace[r], state[r]);
  }

 private:
  float Update(int32_t r, float a, float state) const {
    const float gate = Gates::Gate(a + cell_.bias_gate[r]);
    const float candidate = Gates::Candidate(a + cell_.bias_update[r]);
    return gate * state + (cell_.zeta * (1.0f - gate) + cell_.nu) * candidate;
  }

  const FloatCell& cell_;
};

}  // namespace

void FloatCell::Project(const float* vectors, int32_t input_pitch, int32_t count,
                        float* products, float*) const {
#if RNNPOOL_USE_AVX2
  if (Avx2Project(*this, vectors, input_pitch, count, products)) return;
#endif
  for (int32_t n = 0; n < count; ++n) {
    const float* row = kernel;
    for (int32_t r = 0; r < units; ++r) {
      float sum = 0.0f;
      for (int32_t i = 0; i < inputs; ++i) sum += row[i] * vectors[i];
      products[r] = sum;
      row += inputs;
    }
    vectors += input_pitch;
    products += units;
  }
}

void FloatCell::ProjectZeros(int32_t count, float* products) const {
  for (int32_t i = 0; i < count * units; ++i) products[i] = 0.0f;
}

void FloatCell::Sequences(const float* products, const SequenceBatch& batch, float* states,
                          float* workspace) const {
#if RNNPOOL_USE_AVX2
  if (Avx2Sequences(*this, products, batch, states)) return;
#endif
  if (gates == GatesKind::kSmooth) {
    WalkSequences(Stepper<SmoothGates>(*this), products, batch, states, workspace);
  } else {
    WalkSequences(Stepper<PiecewiseLinearGates>(*this), products, batch, states, workspace);
  }
}

void FloatCell::Advance(const float* products, int32_t count, bool fresh, float* states,
                        float* workspace) const {
#if RNNPOOL_USE_AVX2
  const SequenceBatch one_step = {0, 1, units, count, fresh};
  if (Avx2Sequences(*this, products, one_step, states)) return;
#endif
  if (gates == GatesKind::kSmooth) {
    AdvanceCells(Stepper<SmoothGates>(*this), products, count, fresh, states, workspace);
  } else {
    AdvanceCells(Stepper<PiecewiseLinearGates>(*this), products, count, fresh, states, workspace);
  }
}

}  // namespace rnnpool

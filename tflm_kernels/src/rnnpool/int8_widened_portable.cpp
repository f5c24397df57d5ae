// The widened cell in portable C++: the readable counterpart of int8_widened_dsp.cpp and of
// int8_widened_avx2.cpp, which takes over at run time where the processor has AVX2.

#include "rnnpool/int8_path.h"

#if !RNNPOOL_USE_DSP

#include "rnnpool/cell_loops.h"
#include "rnnpool/fixed_point.h"
#include "rnnpool/int8_widened.h"
#include "rnnpool/int8_widened_avx2.h"
#include "rnnpool/portable_loops.h"

// Microcontrollers gain from unrolled loops, which compilers leave alone below -O3. Processors with
// vector instructions are better off with loops that can be vectorised.
#if defined(__GNUC__) && __GNUC__ >= 8 && !defined(__clang__) && !defined(__SSE2__) && \
    !defined(__ARM_NEON)
#define RNNPOOL_UNROLL _Pragma("GCC unroll 16")
#else
#define RNNPOOL_UNROLL
#endif

namespace rnnpool {
namespace {

// sums[r] = start[r] + sum of weights[r][i] values[i]. Four rows share the loads of the values. The
// usual lengths are constants here, so that compilers unroll or vectorise; kCount is 0 for others.
template <int32_t kCount, typename Value>
void MultiplyRows(const int16_t* weights, const Value* values, const int32_t* start, int32_t rows,
                  int32_t count, int32_t* sums) {
  if (kCount != 0) count = kCount;
  const int32_t pitch = EvenLength(count);
  int32_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const int16_t* row0 = weights + r * pitch;
    const int16_t* row1 = row0 + pitch;
    const int16_t* row2 = row1 + pitch;
    const int16_t* row3 = row2 + pitch;
    int32_t sum0 = start[r], sum1 = start[r + 1], sum2 = start[r + 2], sum3 = start[r + 3];
    RNNPOOL_UNROLL
    for (int32_t i = 0; i < count; ++i) {
      const int32_t value = values[i];
      sum0 += row0[i] * value;
      sum1 += row1[i] * value;
      sum2 += row2[i] * value;
      sum3 += row3[i] * value;
    }
    sums[r] = sum0;
    sums[r + 1] = sum1;
    sums[r + 2] = sum2;
    sums[r + 3] = sum3;
  }
  for (; r < rows; ++r) sums[r] = start[r] + DotProduct(weights + r * pitch, values, 0, count);
}

template <typename Value>
void MultiplyAnyRows(const int16_t* weights, const Value* values, const int32_t* start,
                     int32_t rows, int32_t count, int32_t* sums) {
  switch (count) {
    case 4:
      return MultiplyRows<4>(weights, values, start, rows, count, sums);
    case 8:
      return MultiplyRows<8>(weights, values, start, rows, count, sums);
    case 16:
      return MultiplyRows<16>(weights, values, start, rows, count, sums);
    default:
      return MultiplyRows<0>(weights, values, start, rows, count, sums);
  }
}

template <typename Value>
void ProjectVectors(const int16_t* kernel, const int32_t* bias, int32_t units, int32_t inputs,
                    int32_t shift, const Value* vectors, int32_t pitch, int32_t count,
                    int32_t* products) {
  const int32_t unit = int32_t(1) << shift;
  for (int32_t n = 0; n < count; ++n) {
    MultiplyAnyRows(kernel, vectors, bias, units, inputs, products);
    for (int32_t r = 0; r < units; ++r) products[r] = SaturateBits(products[r], 31 - shift) * unit;
    vectors += pitch;
    products += units;
  }
}

template <class AllGates>
class Stepper {
 public:
  Stepper(const int32_t* bias_difference, const int16_t* recurrent, int32_t units)
      : bias_difference_(bias_difference), recurrent_(recurrent), units_(units) {}

  int32_t units() const { return units_; }

  void Start(const int32_t* product, int16_t* state) const {
    for (int32_t r = 0; r < units_; ++r) {
      state[r] = UpdateState(AllGates::Of(product[r], product[r] + bias_difference_[r]), 0);
    }
  }

  void Step(const int32_t* product, int16_t* state, int32_t* workspace) const {
    MultiplyAnyRows(recurrent_, state, product, units_, units_, workspace);
    for (int32_t r = 0; r < units_; ++r) {
      const int32_t gate = workspace[r];
      state[r] = UpdateState(AllGates::Of(gate, gate + bias_difference_[r]), state[r]);
    }
  }

 private:
  const int32_t* bias_difference_;
  const int16_t* recurrent_;
  int32_t units_;
};

template <class AllGates>
Stepper<AllGates> StepperOf(const WidenedLayout& layout, const int16_t* data) {
  return Stepper<AllGates>(reinterpret_cast<const int32_t*>(data + layout.Difference(0)),
                 data + layout.Recurrent(0, 0), layout.units);
}

}  // namespace

void Int8WidenedCell::Project(const int8_t* pixels, int32_t pitch, int32_t count,
                              int32_t* products) const {
#if RNNPOOL_USE_AVX2
  if (Avx2Project(layout_, data_, shift_, pixels, pitch, count, products)) return;
#endif
  ProjectVectors(data_ + layout_.Kernel(0, 0),
                 reinterpret_cast<const int32_t*>(data_ + layout_.Bias(0)), layout_.units,
                 layout_.inputs, shift_, pixels, pitch, count, products);
}

void Int8WidenedCell::Project(const int16_t* states, int32_t pitch, int32_t count,
                              int32_t* products) const {
#if RNNPOOL_USE_AVX2
  if (Avx2Project(layout_, data_, shift_, states, pitch, count, products)) return;
#endif
  ProjectVectors(data_ + layout_.Kernel(0, 0),
                 reinterpret_cast<const int32_t*>(data_ + layout_.Bias(0)), layout_.units,
                 layout_.inputs, shift_, states, pitch, count, products);
}

void Int8WidenedCell::Sequences(const int32_t* products, const SequenceBatch& batch,
                                int16_t* states, int32_t* workspace) const {
#if RNNPOOL_USE_AVX2
  if (Avx2Sequences(layout_, data_, gates_, products, batch, states)) return;
#endif
  if (gates_ == GatesKind::kSmooth) {
    WalkSequences(StepperOf<SmoothGates>(layout_, data_), products, batch, states, workspace);
  } else {
    WalkSequences(StepperOf<PiecewiseLinearGates>(layout_, data_), products, batch, states,
                  workspace);
  }
}

void Int8WidenedCell::Advance(const int32_t* products, int32_t count, bool fresh, int16_t* states,
                              int32_t* workspace) const {
#if RNNPOOL_USE_AVX2
  const SequenceBatch one_step = {0, 1, layout_.units, count, fresh};
  if (Avx2Sequences(layout_, data_, gates_, products, one_step, states)) return;
#endif
  if (gates_ == GatesKind::kSmooth) {
    AdvanceCells(StepperOf<SmoothGates>(layout_, data_), products, count, fresh, states, workspace);
  } else {
    AdvanceCells(StepperOf<PiecewiseLinearGates>(layout_, data_), products, count, fresh, states,
                 workspace);
  }
}

}  // namespace rnnpool

#endif  // !RNNPOOL_USE_DSP

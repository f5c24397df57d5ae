#include "rnnpool/int8_compact.h"

#include <math.h>
#include <string.h>

#include "rnnpool/cell_loops.h"
#include "rnnpool/fixed_point.h"
#include "rnnpool/int8_rows.h"

namespace rnnpool {
namespace {

const int64_t kInt32Limit = int64_t(1) << 31;
const int64_t kLargestWeight = 128;
const int64_t kLargestState = 32768;

double KernelFactor(const Int8CellWeights& weights, const Int8CellInput& input, int32_t row) {
  return weights.kernel.RowScale(row) * input.unit * (1 << 26);
}

double RecurrentFactor(const Int8CellWeights& weights, int32_t row) {
  return weights.recurrent.RowScale(row) * (1 << 11);
}

// False when the factor has no shift in 1..62.
bool SplitFactor(double factor, int32_t* multiplier, int8_t* shift) {
  int exponent;
  const double mantissa = frexp(factor, &exponent);
  int64_t scaled = static_cast<int64_t>(round(mantissa * 2147483648.0));
  if (scaled == kInt32Limit) {
    scaled /= 2;
    exponent += 1;
  }
  if (exponent < 31 - 62 || exponent > 31 - 1) return false;
  *multiplier = static_cast<int32_t>(scaled);
  *shift = static_cast<int8_t>(31 - exponent);
  return true;
}

int32_t ApplyFactor(int32_t value, int32_t multiplier, int8_t shift) {
  const int64_t half = int64_t(1) << (shift - 1);
  return Saturate32((static_cast<int64_t>(value) * multiplier + half) >> shift);
}

// To 31 bits.
int32_t SaturateProduct(int64_t value) {
  const int32_t limit = int32_t(1) << 30;
  return static_cast<int32_t>(value > limit - 1 ? limit - 1 : value < -limit ? -limit : value);
}

template <class AllGates>
int16_t Update(int32_t gate, int32_t bias_difference, int32_t state) {
  const int32_t candidate = Saturate32(static_cast<int64_t>(gate) + bias_difference);
  return UpdateState(AllGates::Of(gate, candidate), state);
}

}  // namespace

template <class AllGates>
class Int8CompactCell::Stepper {
 public:
  explicit Stepper(const Int8CompactCell& cell) : cell_(cell) {}

  int32_t units() const { return cell_.units_; }

  void Start(const int32_t* product, int16_t* state) const {
    for (int32_t r = 0; r < cell_.units_; ++r) {
      state[r] = Update<AllGates>(product[r], cell_.bias_difference_[r], 0);
    }
  }

  void Step(const int32_t* product, int16_t* state, int32_t* workspace) const {
    cell_.MultiplyRecurrent(state, workspace);
    const int8_t* const shifts = cell_.kernel_shift_ + cell_.units_;
    for (int32_t r = 0; r < cell_.units_; ++r) {
      const int32_t recurrent =
          ApplyFactor(workspace[r], cell_.recurrent_multiplier_[r], shifts[r]);
      const int32_t gate = Saturate32(static_cast<int64_t>(product[r]) + recurrent);
      state[r] = Update<AllGates>(gate, cell_.bias_difference_[r], state[r]);
    }
  }

 private:
  const Int8CompactCell& cell_;
};

const char* Int8CompactCell::Prove(const Int8CellWeights& weights, const Int8CellInput& input) {
  if (weights.inputs * kLargestWeight * input.largest >= kInt32Limit ||
      weights.units * kLargestWeight * kLargestState >= kInt32Limit) {
    return "The accumulator may overflow: a cell has too many inputs or units.";
  }
  for (int32_t r = 0; r < weights.units; ++r) {
    int32_t multiplier;
    int8_t shift;
    if (!SplitFactor(KernelFactor(weights, input, r), &multiplier, &shift) ||
        !SplitFactor(RecurrentFactor(weights, r), &multiplier, &shift)) {
      return "A scale is out of range.";
    }
  }
  return nullptr;
}

size_t Int8CompactCell::PersistentBytes(const Int8CellWeights& weights) {
  const size_t units = static_cast<size_t>(weights.units);
  return (units * (3 * sizeof(int32_t) + 2 * sizeof(int8_t)) + 3) / 4 * 4;
}

int32_t Int8CompactCell::WorkspaceWords(const Int8CellWeights& weights) {
  return weights.kernel.packed_bytes == 0 ? 0 : kPackedVectors * PairsOf(weights.inputs);
}

void Int8CompactCell::Build(const Int8CellWeights& weights, const Int8CellInput& input,
                            void* persistent) {
  int32_t* kernel_multiplier = static_cast<int32_t*>(persistent);
  int32_t* recurrent_multiplier = kernel_multiplier + weights.units;
  int32_t* difference = recurrent_multiplier + weights.units;
  int8_t* kernel_shift = reinterpret_cast<int8_t*>(difference + weights.units);
  int8_t* recurrent_shift = kernel_shift + weights.units;
  for (int32_t r = 0; r < weights.units; ++r) {
    SplitFactor(KernelFactor(weights, input, r), &kernel_multiplier[r], &kernel_shift[r]);
    SplitFactor(RecurrentFactor(weights, r), &recurrent_multiplier[r], &recurrent_shift[r]);
    difference[r] = Saturate32(weights.BiasDifference(r));
  }
  inputs_ = weights.inputs;
  units_ = weights.units;
  zero_point_ = input.zero_point;
  kernel_ = weights.kernel.values;
  recurrent_ = weights.recurrent.values;
  kernel_packed_ = weights.kernel.packed_bytes != 0;
  recurrent_packed_ = weights.recurrent.packed_bytes != 0;
  bias_gate_ = weights.bias_gate;
  bias_difference_ = difference;
  kernel_multiplier_ = kernel_multiplier;
  recurrent_multiplier_ = recurrent_multiplier;
  kernel_shift_ = kernel_shift;
  gates_ = weights.gates;
}

void Int8CompactCell::FinishProduct(int32_t* product) const {
  for (int32_t r = 0; r < units_; ++r) {
    product[r] = SaturateProduct(GateBias(bias_gate_[r], gates_) +
                                 ApplyFactor(product[r], kernel_multiplier_[r], kernel_shift_[r]));
  }
}

void Int8CompactCell::MultiplyRecurrent(const int16_t* state, int32_t* sums) const {
  if (!recurrent_packed_) {
    MultiplyInt8Matrix(recurrent_, state, 0, units_, units_, sums);
  } else {
    memset(sums, 0, sizeof(int32_t) * static_cast<size_t>(units_));
    MultiplyPacked(CheckedPacked(recurrent_, units_, units_), state, 1, sums);
  }
}

template <typename Value>
void Int8CompactCell::ProjectVectors(const Value* vectors, int32_t pitch, int32_t count,
                                     int32_t* products) const {
  for (int32_t n = 0; n < count; ++n) {
    MultiplyInt8Matrix(kernel_, vectors, zero_point_, units_, inputs_, products);
    FinishProduct(products);
    vectors += pitch;
    products += units_;
  }
}

template <typename Value>
void Int8CompactCell::ProjectPacked(const Value* vectors, int32_t pitch, int32_t count,
                                    int32_t* products, int32_t* workspace) const {
  const PackedMatrix kernel = CheckedPacked(kernel_, units_, inputs_);
  int16_t* pairs = reinterpret_cast<int16_t*>(workspace);
  while (count > 0) {
    const int32_t now = count < kPackedVectors ? count : kPackedVectors;
    LayOutPairs(vectors, pitch, now, zero_point_, inputs_, pairs);
    memset(products, 0, sizeof(int32_t) * static_cast<size_t>(now) * units_);
    MultiplyPacked(kernel, pairs, now, products);
    for (int32_t n = 0; n < now; ++n, products += units_) FinishProduct(products);
    vectors += now * pitch;
    count -= now;
  }
}

void Int8CompactCell::Project(const int8_t* pixels, int32_t pitch, int32_t count,
                              int32_t* products, int32_t* workspace) const {
  if (!kernel_packed_) {
    ProjectVectors(pixels, pitch, count, products);
  } else {
    ProjectPacked(pixels, pitch, count, products, workspace);
  }
}

void Int8CompactCell::Project(const int16_t* states, int32_t pitch, int32_t count,
                              int32_t* products, int32_t* workspace) const {
  if (!kernel_packed_) {
    ProjectVectors(states, pitch, count, products);
  } else {
    ProjectPacked(states, pitch, count, products, workspace);
  }
}

void Int8CompactCell::ProjectZero(int32_t* product) const {
  for (int32_t r = 0; r < units_; ++r) {
    product[r] = SaturateProduct(GateBias(bias_gate_[r], gates_));
  }
}

void Int8CompactCell::Sequences(const int32_t* products, const SequenceBatch& batch,
                                int16_t* states, int32_t* workspace) const {
  if (gates_ == GatesKind::kSmooth) {
    WalkSequences(Stepper<SmoothGates>(*this), products, batch, states, workspace);
  } else {
    WalkSequences(Stepper<PiecewiseLinearGates>(*this), products, batch, states, workspace);
  }
}

void Int8CompactCell::Advance(const int32_t* products, int32_t count, bool fresh, int16_t* states,
                              int32_t* workspace) const {
  if (gates_ == GatesKind::kSmooth) {
    AdvanceCells(Stepper<SmoothGates>(*this), products, count, fresh, states, workspace);
  } else {
    AdvanceCells(Stepper<PiecewiseLinearGates>(*this), products, count, fresh, states, workspace);
  }
}

}  // namespace rnnpool

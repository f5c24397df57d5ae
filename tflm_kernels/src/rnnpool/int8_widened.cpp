#include "rnnpool/int8_widened.h"

#include <math.h>

#include "rnnpool/fixed_point.h"

namespace rnnpool {
namespace {

const int64_t kInt32Limit = int64_t(1) << 31;
const int32_t kRecurrentFraction = 11;
const int32_t kBiasFraction = 26;
const int64_t kLargestState = 32768;

int32_t EvenLength(int32_t length) { return (length + 1) & ~1; }

// round(q * factor). The product of an int8 and a product of two floats is rounded once by
// double's 53 bits, on every machine with IEEE doubles; there is no addition to be contracted.
double Rescale(int8_t q, double factor) { return round(q * factor); }

bool FitsInt16(double value) { return value >= -32767.0 && value <= 32767.0; }

int64_t Magnitude(int64_t value) { return value < 0 ? -value : value; }

double KernelFactor(const Int8CellWeights& weights, const Int8CellInput& input, int32_t row,
                    int32_t shift) {
  return weights.kernel.RowScale(row) * input.unit * ldexp(1.0, kBiasFraction - shift);
}

double RecurrentFactor(const Int8CellWeights& weights, int32_t row) {
  return weights.recurrent.RowScale(row) * (1 << kRecurrentFraction);
}

int32_t ShiftedBias(int32_t bias, int32_t shift) {
  const int64_t half = shift > 0 ? int64_t(1) << (shift - 1) : 0;
  return static_cast<int32_t>((bias + half) >> shift);
}

// Adds up |round(q factor)| over a row. False when one of them does not fit int16.
bool SumMagnitudes(const int8_t* row, int32_t count, double factor, int64_t* sum) {
  *sum = 0;
  for (int32_t i = 0; i < count; ++i) {
    const double value = Rescale(row[i], factor);
    if (!FitsInt16(value)) return false;
    *sum += Magnitude(static_cast<int64_t>(value));
  }
  return true;
}

bool KernelFits(const Int8CellWeights& weights, const Int8CellInput& input, int32_t shift) {
  for (int32_t r = 0; r < weights.units; ++r) {
    int64_t sum;
    if (!SumMagnitudes(weights.kernel.values + r * weights.inputs, weights.inputs,
                       KernelFactor(weights, input, r, shift), &sum)) {
      return false;
    }
    const int64_t bias = Magnitude(ShiftedBias(weights.bias_gate[r], shift));
    if (bias + sum * input.largest >= kInt32Limit) return false;
  }
  return true;
}

bool RecurrentFits(const Int8CellWeights& weights) {
  for (int32_t r = 0; r < weights.units; ++r) {
    int64_t sum;
    if (!SumMagnitudes(weights.recurrent.values + r * weights.units, weights.units,
                       RecurrentFactor(weights, r), &sum)) {
      return false;
    }
    const int64_t difference =
        Magnitude(static_cast<int64_t>(weights.bias_update[r]) - weights.bias_gate[r]);
    const int64_t largest_product = int64_t(1) << 30;
    if (largest_product + sum * kLargestState + difference >= kInt32Limit) return false;
  }
  return true;
}

void WidenRow(const int8_t* row, int32_t count, double factor, int16_t* widened) {
  for (int32_t i = 0; i < count; ++i) widened[i] = static_cast<int16_t>(Rescale(row[i], factor));
  if (count % 2 != 0) widened[count] = 0;
}

// sums = product + U h. The usual sizes are constants here, so that compilers unroll or vectorise a
// row; kUnits is 0 for all others.
template <int32_t kUnits>
void AddRecurrent(const int16_t* recurrent, const int32_t* product, const int16_t* state,
                  int32_t units, int32_t* sums) {
  if (kUnits != 0) units = kUnits;
  const int32_t pitch = EvenLength(units);
  for (int32_t r = 0; r < units; ++r) {
    sums[r] = product[r] + DotProduct(recurrent, state, 0, units);
    recurrent += pitch;
  }
}

}  // namespace

bool Int8WidenedCell::Prove(const Int8CellWeights& weights, const Int8CellInput& input,
                            int32_t* shift) {
  const int64_t count =
      static_cast<int64_t>(weights.units) * (static_cast<int64_t>(weights.inputs) + weights.units);
  if (count > kMaxWeights || !RecurrentFits(weights)) return false;
  for (*shift = 0; *shift <= kBiasFraction; ++*shift) {
    if (KernelFits(weights, input, *shift)) return true;
  }
  return false;
}

size_t Int8WidenedCell::PersistentBytes(const Int8CellWeights& weights) {
  const size_t units = static_cast<size_t>(weights.units);
  const size_t row = static_cast<size_t>(EvenLength(weights.inputs) + EvenLength(weights.units));
  return units * (2 * sizeof(int32_t) + row * sizeof(int16_t));
}

void Int8WidenedCell::Build(const Int8CellWeights& weights, const Int8CellInput& input,
                            int32_t shift, void* persistent) {
  int32_t* bias = static_cast<int32_t*>(persistent);
  int32_t* difference = bias + weights.units;
  int16_t* kernel = reinterpret_cast<int16_t*>(difference + weights.units);
  int16_t* recurrent = kernel + weights.units * EvenLength(weights.inputs);
  for (int32_t r = 0; r < weights.units; ++r) {
    bias[r] = ShiftedBias(weights.bias_gate[r], shift);
    difference[r] = weights.bias_update[r] - weights.bias_gate[r];
    WidenRow(weights.kernel.values + r * weights.inputs, weights.inputs,
             KernelFactor(weights, input, r, shift), kernel + r * EvenLength(weights.inputs));
    WidenRow(weights.recurrent.values + r * weights.units, weights.units,
             RecurrentFactor(weights, r), recurrent + r * EvenLength(weights.units));
  }
  inputs_ = weights.inputs;
  units_ = weights.units;
  zero_point_ = input.zero_point;
  shift_ = shift;
  bias_ = bias;
  bias_difference_ = difference;
  kernel_ = kernel;
  recurrent_ = recurrent;
}

template <typename Value>
void Int8WidenedCell::Project(const Value* vector, int32_t* product) const {
  const int32_t pitch = EvenLength(inputs_);
  const int32_t unit = int32_t(1) << shift_;
  const int16_t* row = kernel_;
  for (int32_t r = 0; r < units_; ++r) {
    int32_t sum = bias_[r];
    if (vector != nullptr) sum += DotProduct(row, vector, zero_point_, inputs_);
    product[r] = SaturateBits(sum, 31 - shift_) * unit;
    row += pitch;
  }
}

template void Int8WidenedCell::Project<int8_t>(const int8_t*, int32_t*) const;
template void Int8WidenedCell::Project<int16_t>(const int16_t*, int32_t*) const;

void Int8WidenedCell::Start(const int32_t* product, int16_t* state) const {
  for (int32_t r = 0; r < units_; ++r) {
    state[r] = UpdateState(LookUpGates(product[r], product[r] + bias_difference_[r]), 0);
  }
}

void Int8WidenedCell::Step(const int32_t* product, int16_t* state, int32_t* workspace) const {
  switch (units_) {
    case 8:
      AddRecurrent<8>(recurrent_, product, state, 8, workspace);
      break;
    case 16:
      AddRecurrent<16>(recurrent_, product, state, 16, workspace);
      break;
    default:
      AddRecurrent<0>(recurrent_, product, state, units_, workspace);
  }
  for (int32_t r = 0; r < units_; ++r) {
    const int32_t gate = workspace[r];
    state[r] = UpdateState(LookUpGates(gate, gate + bias_difference_[r]), state[r]);
  }
}

}  // namespace rnnpool

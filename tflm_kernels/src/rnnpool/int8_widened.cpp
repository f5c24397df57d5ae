#include "rnnpool/int8_widened.h"

#include <math.h>
#include <string.h>

#include "rnnpool/fixed_point.h"

namespace rnnpool {
namespace {

const int64_t kInt32Limit = int64_t(1) << 31;
const int32_t kRecurrentFraction = 11;
const int32_t kBiasFraction = 26;
const int64_t kLargestState = 32768;

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

int64_t ShiftedBias(int64_t bias, int32_t shift) {
  const int64_t half = shift > 0 ? int64_t(1) << (shift - 1) : 0;
  return (bias + half) >> shift;
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
    const int64_t gate_bias = GateBias(weights.bias_gate[r], weights.gates);
    const int64_t bias = Magnitude(ShiftedBias(gate_bias, shift));
    if (bias + sum * input.largest >= kInt32Limit) return false;
  }
  return true;
}

void Store(int32_t value, int16_t* place) { memcpy(place, &value, sizeof(value)); }

bool RecurrentFits(const Int8CellWeights& weights) {
  for (int32_t r = 0; r < weights.units; ++r) {
    int64_t sum;
    if (!SumMagnitudes(weights.recurrent.values + r * weights.units, weights.units,
                       RecurrentFactor(weights, r), &sum)) {
      return false;
    }
    const int64_t difference = Magnitude(weights.BiasDifference(r));
    const int64_t largest_product = int64_t(1) << 30;
    if (largest_product + sum * kLargestState + difference >= kInt32Limit) return false;
  }
  return true;
}

}  // namespace

bool Int8WidenedCell::Prove(const Int8CellWeights& weights, const Int8CellInput& input,
                            int32_t* shift) {
  if (weights.count() > kMaxWeights || !RecurrentFits(weights)) return false;
  for (*shift = 0; *shift <= kBiasFraction; ++*shift) {
    if (KernelFits(weights, input, *shift)) return true;
  }
  return false;
}

size_t Int8WidenedCell::PersistentBytes(const Int8CellWeights& weights,
                                        const Int8CellInput& input) {
  const WidenedLayout layout = {weights.inputs, weights.units, input.pixels};
  return static_cast<size_t>(layout.Elements()) * sizeof(int16_t);
}

void Int8WidenedCell::Build(const Int8CellWeights& weights, const Int8CellInput& input,
                            int32_t shift, void* persistent) {
  const WidenedLayout layout = {weights.inputs, weights.units, input.pixels};
  int16_t* data = static_cast<int16_t*>(persistent);
  memset(data, 0, PersistentBytes(weights, input));
  saturates_ = false;
  for (int32_t r = 0; r < layout.units; ++r) {
    int64_t sum = 0;
    int64_t magnitude = 0;
    for (int32_t i = 0; i < layout.inputs; ++i) {
      const int16_t value = static_cast<int16_t>(Rescale(
          weights.kernel.values[r * layout.inputs + i], KernelFactor(weights, input, r, shift)));
      data[layout.Kernel(r, i)] = value;
      sum += value;
      magnitude += Magnitude(value);
    }
    for (int32_t i = 0; i < layout.units; ++i) {
      data[layout.Recurrent(r, i)] = static_cast<int16_t>(
          Rescale(weights.recurrent.values[r * layout.units + i], RecurrentFactor(weights, r)));
    }
    // Fits int32 because |z| is at most input.largest; so do all partial sums of a product.
    const int64_t bias = ShiftedBias(GateBias(weights.bias_gate[r], weights.gates), shift);
    Store(static_cast<int32_t>(bias - sum * input.zero_point), data + layout.Bias(r));
    Store(static_cast<int32_t>(weights.BiasDifference(r)), data + layout.Difference(r));
    if (Magnitude(bias) + magnitude * input.largest >= int64_t(1) << (30 - shift)) {
      saturates_ = true;
    }
  }
  layout_ = layout;
  zero_point_ = input.zero_point;
  shift_ = shift;
  gates_ = weights.gates;
  data_ = data;
}

int32_t Int8WidenedCell::BiasOf(int32_t row) const {
  int32_t bias;
  memcpy(&bias, data_ + layout_.Bias(row), sizeof(bias));
  return bias;
}

void Int8WidenedCell::ProjectZero(int32_t* product) const {
  for (int32_t r = 0; r < layout_.units; ++r) {
    int32_t sum = BiasOf(r);
    for (int32_t i = 0; i < layout_.inputs; ++i) sum += zero_point_ * data_[layout_.Kernel(r, i)];
    product[r] = SaturateBits(sum, 31 - shift_) * (int32_t(1) << shift_);
  }
}

}  // namespace rnnpool

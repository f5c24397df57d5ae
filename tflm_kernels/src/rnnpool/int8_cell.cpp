#include "rnnpool/int8_cell.h"

#include <string.h>

namespace rnnpool {
namespace {

// NaN fails both comparisons.
bool ScalesAreUsable(const Int8Matrix& matrix, int32_t rows) {
  if (matrix.scale_count != 1 && matrix.scale_count != rows) return false;
  for (int32_t i = 0; i < matrix.scale_count; ++i) {
    if (!(matrix.scales[i] > 0.0f && matrix.scales[i] < 256.0f)) return false;
  }
  return true;
}

}  // namespace

const char* PlanInt8Cell(const Int8CellWeights& weights, const Int8CellInput& input,
                         Int8CellPlan* plan) {
  if (!ScalesAreUsable(weights.kernel, weights.units) ||
      !ScalesAreUsable(weights.recurrent, weights.units)) {
    return "Weight scales must be one per tensor or one per row, above 0 and below 256.";
  }
  if (Int8WidenedCell::Prove(weights, input, &plan->shift)) {
    plan->form = Int8Form::kWidened;
    plan->persistent_bytes = Int8WidenedCell::PersistentBytes(weights, input);
    return nullptr;
  }
  plan->form = Int8Form::kCompact;
  plan->shift = 0;
  const char* error = Int8CompactCell::Prove(weights, input);
  if (error == nullptr) plan->persistent_bytes = Int8CompactCell::PersistentBytes(weights);
  return error;
}

void Int8Cell::Build(const Int8CellWeights& weights, const Int8CellInput& input,
                     const Int8CellPlan& plan, void* persistent) {
  form_ = plan.form;
  if (form_ == Int8Form::kWidened) {
    widened_.Build(weights, input, plan.shift, persistent);
  } else {
    compact_.Build(weights, input, persistent);
  }
}

void Int8Cell::Project(const int8_t* pixels, int32_t pitch, int32_t count,
                       int32_t* products) const {
  if (form_ == Int8Form::kWidened) {
    widened_.Project(pixels, pitch, count, products);
  } else {
    compact_.Project(pixels, pitch, count, products);
  }
}

void Int8Cell::Project(const int16_t* states, int32_t pitch, int32_t count,
                       int32_t* products) const {
  if (form_ == Int8Form::kWidened) {
    widened_.Project(states, pitch, count, products);
  } else {
    compact_.Project(states, pitch, count, products);
  }
}

void Int8Cell::ProjectZeros(int32_t count, int32_t* products) const {
  if (count == 0) return;
  if (form_ == Int8Form::kWidened) {
    widened_.ProjectZero(products);
  } else {
    compact_.ProjectZero(products);
  }
  const size_t size = static_cast<size_t>(units()) * sizeof(int32_t);
  for (int32_t i = 1; i < count; ++i) memcpy(products + i * units(), products, size);
}

void Int8Cell::Sequences(const int32_t* products, const SequenceBatch& batch, int16_t* states,
                         int32_t* workspace) const {
  if (form_ == Int8Form::kWidened) {
    widened_.Sequences(products, batch, states, workspace);
  } else {
    compact_.Sequences(products, batch, states, workspace);
  }
}

void Int8Cell::Advance(const int32_t* products, int32_t count, bool fresh, int16_t* states,
                       int32_t* workspace) const {
  if (form_ == Int8Form::kWidened) {
    widened_.Advance(products, count, fresh, states, workspace);
  } else {
    compact_.Advance(products, count, fresh, states, workspace);
  }
}

}  // namespace rnnpool

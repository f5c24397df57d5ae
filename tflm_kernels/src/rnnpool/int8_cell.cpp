#include "rnnpool/int8_cell.h"

#include <string.h>

#include "rnnpool/int8_packed.h"

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

const char* CheckPackedMatrices(const Int8CellWeights& weights) {
  const Int8Matrix& kernel = weights.kernel;
  const Int8Matrix& recurrent = weights.recurrent;
  if (kernel.packed_bytes == 0 && recurrent.packed_bytes == 0) return nullptr;
  if (weights.count() <= Int8WidenedCell::kMaxWeights) {
    return "Packed matrices are for cells of more than 2048 weights.";
  }
  const char* error = nullptr;
  if (kernel.packed_bytes != 0) {
    error = CheckPacked(kernel.values, kernel.packed_bytes, weights.units, weights.inputs);
  }
  if (error == nullptr && recurrent.packed_bytes != 0) {
    error = CheckPacked(recurrent.values, recurrent.packed_bytes, weights.units, weights.units);
  }
  return error;
}

}  // namespace

const char* PlanInt8Cell(const Int8CellWeights& weights, const Int8CellInput& input,
                         Int8CellPlan* plan) {
  if (!ScalesAreUsable(weights.kernel, weights.units) ||
      !ScalesAreUsable(weights.recurrent, weights.units)) {
    return "Weight scales must be one per tensor or one per row, above 0 and below 256.";
  }
  const char* error = CheckPackedMatrices(weights);
  if (error != nullptr) return error;
  plan->workspace_words = 0;
  if (Int8WidenedCell::Prove(weights, input, &plan->shift)) {
    plan->form = Int8Form::kWidened;
    plan->persistent_bytes = Int8WidenedCell::PersistentBytes(weights, input);
    return nullptr;
  }
  plan->form = Int8Form::kCompact;
  plan->shift = 0;
  error = Int8CompactCell::Prove(weights, input);
  if (error != nullptr) return error;
  plan->persistent_bytes = Int8CompactCell::PersistentBytes(weights);
  plan->workspace_words = Int8CompactCell::WorkspaceWords(weights);
  return nullptr;
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
                       int32_t* products, int32_t* workspace) const {
  if (form_ == Int8Form::kWidened) {
    widened_.Project(pixels, pitch, count, products);
  } else {
    compact_.Project(pixels, pitch, count, products, workspace);
  }
}

void Int8Cell::Project(const int16_t* states, int32_t pitch, int32_t count,
                       int32_t* products, int32_t* workspace) const {
  if (form_ == Int8Form::kWidened) {
    widened_.Project(states, pitch, count, products);
  } else {
    compact_.Project(states, pitch, count, products, workspace);
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

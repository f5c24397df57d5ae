#include "rnnpool/sweep_shape.h"

#include "rnnpool/cell_loops.h"

namespace rnnpool {
namespace {

const char kTooLarge[] = "The layer is too large: its memory would exceed 2 GiB.";
const int64_t kProductBytes = 4;
// Patches that are walked at a time. Each such segment costs some 300 instructions on a Cortex-M4,
// and its columns take memory.
const int32_t kLargestBatch = 10;
const int64_t kLargest = INT32_MAX;

// a * b, or more than kLargest when the product is. Both in 0 .. 2^32.
int64_t Multiply(int64_t a, int64_t b) { return b != 0 && a > kLargest / b ? kLargest + 1 : a * b; }

// Sets *position to the end of the parts so far and moves the end. False when that is too far.
bool Append(int64_t elements, int64_t element_bytes, int64_t* end, size_t* position) {
  *position = static_cast<size_t>(*end);
  *end += Multiply(elements, element_bytes);
  return *end <= kLargest;
}

int32_t Larger(int32_t a, int32_t b) { return a > b ? a : b; }
int32_t Smaller(int32_t a, int32_t b) { return a < b ? a : b; }

}  // namespace

const char* PlanShape(size_t state_bytes, int32_t workspace_words, SweepShape* shape,
                      ScratchLayout* scratch) {
  const Geometry& geometry = shape->geometry;
  Grid& grid = shape->grid;
  if (shape->channels < 1 || shape->units1 < 1 || shape->units2 < 1) {
    return "Channels and hidden sizes must be at least 1.";
  }
  const int32_t units = Larger(shape->units1, shape->units2);
  if (units > kLargest / 4 - 1) return kTooLarge;
  const char* error = PlanGrid(geometry, shape->height, shape->width, &grid);
  if (error != nullptr) return error;

  const int64_t rows =
      static_cast<int64_t>(grid.grid_height - 1) * geometry.stride_height + geometry.pool_height;
  const int64_t span =
      static_cast<int64_t>(grid.grid_width - 1) * geometry.stride_width + geometry.pool_width;
  const int64_t map = Multiply(Multiply(shape->height, shape->width), shape->channels);
  const int64_t output = Multiply(Multiply(grid.out_height, grid.out_width), 4 * shape->units2);
  if (rows > kLargest || span > kLargest || map > kLargest || output > kLargest) return kTooLarge;

  shape->column_pitch = Smaller(geometry.stride_width, geometry.pool_width);
  shape->columns = (grid.grid_width - 1) * shape->column_pitch + geometry.pool_width;
  shape->rows = static_cast<int32_t>(rows);
  const int32_t overlapping = (geometry.pool_height - 1) / geometry.stride_height + 1;
  const int32_t segments = (grid.grid_width - 1) / kLargestBatch + 1;
  shape->batch = (grid.grid_width - 1) / segments + 1;
  shape->state_sets = Smaller(overlapping, grid.grid_height);

  const int64_t ring = Multiply(geometry.pool_height, grid.grid_width);
  const int64_t cells = Multiply(shape->columns, shape->state_sets);
  const int64_t state = static_cast<int64_t>(state_bytes);
  const int64_t segment = shape->segment_columns(shape->batch);
  int64_t end = 0;
  const bool fits =
      Append(Multiply(segment, units), kProductBytes, &end, &scratch->products) &&
      Append(Multiply(ring, shape->units2), kProductBytes, &end, &scratch->summaries) &&
      Append(Larger(StatePitch(units), workspace_words), kProductBytes, &end,
             &scratch->workspace) &&
      Append(Multiply(cells, StatePitch(shape->units1)), state, &end, &scratch->states) &&
      Append(Multiply(shape->batch, StatePitch(units)), state, &end, &scratch->sequences);
  scratch->bytes = static_cast<size_t>(end);
  return fits ? nullptr : kTooLarge;
}

}  // namespace rnnpool

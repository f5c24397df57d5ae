#include "rnnpool/geometry.h"

namespace rnnpool {
namespace {

int64_t CeilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }

// One axis of PlanGrid. All values lie in 1 .. 2^31 - 1, so int64 cannot overflow.
const char* PlanAxis(int64_t size, int64_t pool, int64_t stride, Padding padding, int32_t* grid,
                     int32_t* before, int32_t* out) {
  if (padding == Padding::kSame) {
    const int64_t patches = CeilDivide(size, stride);
    const int64_t total = (patches - 1) * stride + pool - size;
    *grid = static_cast<int32_t>(patches);
    *before = static_cast<int32_t>(total > 0 ? total / 2 : 0);
    *out = *grid;
    return nullptr;
  }
  if (pool > size) return "The patch must not be larger than the map, except for padding \"same\".";
  const int64_t patches = (size - pool) / stride + 1;
  const int64_t repeated = padding == Padding::kReplicate ? CeilDivide(pool, stride) - 1 : 0;
  if (patches + repeated > INT32_MAX) return "The output is too large.";
  *grid = static_cast<int32_t>(patches);
  *before = 0;
  *out = static_cast<int32_t>(patches + repeated);
  return nullptr;
}

}  // namespace

const char* PlanGrid(const Geometry& geometry, int32_t height, int32_t width, Grid* grid) {
  if (geometry.pool_height < 1 || geometry.pool_width < 1) {
    return "Patch height and width must be at least 1.";
  }
  if (geometry.stride_height < 1 || geometry.stride_width < 1) {
    return "Strides must be at least 1.";
  }
  if (height < 1 || width < 1) return "The map must have at least one row and one column.";
  if (geometry.padding != Padding::kValid && geometry.padding != Padding::kSame &&
      geometry.padding != Padding::kReplicate) {
    return "The padding is unknown.";
  }
  const char* error =
      PlanAxis(height, geometry.pool_height, geometry.stride_height, geometry.padding,
               &grid->grid_height, &grid->pad_top, &grid->out_height);
  if (error != nullptr) return error;
  return PlanAxis(width, geometry.pool_width, geometry.stride_width, geometry.padding,
                  &grid->grid_width, &grid->pad_left, &grid->out_width);
}

}  // namespace rnnpool

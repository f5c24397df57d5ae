// Patches of RNNPool on a map: how many, where they start, how large the output is.

#ifndef RNNPOOL_GEOMETRY_H_
#define RNNPOOL_GEOMETRY_H_

#include <stdint.h>

namespace rnnpool {

enum class Padding : uint8_t {
  kValid = 0,      // patches inside the map only
  kSame = 1,       // TensorFlow's SAME: pixels of real value 0 around the map
  kReplicate = 2,  // patches as kValid; the last output row and column are then repeated
};

struct Geometry {
  int32_t pool_height;
  int32_t pool_width;
  int32_t stride_height;
  int32_t stride_width;
  Padding padding;
};

// Pixel (y, x) of patch (i, j) is map[i * stride_height - pad_top + y][j * stride_width - pad_left
// + x]. The output has grid + ceil(pool / stride) - 1 rows and columns for kReplicate, else grid.
struct Grid {
  int32_t grid_height;
  int32_t grid_width;
  int32_t pad_top;
  int32_t pad_left;
  int32_t out_height;
  int32_t out_width;
};

// Fills *grid for a map of height x width pixels. Returns nullptr, or a sentence saying what is
// wrong; any int32 values are safe to pass.
const char* PlanGrid(const Geometry& geometry, int32_t height, int32_t width, Grid* grid);

}  // namespace rnnpool

#endif  // RNNPOOL_GEOMETRY_H_

// The dimensions of one RNNPool layer and of the memory that its shared sweeps need.

#ifndef RNNPOOL_SWEEP_SHAPE_H_
#define RNNPOOL_SWEEP_SHAPE_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/geometry.h"

namespace rnnpool {

struct SweepShape {
  int32_t height;  // of the map, without padding
  int32_t width;
  int32_t channels;  // k
  int32_t units1;    // h1
  int32_t units2;    // h2
  Geometry geometry;
  Grid grid;

  int32_t rows;          // padded rows until the last patch ends
  int32_t columns;       // padded columns that lie in some patch; those between patches are skipped
  int32_t column_pitch;  // from one patch to the next, counted in such columns
  int32_t state_sets;    // patch rows in flight at a time
  int32_t batch;         // patches of a row whose sequences are walked in one call

  int32_t output_pixel() const { return 4 * units2; }
  int32_t output_row() const { return grid.out_width * output_pixel(); }
  // Columns in which `patches` neighbouring patches lie.
  int32_t segment_columns(int32_t patches) const {
    return (patches - 1) * column_pitch + geometry.pool_width;
  }
};

// Where the scratch memory's parts start, in bytes, one after the other:
//   products     [segment_columns(batch)][max(h1, h2)] of 4 bytes: W1 x of a segment of one map
//                row; when a patch row is complete, W2 times its column summaries
//   summaries    [pool_height][grid_width][h2] of 4 bytes: W2 times the row summaries of the last
//                pool_height rows; padded row y stands at y % pool_height
//   workspace    [max(h1, h2)*] of 4 bytes: what a step needs while it is computed; more of them
//                where projections of vectors need more
//   states       [state_sets][columns][h1*] states: the column sweeps of the patch rows in flight;
//                patch row i uses set i % state_sets
//   sequences    [batch][max(h1, h2)*] states: the running states of sequences
// * rounded up to a multiple of 4
struct ScratchLayout {
  size_t products;
  size_t summaries;
  size_t workspace;
  size_t states;
  size_t sequences;
  size_t bytes;
};

// Completes a shape whose first six members are set. `workspace_words` is what projections need.
// Returns nullptr or a sentence. Afterwards every index into scratch memory or one map of the output
// fits int32.
const char* PlanShape(size_t state_bytes, int32_t workspace_words, SweepShape* shape,
                      ScratchLayout* scratch);

}  // namespace rnnpool

#endif  // RNNPOOL_SWEEP_SHAPE_H_

// The front of a network, row by row: convolutions and RNNPool (conv_pool.h), then up to two
// inverted residuals without a residual (inverted_residual.h). Each row of the image goes in once,
// from top to bottom; of the image and of the maps between the stages only the rows are in memory
// that a window sees.

#ifndef RNNPOOL_FRONT_H_
#define RNNPOOL_FRONT_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/conv_pool.h"
#include "rnnpool/inverted_residual.h"

namespace rnnpool {

const int32_t kMaxFrontBlocks = 2;

struct FrontSpec {
  ConvPoolSpec pool;
  int32_t block_count;  // 0 .. kMaxFrontBlocks
  // Their input's height, width, channels and zero point follow from where they stand.
  InvertedResidualSpec blocks[kMaxFrontBlocks];
};

// Planned, and after BuildFront ready to run. Parts of the workspace, as offsets in bytes:
//   (0)          scratch memory of convolutions and RNNPool
//   persistent   RNNPool's prepared weights
//   rows         per block, one row of its input
//   blocks       per block, its workspace
struct Front {
  int32_t map_height;  // of the output
  int32_t map_width;
  int32_t map_channels;
  ConvPoolPlan plan;
  ConvPoolLayer pool;
  int32_t block_count;
  InvertedResidual blocks[kMaxFrontBlocks];
  size_t persistent;
  size_t rows[kMaxFrontBlocks];
  size_t block_workspaces[kMaxFrontBlocks];
  size_t workspace_bytes;  // a multiple of 4
};

// Returns nullptr, or a sentence saying why this cannot run. Reads all weights and tables.
const char* PlanFront(const FrontSpec& spec, Front* front);

// Prepares the weights in the workspace, which is aligned to 4 bytes. `spec` is the one that was
// planned. Its weights and tables must outlive the front.
void BuildFront(const FrontSpec& spec, void* workspace, Front* front);

// One image:
//   sweep.Begin(map, workspace);
//   for every row: write it to sweep.NextRow(), then sweep.Take()
class FrontSweep {
 public:
  // The front must outlive the sweep, but it may be planned and built later than this.
  explicit FrontSweep(const Front& front);

  // Starts a new image. `map` [map_height][map_width][map_channels]; `workspace` is the one that
  // the front was built in. Nobody else may write to either until the last row has been taken.
  void Begin(int8_t* map, void* workspace);

  // Where the next row of the image, [width][channels], has to be written.
  int8_t* NextRow() const { return pool_.NextRow(); }

  // Computes all that the row written there completes.
  void Take();

 private:
  bool NextOf(int32_t stage, int8_t* row);

  const Front& front_;
  ConvPoolSweep pool_;
  InvertedResidualSweep blocks_[kMaxFrontBlocks];
  int8_t* workspace_;
  int8_t* output_;          // where the map's next row goes
  const int8_t* previous_;  // the last row that RNNPool filled
};

}  // namespace rnnpool

#endif  // RNNPOOL_FRONT_H_

// Up to four convolutions and RNNPool on what they produce, row by row: a row of a convolution is
// computed when the next stage needs it and kept only as long. Neither the maps in between nor,
// where rows are fed one by one, the input is ever in memory as a whole.
//
// Use: Plan... checks everything and tells how much memory is needed; Build... prepares weights;
// Run... computes maps that are resident in memory. A ConvPoolSweep takes a map that arrives row by
// row, if the plan was made for that.
//
// In-place promise of Run...: when row i of the output is written, no row of the input is read any
// more except those that later rows of the first convolution see. So the output may overlap the
// input where nothing but rows that are done with is overwritten.

#ifndef RNNPOOL_CONV_POOL_H_
#define RNNPOOL_CONV_POOL_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/convolution.h"
#include "rnnpool/rnnpool_core.h"

namespace rnnpool {

const int32_t kMaxConvolutions = 4;

// A convolution as a model has it. What it is applied to follows from where it stands.
struct ConvolutionSpec {
  bool depthwise;
  int32_t kernel_height;
  int32_t kernel_width;
  int32_t stride_height;
  int32_t stride_width;
  int32_t pad_top;
  int32_t pad_left;
  int32_t out_height;
  int32_t out_width;
  int32_t out_channels;
  const int8_t* weights;  // layouts: convolution.h
  ChannelTable table;
  OutputRange range;
};

struct ConvPoolSpec {
  int32_t height;  // of the input
  int32_t width;
  int32_t channels;
  int32_t zero_point;
  int32_t count;  // of convolutions: 0 .. kMaxConvolutions
  ConvolutionSpec convolutions[kMaxConvolutions];
  Geometry geometry;
  float pool_scale;  // of what RNNPool is applied to; its zero point is the last range's
  Int8CellWeights cell1;
  Int8CellWeights cell2;
};

// Where rows of the input stand while a map is computed.
enum class InputRows : uint8_t {
  kResident,  // in the whole map, which is in memory
  kCopied,    // in a ring that holds what one row of the first convolution sees
};

// Where the scratch memory's parts start, in bytes, one after the other, aligned to 4 bytes:
//   (0)        RNNPool's own parts (sweep_shape.h)
//   rings      per convolution that has one, [capacity][in_width][in_channels]
//   pool_row   one row of what RNNPool is applied to, unless that is resident
//   workspace  of the convolutions; where it is large enough, the part of RNNPool's products, which
//              are not in use while convolutions are
struct ConvPoolScratch {
  size_t rings[kMaxConvolutions];
  size_t pool_row;
  size_t workspace;
  size_t bytes;
};

struct ConvPoolPlan {
  InputRows input_rows;
  ConvPoolScratch scratch;
  Int8Plan pool;
  size_t persistent_bytes;  // for RNNPool's prepared weights; a multiple of 4
};

struct ConvolutionStage {
  Convolution row;
  int32_t in_height;
  int32_t stride_height;
  int32_t pad_top;
  int32_t out_height;
  int32_t capacity;  // rows of its ring, where input row y stands at y % capacity
};

struct ConvPoolLayer {
  InputRows input_rows;
  ConvPoolScratch scratch;
  int32_t count;
  ConvolutionStage stages[kMaxConvolutions];
  Int8Layer pool;
};

// Returns nullptr, or a sentence saying why this cannot run. Reads all weights.
const char* PlanConvPool(const ConvPoolSpec& spec, InputRows input_rows, ConvPoolPlan* plan);

// Prepares the weights in plan.persistent_bytes at `persistent` (aligned to 4 bytes). That memory
// and all weights and tables must outlive the layer.
void BuildConvPool(const ConvPoolSpec& spec, const ConvPoolPlan& plan, void* persistent,
                   ConvPoolLayer* layer);

// Computes `batch` maps with layer.scratch.bytes at `scratch` (aligned to 4 bytes), whose content
// before and after does not matter. For plans with resident rows.
void RunConvPool(const ConvPoolLayer& layer, int32_t batch, const int8_t* input, int8_t* output,
                 void* scratch);

// One map, row by row:
//   sweep.Begin(...);
//   for every row: sweep.Take(), then sweep.Next(output_row) until it returns false
// where, if rows are copied, each is written to sweep.NextRow() before it is taken.
class ConvPoolSweep {
 public:
  // The layer must outlive the sweep, but it may be built later than this.
  explicit ConvPoolSweep(const ConvPoolLayer& layer);

  // Starts a new map, which is at `input` if rows are resident. `scratch` as for RunConvPool, for
  // as long as it takes.
  void Begin(const int8_t* input, void* scratch);

  // Where the next row of the input, [width][channels], has to be written.
  int8_t* NextRow() const;

  // Says that the next row is there.
  void Take();

  // See RowSweep in map_sweep.h.
  bool Next(int8_t* output, const int8_t* previous);
  int32_t finished() const { return pool_.finished(); }

 private:
  struct Progress {
    int32_t taken;     // rows of the input
    int32_t computed;  // rows of the output
  };

  int8_t* RingRow(int32_t index, int32_t y) const;
  const int8_t* InputRow(int32_t index, int32_t y) const;
  bool IsReady(int32_t index) const;
  void ComputeRow(int32_t index);

  const ConvPoolLayer& layer_;
  int8_t* scratch_;
  const int8_t* input_;
  RowSweep<Int8Layer> pool_;
  Progress progress_[kMaxConvolutions];  // of the convolutions; without any, the first counts rows
};

}  // namespace rnnpool

#endif  // RNNPOOL_CONV_POOL_H_

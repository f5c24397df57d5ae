// MobileNetV2's inverted residual on int8 maps, as one operator:
//   expand   1x1 convolution of x to E channels, optional
//   filter   depthwise convolution, any stride, kernel up to 7x7
//   project  1x1 convolution to the output's channels
//   add      x, optional
// The bytes are those of TensorFlow Lite's reference kernels one after the other.
//
// Nothing but a ring of expanded pixels is stored between the stages. Pixels of x are expanded in
// raster order and stay in the ring only while the kernel's window needs them: from the first pixel
// of the window to its last there are (kernel_height - 1) * width + kernel_width, fewer than
// kernel_height rows.
//
// Layouts: x [height][width][channels], y [out_height][out_width][project.outputs], dense, at any
// address. Taps outside the map have the zero point of what is filtered.
//
// Use: Plan... checks everything and tells how much memory is needed; Run... computes and cannot
// fail. An InvertedResidualSweep takes a map one row at a time instead.

#ifndef RNNPOOL_INVERTED_RESIDUAL_H_
#define RNNPOOL_INVERTED_RESIDUAL_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/depthwise.h"
#include "rnnpool/pointwise.h"
#include "rnnpool/residual_add.h"

namespace rnnpool {

const int32_t kLargestFilter = 7;  // height and width of the depthwise kernel
// Pixels that are expanded, and pixels that are projected, in one call. More would cost memory and
// save a quarter of a percent of the instructions.
const int32_t kBlockPixels = 2;

struct InvertedResidualSpec {
  int32_t height;  // of x
  int32_t width;
  int32_t channels;
  int32_t input_zero_point;

  Pointwise expand;  // weights == nullptr: x itself is filtered
  Depthwise filter;  // taps = kernel_height * kernel_width, rows before columns
  Pointwise project;

  int32_t kernel_height;
  int32_t kernel_width;
  int32_t stride_height;
  int32_t stride_width;
  int32_t pad_top;  // less than kernel_height
  int32_t pad_left;
  int32_t out_height;  // the last window must begin inside the map
  int32_t out_width;

  // add.x is the map x, add.y the projection; the output's range is add.range. Needs stride 1 and
  // an output of x's shape.
  bool residual;
  ResidualAdd add;
};

// A layer ready to run. Workspace parts, as offsets in bytes, one after the other:
//   pointwise  what RunPointwise needs
//   ring       [ring_pixels][E]: expanded pixel p of the map, in raster order, at p % ring_pixels
//   padding    [E]: the value of taps outside the map
//   filtered   [kBlockPixels][E]
//   projected  [kBlockPixels][outputs], only with a residual
struct InvertedResidual {
  InvertedResidualSpec spec;
  int32_t ring_pixels;
  size_t pointwise;
  size_t ring;
  size_t padding;
  size_t filtered;
  size_t projected;
  size_t workspace_bytes;
};

// Returns nullptr, or a sentence saying why this layer cannot run. Reads all weights and tables,
// which must outlive the layer.
const char* PlanInvertedResidual(const InvertedResidualSpec& spec, InvertedResidual* layer);

// Makes the layer of a spec that PlanInvertedResidual has accepted: checks nothing and reads no
// weights, only tables, so that a runtime can make it anew for every run instead of keeping it.
void LayOutInvertedResidual(const InvertedResidualSpec& spec, InvertedResidual* layer);

// Rows of a map in, from top to bottom; rows of its output out:
//   sweep.Begin(workspace);
//   for every row: sweep.Take(row), then sweep.Next(output_row) until it returns false
class InvertedResidualSweep {
 public:
  // The layer must outlive the sweep, but it may be built later than this.
  explicit InvertedResidualSweep(const InvertedResidual& layer);

  // Starts a new map. `workspace`: layer.workspace_bytes, aligned to 4 bytes, content irrelevant,
  // for as long as it takes.
  void Begin(void* workspace);

  // Takes the next row of x, [width][channels], which must stay until Next returns false. With a
  // residual, however, rows must be those of one dense map, and row r is last read in the call that
  // completes output row r.
  void Take(const int8_t* row);

  // Fills `output`, [out_width][project.outputs], with the next output row that the rows so far
  // complete and returns true, or returns false. The last row of x completes out_height rows.
  //
  // In place: output row r is first written to when x's rows up to
  //   r * stride_height - pad_top + kernel_height - 2
  // have been read for the last time but for the residual (all of x where this is its last row or
  // beyond), and the residual's pixel is read before the output's pixel is written. The output may
  // therefore overlap x as far as no row of it reaches a row of x that is still needed; with a
  // residual it must begin at or before x.
  bool Next(int8_t* output);

  // Of output rows.
  int32_t finished() const { return finished_; }

 private:
  const int8_t* RingPixel(int32_t pixel) const;
  void ComputeRow(const int8_t* residual);
  void Filter(int32_t column, int8_t* filtered) const;
  void Project(const int8_t* residual, int32_t count);
  void ExpandTo(int32_t columns);

  const InvertedResidual& layer_;
  int8_t* ring_;
  int8_t* padding_;
  int8_t* filtered_;
  int8_t* projected_;
  void* pointwise_;
  int8_t* output_;      // where the next pixel of the output goes
  int32_t finished_;    // complete rows of the output
  const int8_t* row_;   // of x, the last one taken
  int32_t row_index_;   // its number
  int32_t next_pixel_;  // of x, to be expanded; counted from the map's start
  int32_t next_slot_;   // of the ring, where it goes
};

// Computes `batch` maps that are resident in memory, one after the other.
void RunInvertedResidual(const InvertedResidual& layer, int32_t batch, const int8_t* x, int8_t* y,
                         void* workspace);

}  // namespace rnnpool

#endif  // RNNPOOL_INVERTED_RESIDUAL_H_

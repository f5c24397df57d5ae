// RNNPool over a map, fed row by row, with everything shared that patches have in common:
//   1. W1 x once per pixel of the current row;
//   2. the first cell's row sweep once per (row, patch column), and W2 times its summary once,
//      kept for the forward and the backward pass and for all patch rows that contain the row;
//   3. the first cell's column sweeps advance by one step, once per (column, patch row in flight);
//   4. when a row is the last of a patch row: W2 times each column summary once, then the second
//      cell's four sequences of every patch.
//
// A Layer provides its arithmetic and dimensions:
//   types Input, Product, State, Output; shape; scratch (ScratchLayout); cell1, cell2 with
//   Project, ProjectZeros, Sequences and Advance; static void Emit(states, count, units, output),
//   which converts states [count][StatePitch] to the first `units` channels of as many output
//   pixels, [count][4 units]

#ifndef RNNPOOL_SHARED_SWEEP_H_
#define RNNPOOL_SHARED_SWEEP_H_

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "rnnpool/cell_loops.h"
#include "rnnpool/sweep_shape.h"

namespace rnnpool {

template <class Layer>
class SharedSweep {
 public:
  typedef typename Layer::Input Input;
  typedef typename Layer::Product Product;
  typedef typename Layer::State State;
  typedef typename Layer::Output Output;

  // The layer must outlive the sweep, but it may be built later than this.
  explicit SharedSweep(const Layer& layer)
      : layer_(layer),
        shape_(layer.shape),
        products_(nullptr),
        summaries_(nullptr),
        workspace_(nullptr),
        states_(nullptr),
        sequences_(nullptr),
        row_(0) {}

  // Starts a new map. `scratch`: layer.scratch.bytes, aligned to 4 bytes, for as long as it takes.
  void Begin(void* scratch) {
    products_ = Part<Product>(scratch, layer_.scratch.products);
    summaries_ = Part<Product>(scratch, layer_.scratch.summaries);
    workspace_ = Part<Product>(scratch, layer_.scratch.workspace);
    states_ = Part<State>(scratch, layer_.scratch.states);
    sequences_ = Part<State>(scratch, layer_.scratch.sequences);
    row_ = 0;
  }

  // The padded row that Feed takes next.
  int32_t row() const { return row_; }

  // Consumes one padded row: `width` pixels, or nullptr for a row of padding. Returns true when it
  // completed a patch row, which is then in output_row: [out_width][4 h2], the pixels to be
  // replicated included. Feed shape.rows rows per map.
  bool Feed(const Input* pixels, Output* output_row) {
    const Geometry& geometry = shape_.geometry;
    const int32_t y = row_++;
    // The patch rows that contain y; none in the gap between patches, nor below the last.
    const int32_t first =
        y < geometry.pool_height ? 0 : (y - geometry.pool_height) / geometry.stride_height + 1;
    int32_t last = y / geometry.stride_height;
    if (last >= shape_.grid.grid_height) last = shape_.grid.grid_height - 1;
    if (first > last) return false;

    for (Segment segment = FirstSegment(); segment.patches > 0; segment = NextSegment(segment)) {
      ProjectNewColumns(pixels, segment);
      SummariseRow(y, segment);
      for (int32_t i = first; i <= last; ++i) {
        layer_.cell1.Advance(NewProducts(segment, shape_.units1), segment.new_columns,
                             y == i * geometry.stride_height, StatesOf(i, segment.new_column),
                             workspace_);
      }
    }
    if (y - first * geometry.stride_height + 1 < geometry.pool_height) return false;
    FinishPatchRow(first, output_row);
    return true;
  }

 private:
  template <typename Element>
  static Element* Part(void* scratch, size_t offset) {
    return reinterpret_cast<Element*>(static_cast<uint8_t*>(scratch) + offset);
  }

  // Neighbouring patches whose columns' products are held at a time. Where patches overlap, the
  // products of a segment's first columns are left over from the segment before.
  struct Segment {
    int32_t patch;
    int32_t patches;
    int32_t new_column;  // the first column that the segment before does not have
    int32_t new_columns;
    int32_t kept_columns;
  };

  Segment FirstSegment() const {
    const int32_t patches = Smaller(shape_.batch, shape_.grid.grid_width);
    const Segment segment = {0, patches, 0, shape_.segment_columns(patches), 0};
    return segment;
  }

  Segment NextSegment(const Segment& before) const {
    const int32_t patch = before.patch + before.patches;
    const int32_t patches = Smaller(shape_.batch, shape_.grid.grid_width - patch);
    const int32_t kept = shape_.geometry.pool_width - shape_.column_pitch;
    const int32_t first = patch * shape_.column_pitch;
    const Segment segment = {patch, patches, first + kept, patches * shape_.column_pitch, kept};
    return segment;
  }

  // Where the products of a segment's new columns go, after those it keeps have been moved to the
  // front.
  Product* KeepProducts(const Segment& segment, int32_t units) {
    const int32_t kept = segment.kept_columns * units;
    if (kept > 0) {
      const Product* from = products_ + shape_.batch * shape_.column_pitch * units;
      memmove(products_, from, sizeof(Product) * static_cast<size_t>(kept));
    }
    return products_ + kept;
  }

  const Product* NewProducts(const Segment& segment, int32_t units) const {
    return products_ + segment.kept_columns * units;
  }

  static int32_t Smaller(int32_t a, int32_t b) { return a < b ? a : b; }

  State* StatesOf(int32_t patch_row, int32_t column) const {
    const int32_t set = (patch_row % shape_.state_sets) * shape_.columns;
    return states_ + (set + column) * StatePitch(shape_.units1);
  }

  void ProjectNewColumns(const Input* pixels, const Segment& segment) {
    Product* products = KeepProducts(segment, shape_.units1);
    if (pixels == nullptr) {
      layer_.cell1.ProjectZeros(segment.new_columns, products);
      return;
    }
    const int32_t stride = shape_.geometry.stride_width;
    const int32_t pool = shape_.geometry.pool_width;
    if (stride <= pool) {
      ProjectSpan(pixels, segment.new_column - shape_.grid.pad_left, segment.new_columns, products);
      return;
    }
    for (int32_t j = segment.patch; j < segment.patch + segment.patches; ++j) {
      ProjectSpan(pixels, j * stride - shape_.grid.pad_left, pool, products);
      products += pool * shape_.units1;
    }
  }

  // Products of the columns x .. x + count - 1 of the map, some or all of which may be padding.
  void ProjectSpan(const Input* pixels, int32_t x, int32_t count, Product* products) {
    const int32_t left = x < 0 ? Smaller(-x, count) : 0;
    const int32_t inside = Smaller(count, shape_.width - x) - left;
    layer_.cell1.ProjectZeros(left, products);
    products += left * shape_.units1;
    if (inside > 0) {
      layer_.cell1.Project(pixels + (x + left) * shape_.channels, shape_.channels, inside,
                           products, workspace_);
      products += inside * shape_.units1;
    }
    layer_.cell1.ProjectZeros(count - left - (inside > 0 ? inside : 0), products);
  }

  void SummariseRow(int32_t y, const Segment& segment) {
    const SequenceBatch batch = {shape_.units1, shape_.geometry.pool_width,
                                 shape_.column_pitch * shape_.units1, segment.patches, true};
    layer_.cell1.Sequences(products_, batch, sequences_, workspace_);
    layer_.cell2.Project(
        sequences_, StatePitch(shape_.units1), segment.patches,
        RingRow(y % shape_.geometry.pool_height) + segment.patch * shape_.units2, workspace_);
  }

  Product* RingRow(int32_t position) const { return summaries_ + position * RingPitch(); }
  int32_t RingPitch() const { return shape_.grid.grid_width * shape_.units2; }

  void FinishPatchRow(int32_t i, Output* output) {
    const int32_t pool = shape_.geometry.pool_width;
    const int32_t units = shape_.units2;
    const int32_t patch = shape_.column_pitch * units;
    const int32_t pixel = shape_.output_pixel();
    const int32_t oldest = i * shape_.geometry.stride_height % shape_.geometry.pool_height;
    for (Segment segment = FirstSegment(); segment.patches > 0; segment = NextSegment(segment)) {
      const int32_t j = segment.patch;
      const int32_t count = segment.patches;
      layer_.cell2.Project(StatesOf(i, segment.new_column), StatePitch(shape_.units1),
                           segment.new_columns, KeepProducts(segment, units), workspace_);
      WalkRowsForward(oldest, j, count);
      Emit(count, output);
      WalkRowsBackward(oldest, j, count);
      Emit(count, output + units);
      Walk(products_, units, pool, patch, count, true);
      Emit(count, output + 2 * units);
      Walk(products_ + (pool - 1) * units, -units, pool, patch, count, true);
      Emit(count, output + 3 * units);
      output += count * pixel;
    }
    for (int32_t j = shape_.grid.grid_width; j < shape_.grid.out_width; ++j) {
      for (int32_t c = 0; c < pixel; ++c) output[c] = output[c - pixel];
      output += pixel;
    }
  }

  void Emit(int32_t count, Output* output) {
    Layer::Emit(sequences_, count, shape_.units2, output);
  }

  // Cell 2 along `count` sequences.
  void Walk(const Product* products, ptrdiff_t stride, int32_t steps, ptrdiff_t pitch,
            int32_t count, bool fresh) {
    const SequenceBatch batch = {stride, steps, pitch, count, fresh};
    layer_.cell2.Sequences(products, batch, sequences_, workspace_);
  }

  // A patch's rows stand in the ring from `oldest` to its end, then from its start.
  void WalkRowsForward(int32_t oldest, int32_t j, int32_t count) {
    const int32_t pool = shape_.geometry.pool_height;
    const int32_t units = shape_.units2;
    Walk(RingRow(oldest) + j * units, RingPitch(), pool - oldest, units, count, true);
    Walk(summaries_ + j * units, RingPitch(), oldest, units, count, false);
  }

  void WalkRowsBackward(int32_t oldest, int32_t j, int32_t count) {
    const int32_t pool = shape_.geometry.pool_height;
    const int32_t units = shape_.units2;
    if (oldest > 0) {
      Walk(RingRow(oldest - 1) + j * units, -RingPitch(), oldest, units, count, true);
    }
    Walk(RingRow(pool - 1) + j * units, -RingPitch(), pool - oldest, units, count, oldest == 0);
  }

  const Layer& layer_;
  const SweepShape& shape_;
  Product* products_;
  Product* summaries_;
  Product* workspace_;
  State* states_;
  State* sequences_;
  int32_t row_;
};

}  // namespace rnnpool

#endif  // RNNPOOL_SHARED_SWEEP_H_

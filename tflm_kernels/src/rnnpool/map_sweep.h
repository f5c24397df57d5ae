// RNNPool of whole maps, or of maps that arrive one row at a time.

#ifndef RNNPOOL_MAP_SWEEP_H_
#define RNNPOOL_MAP_SWEEP_H_

#include <stdint.h>

#include "rnnpool/shared_sweep.h"

namespace rnnpool {

// Rows of a map in, from top to bottom and without padding; rows of its output out:
//   sweep.Begin(scratch);
//   for every row: sweep.Take(row), then sweep.Next(output_row) until it returns false
template <class Layer>
class RowSweep {
 public:
  typedef typename Layer::Input Input;
  typedef typename Layer::Output Output;

  // The layer must outlive the sweep, but it may be built later than this.
  explicit RowSweep(const Layer& layer)
      : shape_(layer.shape), sweep_(layer), pixels_(nullptr), finished_(0) {}

  // Starts a new map. `scratch`: layer.scratch.bytes, aligned to 4 bytes, for as long as it takes.
  void Begin(void* scratch) {
    pixels_ = nullptr;
    finished_ = 0;
    sweep_.Begin(scratch);
  }

  // Takes the next row, [width][channels], which must stay until Next returns false.
  void Take(const Input* pixels) { pixels_ = pixels; }

  // Fills `output`, [out_width][4 h2], with the next output row that is complete and returns true,
  // or returns false. `previous` is the row that the last call filled; it may be `output` itself,
  // which then must still hold it.
  bool Next(Output* output, const Output* previous) {
    const Grid& grid = shape_.grid;
    if (pixels_ != nullptr) {
      // Rows of padding above complete nothing, because they are fewer than a patch's.
      while (sweep_.row() < grid.pad_top) sweep_.Feed(nullptr, output);
      const Input* pixels = pixels_;
      pixels_ = nullptr;
      if (sweep_.Feed(pixels, output)) return Finish();
    }
    if (sweep_.row() - grid.pad_top < shape_.height) return false;
    while (sweep_.row() < shape_.rows) {
      if (sweep_.Feed(nullptr, output)) return Finish();
    }
    if (finished_ == grid.out_height) return false;
    for (int32_t i = 0; i < shape_.output_row(); ++i) output[i] = previous[i];
    return Finish();
  }

  // Of output rows.
  int32_t finished() const { return finished_; }

 private:
  bool Finish() {
    ++finished_;
    return true;
  }

  const SweepShape& shape_;
  SharedSweep<Layer> sweep_;
  const Input* pixels_;  // the row taken and not yet fed
  int32_t finished_;
};

// Takes the rows of one map as RowSweep does, and fills the whole output [out_height][out_width]
// [4 h2] from top to bottom.
template <class Layer>
class MapSweep {
 public:
  typedef typename Layer::Input Input;
  typedef typename Layer::Output Output;

  // `scratch`: layer.scratch.bytes, aligned to 4 bytes. Both must outlive the sweep.
  MapSweep(const Layer& layer, void* scratch)
      : output_row_(layer.shape.output_row()),
        rows_(layer),
        scratch_(scratch),
        output_(nullptr),
        previous_(nullptr) {}

  // Starts a new map, whose output goes to `output`.
  void Begin(Output* output) {
    previous_ = output_ = output;
    rows_.Begin(scratch_);
  }

  // Takes the next row, [width][channels]; each of the map's `height` rows must be fed once.
  // Returns the number of output rows that are complete, which the last row makes out_height.
  int32_t FeedRow(const Input* pixels) {
    rows_.Take(pixels);
    while (rows_.Next(output_, previous_)) {
      previous_ = output_;
      output_ += output_row_;
    }
    return rows_.finished();
  }

 private:
  int32_t output_row_;
  RowSweep<Layer> rows_;
  void* scratch_;
  Output* output_;          // of the next row
  const Output* previous_;  // of the last one
};

// Computes `batch` maps that are resident in memory.
template <class Layer>
void RunMaps(const Layer& layer, int32_t batch, const typename Layer::Input* input,
             typename Layer::Output* output, void* scratch) {
  const SweepShape& shape = layer.shape;
  MapSweep<Layer> sweep(layer, scratch);
  for (int32_t n = 0; n < batch; ++n) {
    sweep.Begin(output);
    for (int32_t y = 0; y < shape.height; ++y) {
      sweep.FeedRow(input);
      input += shape.width * shape.channels;
    }
    output += shape.grid.out_height * shape.output_row();
  }
}

}  // namespace rnnpool

#endif  // RNNPOOL_MAP_SWEEP_H_

// RNNPool of whole maps, or of maps that arrive one row at a time.

#ifndef RNNPOOL_MAP_SWEEP_H_
#define RNNPOOL_MAP_SWEEP_H_

#include <stdint.h>

#include "rnnpool/shared_sweep.h"

namespace rnnpool {

// Takes the rows of one map from top to bottom, without padding, and fills the output
// [out_height][out_width][4 h2] from top to bottom.
template <class Layer>
class MapSweep {
 public:
  typedef typename Layer::Input Input;
  typedef typename Layer::Output Output;

  // `scratch`: layer.scratch.bytes, aligned to 4 bytes. Both must outlive the sweep.
  MapSweep(const Layer& layer, void* scratch)
      : shape_(layer.shape), sweep_(layer, scratch), output_(nullptr), finished_(0) {}

  // Starts a new map, whose output goes to `output`.
  void Begin(Output* output) {
    output_ = output;
    finished_ = 0;
    sweep_.Restart();
  }

  // Takes the next row, [width][channels]; each of the map's `height` rows must be fed once.
  // Returns the number of output rows that are complete, which the last row makes out_height.
  int32_t FeedRow(const Input* pixels) {
    while (sweep_.row() < shape_.grid.pad_top) Feed(nullptr);
    Feed(pixels);
    if (sweep_.row() - shape_.grid.pad_top == shape_.height) {
      while (sweep_.row() < shape_.rows) Feed(nullptr);
      while (finished_ < shape_.grid.out_height) RepeatLastRow();
    }
    return finished_;
  }

 private:
  Output* OutputRow(int32_t row) const { return output_ + row * shape_.output_row(); }

  void Feed(const Input* pixels) {
    if (sweep_.Feed(pixels, OutputRow(finished_))) ++finished_;
  }

  void RepeatLastRow() {
    const Output* last = OutputRow(finished_ - 1);
    Output* next = OutputRow(finished_);
    for (int32_t i = 0; i < shape_.output_row(); ++i) next[i] = last[i];
    ++finished_;
  }

  const SweepShape& shape_;
  SharedSweep<Layer> sweep_;
  Output* output_;
  int32_t finished_;
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

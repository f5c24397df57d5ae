// Where a widened cell's prepared weights stand in persistent memory; every path has its own order.

#ifndef RNNPOOL_INT8_WIDENED_LAYOUT_H_
#define RNNPOOL_INT8_WIDENED_LAYOUT_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/int8_path.h"

namespace rnnpool {

// Positions are counted in int16 elements from the start of the memory; biases and differences are
// int32, at even positions. Elements at no position are 0.
struct WidenedLayout {
  int32_t inputs;
  int32_t units;
  bool pixels;  // inputs are int8, not int16

  int32_t Bias(int32_t row) const;
  int32_t Difference(int32_t row) const;
  int32_t Kernel(int32_t row, int32_t input) const;
  int32_t Recurrent(int32_t row, int32_t unit) const;
  int32_t Elements() const;
};

#if RNNPOOL_USE_DSP

// Streams for the routines of dsp_routines.h. A quad is 4 units, a block 4 inputs.
//   kernel     [quad]{ int32 bias [4], int16 W [block][unit][4] }
//   recurrent  [quad]{ int16 U [block][unit][4], int32 difference [4] }
// The bytes of a block of pixels are unpacked as (0, 2), (1, 3), so W stands in this order. With
// more than 4 inputs the last blocks end with the last input and the second one may overlap the
// first, which is why no byte beyond a pixel is needed. With 8 or 16 units the recurrent blocks of
// a quad are rotated to begin behind its own units and to end with them.
const int32_t kLanes = 4;

inline int32_t Blocks(int32_t count) { return (count + kLanes - 1) / kLanes; }

struct WidenedStreams {
  static int32_t KernelQuad(const WidenedLayout& layout) {
    return 2 * kLanes + Blocks(layout.inputs) * kLanes * kLanes;
  }
  static int32_t RecurrentQuad(const WidenedLayout& layout) {
    return 2 * kLanes + Blocks(layout.units) * kLanes * kLanes;
  }
  static int32_t Recurrent(const WidenedLayout& layout) {
    return Blocks(layout.units) * KernelQuad(layout);
  }
};

inline int32_t WidenedLayout::Bias(int32_t row) const {
  return row / kLanes * WidenedStreams::KernelQuad(*this) + row % kLanes * 2;
}

inline int32_t WidenedLayout::Difference(int32_t row) const {
  return WidenedStreams::Recurrent(*this) +
         (row / kLanes + 1) * WidenedStreams::RecurrentQuad(*this) - 2 * kLanes + row % kLanes * 2;
}

inline int32_t WidenedLayout::Kernel(int32_t row, int32_t input) const {
  int32_t block = input / kLanes;
  int32_t lane = input % kLanes;
  if (pixels && block > 0) {
    const int32_t from_end = inputs - 1 - input;
    block = Blocks(inputs) - 1 - from_end / kLanes;
    lane = kLanes - 1 - from_end % kLanes;
  }
  if (pixels) lane = lane % 2 * 2 + lane / 2;
  return row / kLanes * WidenedStreams::KernelQuad(*this) + 2 * kLanes +
         (block * kLanes + row % kLanes) * kLanes + lane;
}

inline int32_t WidenedLayout::Recurrent(int32_t row, int32_t unit) const {
  const int32_t quad = row / kLanes;
  const int32_t blocks = Blocks(units);
  int32_t block = unit / kLanes;
  if (units == 8 || units == 16) block = (block - quad - 1 + blocks) % blocks;
  return WidenedStreams::Recurrent(*this) + quad * WidenedStreams::RecurrentQuad(*this) +
         (block * kLanes + row % kLanes) * kLanes + unit % kLanes;
}

inline int32_t WidenedLayout::Elements() const {
  return WidenedStreams::Recurrent(*this) + Blocks(units) * WidenedStreams::RecurrentQuad(*this);
}

#else

// Bias [units], difference [units], W [units][inputs], U [units][units]; rows of even length, so
// that they can be read as aligned pairs.
inline int32_t EvenLength(int32_t length) { return (length + 1) & ~1; }

inline int32_t WidenedLayout::Bias(int32_t row) const { return 2 * row; }
inline int32_t WidenedLayout::Difference(int32_t row) const { return 2 * (units + row); }
inline int32_t WidenedLayout::Kernel(int32_t row, int32_t input) const {
  return 4 * units + row * EvenLength(inputs) + input;
}
inline int32_t WidenedLayout::Recurrent(int32_t row, int32_t unit) const {
  return 4 * units + units * EvenLength(inputs) + row * EvenLength(units) + unit;
}
inline int32_t WidenedLayout::Elements() const { return Recurrent(units, 0); }

#endif

}  // namespace rnnpool

#endif  // RNNPOOL_INT8_WIDENED_LAYOUT_H_

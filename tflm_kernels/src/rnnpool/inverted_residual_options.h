// Options of the custom operator "InvertedResidual", as they stand in a model file.
//
// A FlexBuffer map of integers:
//   version                               1
//   stride_height, stride_width           from 1; what lies beyond pad_top and pad_left follows
//   pad_top, pad_left                     from the output's shape
//   expanded_zero_point, _min, _max       of the expansion's output; only with an expansion
//   filtered_zero_point, _min, _max       of the depthwise convolution's output
//   projected_zero_point, _min, _max      of the projection's output
//   residual                              0 or 1; only with 1:
//   input_multiplier, input_shift         factors of the sum (residual_add.h)
//   projected_multiplier, projected_shift
//   sum_multiplier, sum_shift
//   sum_min, sum_max                      the sum's zero point is the output tensor's

#ifndef RNNPOOL_INVERTED_RESIDUAL_OPTIONS_H_
#define RNNPOOL_INVERTED_RESIDUAL_OPTIONS_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/inverted_residual.h"
#include "rnnpool/option_reader.h"

namespace rnnpool {

static const int32_t kInvertedResidualVersion = 1;
static const char* const kInvertedResidualName = "InvertedResidual";

// OutputRange in three bytes: every operator of a model keeps its settings in the arena.
struct PackedRange {
  int8_t zero_point;
  int8_t min;
  int8_t max;
};

inline OutputRange Unpack(const PackedRange& packed) {
  const OutputRange range = {packed.zero_point, packed.min, packed.max};
  return range;
}

struct InvertedResidualOptions {
  AddFactor input;  // the three factors are set with a residual only
  AddFactor projected_factor;
  AddFactor sum_factor;
  int16_t stride_height;
  int16_t stride_width;
  int8_t pad_top;
  int8_t pad_left;
  PackedRange expanded;  // set with an expansion only
  PackedRange filtered;
  PackedRange projected;
  int8_t sum_min;  // set with a residual only
  int8_t sum_max;
  bool residual;
};

// Reads the options; never touches a byte outside [data, data + size), whatever the bytes are.
// `expands`: the block has an expansion. Returns nullptr, or `error` filled with a sentence.
const char* ParseInvertedResidualOptions(const uint8_t* data, size_t size, bool expands,
                                         InvertedResidualOptions* options,
                                         char (&error)[kOptionsErrorSize]);

}  // namespace rnnpool

#endif  // RNNPOOL_INVERTED_RESIDUAL_OPTIONS_H_

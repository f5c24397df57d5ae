// One pixel of a depthwise convolution of int8 maps with depth multiplier 1.

#ifndef RNNPOOL_DEPTHWISE_H_
#define RNNPOOL_DEPTHWISE_H_

#include <stdint.h>

#include "rnnpool/requantize.h"

namespace rnnpool {

struct Depthwise {
  int32_t channels;
  int32_t taps;           // kernel height * kernel width
  const int8_t* weights;  // [taps][channels], at any address
  ChannelTable table;     // [channels]
  OutputRange range;
};

// Returns nullptr or a sentence. Reads all weights. Afterwards taps * channels fits int32.
const char* CheckDepthwise(const Depthwise& layer);

// Sets table.short_form of a checked layer.
void FindShortForm(Depthwise* layer);

// taps [layer.taps]: a pixel [channels] for each tap, at any address; those outside the map are
// filled with the input's zero point. output [channels], which must not overlap any of them.
void RunDepthwise(const Depthwise& layer, const int8_t* const* taps, int8_t* output);

// The readable form, which RunDepthwise is on most processors. On Cortex-M with the DSP extension
// it serves the layers that have no short form (requantize.h) or less than 4 channels.
void RunDepthwisePortable(const Depthwise& layer, const int8_t* const* taps, int8_t* output);

}  // namespace rnnpool

#endif  // RNNPOOL_DEPTHWISE_H_

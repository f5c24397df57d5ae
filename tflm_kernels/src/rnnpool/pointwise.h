// The 1x1 convolution of int8 pixels: a matrix times every pixel, requantised (requantize.h).

#ifndef RNNPOOL_POINTWISE_H_
#define RNNPOOL_POINTWISE_H_

#include <stddef.h>
#include <stdint.h>

#include "rnnpool/requantize.h"

namespace rnnpool {

struct Pointwise {
  int32_t inputs;
  int32_t outputs;
  const int8_t* weights;  // [outputs][inputs], at any address
  ChannelTable table;     // [outputs]
  OutputRange range;
};

// Returns nullptr or a sentence. Reads all weights. Afterwards inputs * outputs fits int32.
const char* CheckPointwise(const Pointwise& layer);

// Sets table.short_form of a checked layer.
void FindShortForm(Pointwise* layer);

// Bytes that RunPointwise needs besides its arguments, a multiple of 4. The same on every path, so
// that a desktop can tell what a microcontroller needs: the Cortex-M DSP path widens
// kPixelsAtOnce pixels to int16.
const int32_t kPixelsAtOnce = 2;
size_t PointwiseWorkspace(const Pointwise& layer);

// pixels [count][inputs] -> output [count][outputs], both dense and at any address; they must not
// overlap. `workspace`: PointwiseWorkspace bytes, aligned to 4 bytes, content irrelevant.
void RunPointwise(const Pointwise& layer, const int8_t* pixels, int32_t count, int8_t* output,
                  void* workspace);

// The readable form, which RunPointwise is on most processors. On Cortex-M with the DSP extension
// it serves the layers that have no short form (requantize.h), less than 4 inputs or 1 output.
void RunPointwisePortable(const Pointwise& layer, const int8_t* pixels, int32_t count,
                          int8_t* output);

}  // namespace rnnpool

#endif  // RNNPOOL_POINTWISE_H_

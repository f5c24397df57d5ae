// The pointwise convolution for Cortex-M processors with the DSP extension. Two pixels at a time
// are widened to int16 and meet all weights, which are read once for both.

#include "rnnpool/int8_path.h"
#include "rnnpool/pointwise.h"

#if RNNPOOL_USE_DSP

#include "rnnpool/dsp_convolutions.h"
#include "rnnpool/dsp_instructions.h"

namespace rnnpool {
namespace {

// One block. Stores come last, so that compilers pair them.
template <int kPixels>
inline uint32_t* StoreBlock(uint32_t first, uint32_t second, uint32_t* pairs) {
  const uint32_t first_even = Bytes02(first), first_odd = Bytes13(first);
  if (kPixels == 2) {
    const uint32_t second_even = Bytes02(second), second_odd = Bytes13(second);
    pairs[2] = second_even;
    pairs[3] = second_odd;
  }
  pairs[0] = first_even;
  pairs[1] = first_odd;
  return pairs + 2 * kPixels;
}

// Fills `pairs`, as DspPointwise describes it, from `kPixels` pixels.
template <int kPixels>
inline void Widen(const int8_t* pixel, int32_t inputs, int32_t overlap, uint32_t* pairs) {
  const int32_t pitch = kPixels == 2 ? inputs : 0;
  const int8_t* end = pixel + (inputs & ~3);
  for (; pixel != end; pixel += 4) {
    pairs = StoreBlock<kPixels>(Word(pixel), Word(pixel + pitch), pairs);
  }
  if (overlap != 0) {
    const uint32_t fresh = ~uint32_t(0) << (8 * overlap);
    pixel -= overlap;
    StoreBlock<kPixels>(Word(pixel) & fresh, Word(pixel + pitch) & fresh, pairs);
  }
}

template <int kPixels>
void RunPixels(DspPointwise* dsp, const int8_t* pixels, int32_t outputs, uint32_t* pairs) {
  Widen<kPixels>(pixels, dsp->inputs, dsp->overlap, pairs);
  DspPointwiseRoutine* const run = kDspPointwise[kPixels - 1];
  dsp->pixels_end = pairs + static_cast<uint32_t>(dsp->inputs) / 4 * 2 * kPixels;
  dsp->output_end = dsp->output + (outputs & ~1);
  run(dsp);
  if (outputs % 2 == 0) return;
  // The last output once more with the one before it.
  const int32_t skip = outputs - 2;
  DspPointwise last = *dsp;
  last.bias += skip;
  last.multiplier += skip;
  last.shift += skip;
  last.weights += skip * dsp->inputs;
  last.output += skip;
  last.second_output += skip;
  last.output_end += 1;
  run(&last);
}

}  // namespace

void RunPointwise(const Pointwise& layer, const int8_t* pixels, int32_t count, int8_t* output,
                  void* workspace) {
  const int32_t inputs = layer.inputs;
  const int32_t outputs = layer.outputs;
  if (!layer.table.short_form || inputs < 4 || outputs < 2) {
    RunPointwisePortable(layer, pixels, count, output);
    return;
  }
  const int32_t total = count * outputs;
  uint32_t* pairs = static_cast<uint32_t*>(workspace);
  DspPointwise dsp = {layer.table.bias,
                      layer.table.multiplier,
                      layer.table.shift,
                      layer.weights,
                      inputs,
                      pairs,
                      nullptr,
                      -inputs & 3,
                      output,
                      nullptr,
                      nullptr,
                      2 * layer.range.zero_point + 1};
  for (; count >= 2; count -= 2) {
    dsp.second_output = dsp.output + outputs;
    RunPixels<2>(&dsp, pixels, outputs, pairs);
    pixels += 2 * inputs;
    dsp.output += 2 * outputs;
  }
  if (count == 1) RunPixels<1>(&dsp, pixels, outputs, pairs);
  ClampOutput(layer.range, total, output);
}

}  // namespace rnnpool

#endif  // RNNPOOL_USE_DSP
